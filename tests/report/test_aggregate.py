"""The stage as people run it: whole, partial, measured and published."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from grids import KERNELS, MODELS, sections, write_cells, write_study
from small_reports import Aggregate, contents, prepare

from study.design.cells import Cell
from study.settings.grid import Grid
from study.settings.params import Params

PROJECT = Path(__file__).parent.parent.parent


def test_a_report_holds_what_it_promises_and_the_same_bytes_again(whole: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path)
    whole("tiny")
    folder = tmp_path / "reports" / "tiny"
    first = contents(folder)
    assert {
        "README.md",
        "report.html",
        "summary.json",
        "tables/errors_easy.csv",
        "tables/errors_hard.md",
        "tables/penalty.md",
        "cells.csv",
        "tables/hypotheses.md",
        "tables/claims.md",
        "tables/verdicts.csv",
        "tables/parts_h1.md",
        "tables/scales.csv",
        "tables/equivalents.md",
        "tables/cells.csv",
        "tables/provenance.md",
        "plots/error_easy.csv",
        "plots/learning_hard.csv",
        "plots/forest.csv",
        "figures/forest.svg",
        "figures/error_easy.svg",
        "figures/gain_hard.png",
        "figures/slope_easy.svg",
        "figures/penalty.png",
        "figures/learning_easy.svg",
        "figures/calibration_easy.svg",
        "figures/hardest_hard.png",
        "figures/confusion_easy.png",
    } <= set(first)
    whole("tiny")
    assert contents(folder) == first
    assert not [path for path in (tmp_path / "reports").iterdir() if path.name != "tiny"]
    shown = set(re.findall(r"\]\(([^)]+)\)", first["README.md"].decode()))
    beside = {"cells.csv", "tables", "figures", "plots", "summary.json", "report.html"}
    assert shown == beside | {name for name in first if name.endswith(".svg")}


def test_the_summary_is_that_of_the_operating_point(run: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path, fraction=0.1)
    run("tiny")
    summary = json.loads((tmp_path / "reports" / "tiny" / "summary.json").read_text())
    assert list(summary) == ["easy", "hard", "verdicts"]
    assert list(summary["easy"]) == list(MODELS)
    assert list(summary["verdicts"]) == ["H1", "H2", "H3", *(f"C{number}" for number in range(1, 9))]
    for dataset in ("easy", "hard"):
        for model in MODELS:
            metrics = json.loads((tmp_path / f"data/predictions/{dataset}-{model}-0.1-0/metrics.json").read_text())
            assert summary[dataset][model] == {"top1_error": pytest.approx(metrics["top1_error"], abs=1e-12)}


def test_verdicts_do_not_move_with_the_operating_point(run: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path)
    run("tiny")
    before = contents(tmp_path / "reports" / "tiny" / "tables")
    prepare(tmp_path, fraction=0.3)
    run("tiny")
    after = contents(tmp_path / "reports" / "tiny" / "tables")
    assert {name: before[name] for name in before if name.startswith(("parts", "verdicts", "scales"))} == {
        name: after[name] for name in after if name.startswith(("parts", "verdicts", "scales"))
    }
    assert b",0.3," in after["errors_easy.csv"]


def test_cells_off_the_grid_are_ignored_by_hand(run: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path)
    run("tiny")
    before = contents(tmp_path / "reports" / "tiny")
    write_cells(tmp_path, [Cell("easy", "cnn_scratch", 0.3, 0), Cell("other", "cnn_scratch", 1.0, 0)])
    run("tiny")
    assert contents(tmp_path / "reports" / "tiny") == before
    assert (tmp_path / "data/history/easy-cnn_scratch-0.3-0").is_dir()


def test_an_incomplete_report_names_missing_cells_where_they_are_missed(run: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path)
    missing = "easy-cnn_glyphs-0.1-0"
    shutil.rmtree(tmp_path / "data/history" / missing)
    shutil.rmtree(tmp_path / "data/predictions" / missing)
    (tmp_path / "data/failed").mkdir()
    (tmp_path / f"data/failed/{missing}.json").write_text('{"error": "loss is not finite in epoch 3."}')
    run("--incomplete", "tiny")
    folder = tmp_path / "reports" / "tiny"
    page = (folder / "README.md").read_text()
    assert "15 of 16 cells" in page and "its training failed: loss is not finite in epoch 3" in page
    for name in ("errors_easy", "penalty", "parts_h1", "cells", "provenance"):
        assert missing in (folder / f"tables/{name}.md").read_text(), name
    assert missing not in (folder / "tables/errors_hard.md").read_text()
    assert "cnn_glyphs" in json.loads((folder / "summary.json").read_text())["easy"]
    assert "CNN from scratch loses more than pre-trained | – | not tested" in (folder / "tables/parts_h1.md").read_text()
    head, _, first, second, *_ = (folder / "tables/hypotheses.md").read_text().split("\n\n")[1].split("\n")
    assert head.split(" | ")[-1] == "Not tested |"  # a column only where there is something in it
    assert first.split(" | ")[-1] == "1 |" and second.split(" | ")[-1] == "– |"


def test_measured_cells_are_reported_with_provenance_and_the_missing_named(run: Aggregate, tmp_path: Path) -> None:
    cells = prepare(tmp_path, measured=True)
    write_cells(tmp_path, [Cell("other", "cnn_scratch", 1.0, 0)], measured=True)
    shutil.rmtree(tmp_path / "data/measured" / str(cells[0]))
    run("--measured")
    page = (tmp_path / "reports/measured/README.md").read_text()
    assert f"**Missing, 1 cell:** `{cells[0]}`" in page
    assert "no part of this grid: `other-cnn_scratch-1.0-0`" in page
    assert f"| `{cells[1]}` | {KERNELS} | numpy 2.4.6, timm 1.0.31, torch 2.14.1 | 90 | 10 |" in page
    assert not (tmp_path / "reports/tiny").exists()


def test_published_numbers_alone_make_a_report(whole: Aggregate, tmp_path: Path) -> None:
    write_study(tmp_path, sections())
    whole("--published")
    folder = tmp_path / "reports" / "published"
    page = (folder / "README.md").read_text()
    assert page.index("Nothing on this page was measured by this project") < page.index("## Error by train fraction")
    assert "| **supported** in the published runs |" in page
    assert "| ResNet50 | 0.1 | 34.1 [" in page and "| +27.5 [" in page  # 0.2746, the published difference of unrounded errors
    assert "**Not published:** `cifar100-resnet50_scratch-{0.5,0.2,0.1}`" in page
    assert "95 % bounds: they take the errors of all cells as independent" in page
    assert len((folder / "cells.csv").read_text().splitlines()) == 1 + 20
    assert (folder / "figures/error_cifar10.svg").is_file()
    assert not (folder / "figures/calibration_cifar10.svg").exists()


def test_ours_stand_beside_the_published(whole: Aggregate, tmp_path: Path) -> None:
    params = sections(datasets=("cifar10", "cifar100"))
    params["study"]["models"] = ["resnet50_scratch", "resnet50_im1k"]
    params["datasets"]["cifar100"]["source"] = yaml.safe_load((PROJECT / "params.yaml").read_text())["datasets"]["cifar100"][
        "source"
    ]
    write_study(tmp_path, params, (1.0, 0.1))
    write_cells(tmp_path, Grid.load(Params(params)).cells(), error=lambda cell: 0.341 if cell.fraction == 0.1 else 0.3)
    whole("tiny")
    folder = tmp_path / "reports" / "tiny"
    rows = (folder / "tables/beside_published.csv").read_text().splitlines()
    assert len(rows) == 1 + 4 + 2
    header = rows[0].split(",")
    first = dict(zip(header, rows[1].split(","), strict=True))
    assert first["published"] == "0.104"
    assert float(first["difference"]) == pytest.approx(float(first["ours"]) - 0.104, abs=1e-9)
    assert first["inside"] == str(float(first["ours_low"]) <= 0.104 <= float(first["ours_high"]))
    assert (folder / "figures/beside_published.svg").is_file()
    assert "10 images that stand pixel for pixel" in (folder / "README.md").read_text()


def test_neither_torch_nor_dvc_is_imported(tmp_path: Path) -> None:
    prepare(tmp_path, (1.0,), datasets=("one",), models={"cnn_scratch": MODELS["cnn_scratch"]})
    code = (
        "import sys; sys.modules['dvc'] = None; sys.argv = ['aggregate', 'tiny'];"
        "from stages.aggregate import main; main();"
        "assert not {'torch', 'timm', 'wandb'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(PROJECT)}, check=True)


def test_images_that_params_yaml_lets_go_by_are_said(run: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path)
    run("tiny")
    before = (tmp_path / "reports/tiny/README.md").read_text()
    params = sections()
    params["datasets"]["hard"]["source"] = {"format": "folder", "path": "hard", "side": 32, "test": 0.2, "unreadable": "skip"}
    params["split"]["rare"] = "train"
    write_study(tmp_path, params, (1.0, 0.1))
    run("tiny")
    after = (tmp_path / "reports/tiny/README.md").read_text()
    for sentence in ("hard: images that cannot be read were left out", "Classes too small for a share of the validation set"):
        assert sentence in after and sentence not in before
    assert "easy: images that cannot be read" not in after
