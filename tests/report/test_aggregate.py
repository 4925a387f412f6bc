"""The stage as people run it: whole, partial, measured and published, and what a failure leaves."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml
from grids import KERNELS, MODELS, sections, write_cells, write_study

from stages import aggregate
from study.base.errors import StudyError
from study.design.cells import Cell
from study.report.figures import drawn
from study.settings.grid import Grid
from study.settings.params import Params

PROJECT = Path(__file__).parent.parent.parent
Aggregate = Callable[..., None]


@pytest.fixture
def run(whole: Aggregate, monkeypatch: pytest.MonkeyPatch) -> Aggregate:
    """The same without figures, which take most of the time."""
    monkeypatch.setattr(drawn, "all_figures", lambda analysis: iter(()))
    return whole


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Aggregate:
    """Runs aggregate in ``tmp_path`` with the given arguments."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_STAGE", raising=False)

    def call(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["aggregate", *arguments])
        aggregate.main()

    return call


def prepare(root: Path, ladder: tuple[float, ...] = (1.0, 0.1), measured: bool = False, **options: Any) -> list[Cell]:
    """A study with all its cells in ``root``; its cells."""
    params = sections(**options)
    write_study(root, params, ladder)
    cells = Grid.load(Params(params), root / "dvc.yaml").cells()
    write_cells(root, cells, measured=measured)
    return cells


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


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


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_every_number_in_the_sentences_stands_in_the_tables(run: Aggregate, tmp_path: Path, seeds: tuple[int, ...]) -> None:
    prepare(tmp_path, seeds=seeds)
    run("tiny")
    folder = tmp_path / "reports" / "tiny"
    tables = " ".join(path.read_text() for path in sorted((folder / "tables").glob("*.md")))
    page = (folder / "README.md").read_text()
    found = page[page.index("## What was found") : page.index("## Before you read on" if len(seeds) < 3 else "## What to take")]
    numbers = re.findall(r"[+−]\d+\.\d+", found)
    assert len(numbers) >= 2
    assert [number for number in numbers if number not in tables] == []


@pytest.mark.parametrize("seeds", [(0,), (0, 1), (0, 1, 2)])
def test_what_was_found_is_short_and_the_note_on_intervals_stands_once(
    run: Aggregate, tmp_path: Path, seeds: tuple[int, ...]
) -> None:
    prepare(tmp_path, seeds=seeds)
    run("tiny")
    page = (tmp_path / "reports/tiny/README.md").read_text()
    found = page[page.index("## What was found") :].split("\n## ")[0].split("\n", 1)[1]
    shown = re.sub(r"!\[.*?\]\(.*?\)|\| ---.*|[|*]", " ", found)
    assert len(re.findall(r"[A-Za-z]+", shown)) <= 150
    assert len(re.findall(r"(?<![A-Za-z])\d+(?:\.\d+)?", shown)) <= 25
    assert len(re.findall(r"Intervals are 95 %", page)) == 1
    order = [
        "What was found",
        "What to take home",
        "Error by train fraction",
        "The harder dataset",
        "The hypotheses, part by part",
    ]
    order += ["Further claims", "Other scales", "Curves, calibration, classes", "How it was made"]
    places = [page.index(f"## {title}") for title in order]
    assert places == sorted(places)
    assert ("**One seed.**" in page, "**Two seeds.**" in page) == (len(seeds) == 1, len(seeds) == 2)


def test_the_html_file_says_what_the_page_says_and_fetches_nothing(whole: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path)
    whole("tiny")
    folder = tmp_path / "reports" / "tiny"
    html = (folder / "report.html").read_text()
    page = (folder / "README.md").read_text().split("## Files")[0]
    said = unescape(re.sub(r"<[^>]+>", " ", html))
    words = re.findall(r"[\w.+−]+", re.sub(r"<[^>]+>|!\[.*?\)", " ", page))
    assert len(words) > 1000 and sorted(set(words) - set(re.findall(r"[\w.+−]+", said))) == []
    assert html.count("<table>") == page.count("\n| ---") > 5
    assert html.count("<img ") == html.count('src="data:image/svg+xml;base64,') == page.count("](figures/")
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", html) and "<script" not in html
    assert len(html) < 3_000_000


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


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def another_cell(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"cell": "easy-vit_scratch-1.0-0"}))


@pytest.mark.parametrize(
    ("file", "harm"),
    [
        ("predictions/{}/predictions.npz", Path.unlink),
        ("predictions/{}/predictions.npz", damage),
        ("predictions/{}/predictions.npz", flip),
        ("predictions/{}/metrics.json", lambda path: path.write_text('{"images": 300, "top1_error": 0.9}')),
        ("history/{}/history.csv", lambda path: path.write_text("epoch,val_error\n1,0.5\n")),
        ("history/{}/provenance.json", another_cell),
        ("history/{}/provenance.json", lambda path: path.write_text('{"cell": "easy-cnn_glyphs-0.1-0"}')),
        ("history/{}", shutil.rmtree),
    ],
)
def test_a_missing_or_damaged_cell_is_named_and_the_old_report_stands(
    run: Aggregate, tmp_path: Path, file: str, harm: Callable[[Path], Any]
) -> None:
    prepare(tmp_path)
    report = tmp_path / "reports" / "tiny"
    report.mkdir(parents=True)
    (report / "README.md").write_text("the old report")
    harm(tmp_path / "data" / file.format("easy-cnn_glyphs-0.1-0"))
    with pytest.raises(
        StudyError, match=r"^1 of 16 cells are missing or damaged: easy-cnn_glyphs-0\.1-0 .*dvc pull.*dvc repro"
    ):
        run("tiny")
    assert contents(tmp_path / "reports") == {"tiny/README.md": b"the old report"}


def test_cells_on_different_test_images_are_not_compared(run: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path)
    write_cells(tmp_path, [Cell("hard", "vit_glyphs", 0.1, 0)], images=200)
    with pytest.raises(StudyError, match=r"hard-vit_glyphs-0\.1-0 .its test images are not those of hard-cnn_scratch-1\.0-0"):
        run("tiny")


def test_an_error_while_writing_leaves_the_old_report(run: Aggregate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path)
    report = tmp_path / "reports" / "tiny"
    report.mkdir(parents=True)
    (report / "README.md").write_text("the old report")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(aggregate, "write", full)
    with pytest.raises(OSError, match="No space"):
        run("tiny")
    assert contents(tmp_path / "reports") == {"tiny/README.md": b"the old report"}


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


def test_an_incomplete_report_is_not_made_under_dvc(run: Aggregate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path)
    monkeypatch.setenv("DVC_STAGE", "aggregate@tiny")
    with pytest.raises(StudyError, match="by hand"):
        run("--incomplete", "tiny")


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


def test_nothing_measured_is_one_sentence(run: Aggregate, tmp_path: Path) -> None:
    write_study(tmp_path, sections())
    with pytest.raises(StudyError, match=r"data/measured holds no whole cell of study tiny; .* --measured puts one there"):
        run("--measured")
    write_cells(tmp_path, [Cell("other", "cnn_scratch", 1.0, 0)], measured=True)
    with pytest.raises(StudyError, match=r"it has other-cnn_scratch-1\.0-0: set study\.datasets and study\.models"):
        run("--measured")


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


@pytest.mark.parametrize(
    "options",
    [
        {"datasets": ("one",)},
        {"datasets": ("a", "b", "c")},
        {"models": {"cnn_scratch": MODELS["cnn_scratch"]}},
        {"models": {"vit_glyphs": MODELS["vit_glyphs"], "vit_scratch": MODELS["vit_scratch"]}},
        {
            "models": MODELS
            | {"cnn_photos": MODELS["cnn_glyphs"] | {"label": None}, "deep_scratch": MODELS["cnn_scratch"] | {"label": None}}
        },
    ],
)
def test_studies_of_other_shapes(run: Aggregate, tmp_path: Path, options: dict[str, Any]) -> None:
    prepare(tmp_path, **options)
    run("tiny")
    verdicts = json.loads((tmp_path / "reports/tiny/summary.json").read_text())["verdicts"]
    tested = len(options.get("datasets", ())) > 1 or len(options.get("models", MODELS)) > 4
    assert (verdicts["H3"] != "not tested") == tested
    assert " is not tested: it needs " in (tmp_path / "reports/tiny/README.md").read_text()


def test_five_classes_or_fewer_have_no_top5(run: Aggregate, tmp_path: Path) -> None:
    cells = prepare(tmp_path)
    write_cells(tmp_path, cells, classes=4)
    run("tiny")
    rows = (tmp_path / "reports/tiny/tables/cells.csv").read_text().splitlines()
    place = rows[0].split(",").index("top5_error")
    assert {row.split(",")[place] for row in rows[1:]} == {""}


def test_perfect_models_break_nothing(run: Aggregate, tmp_path: Path) -> None:
    cells = prepare(tmp_path)
    write_cells(tmp_path, cells, error=lambda cell: 0.0)
    run("tiny")
    assert json.loads((tmp_path / "reports/tiny/summary.json").read_text())["verdicts"]["H1"] == "undecided"


def test_models_near_chance_are_named(run: Aggregate, tmp_path: Path) -> None:
    cells = prepare(tmp_path)
    run("tiny")
    assert "Near guessing" not in (tmp_path / "reports/tiny/README.md").read_text()
    guessing = Cell("hard", "vit_scratch", 0.1, 0)
    write_cells(tmp_path, cells, error=lambda cell: 0.89 if cell == guessing else 0.3)
    run("tiny")
    page = (tmp_path / "reports/tiny/README.md").read_text()
    assert page.index("**Near guessing:** `hard-vit_scratch-0.1` err") < page.index("## What to take home")


def test_parts_without_a_say_are_named_with_what_could_have_come_out(run: Aggregate, tmp_path: Path) -> None:
    """The ViT from scratch errs on 0.85 with all data, the pre-trained one loses 0.40: 0.05 are left to lose, of 0.90."""
    cells = prepare(tmp_path)
    errors = {"vit_scratch": (0.85, 0.85), "vit_glyphs": (0.1, 0.5)}
    write_cells(tmp_path, cells, error=lambda cell: errors.get(cell.model, (0.2, 0.3))[cell.fraction < 1])
    run("tiny")
    page = (tmp_path / "reports/tiny/README.md").read_text()
    line = next(line for line in page.splitlines() if line.startswith("- **Cannot be told**"))
    assert "H1, easy, 1.0 → 0.1: ViT from scratch loses more than pre-trained (could have come out: " in line
    assert re.search(r"pre-trained \(could have come out: −\d+\.\d to −\d+\.\d points\)", line)
    assert page.index(line) < page.index("## What to take home")
    write_cells(tmp_path, cells)
    run("tiny")
    assert "**Cannot be told**" not in (tmp_path / "reports/tiny/README.md").read_text()


def test_datasets_in_the_wrong_order_are_noticed(run: Aggregate, tmp_path: Path) -> None:
    cells = prepare(tmp_path)
    write_cells(tmp_path, cells, error=lambda cell: 0.1 if cell.dataset == "easy" else 0.3)
    run("tiny")
    assert "should name the easy dataset first" not in (tmp_path / "reports/tiny/README.md").read_text()
    write_cells(tmp_path, cells, error=lambda cell: 0.3 if cell.dataset == "easy" else 0.1)
    run("tiny")
    assert "**No model errs more on hard than on easy:**" in (tmp_path / "reports/tiny/README.md").read_text()


def test_missing_cells_of_one_model_are_named_together(run: Aggregate, tmp_path: Path) -> None:
    for cell in prepare(tmp_path, seeds=(0, 1)):
        if cell.model == "vit_scratch" and (cell.fraction, cell.dataset) == (0.1, "hard"):
            shutil.rmtree(tmp_path / "data/history" / str(cell))
    run("--incomplete", "tiny")
    assert "**Missing, 2 cells:** `hard-vit_scratch-0.1-{0,1}`." in (tmp_path / "reports/tiny/tables/cells.md").read_text()


def test_another_study_or_a_bad_value_is_one_sentence(run: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path)
    with pytest.raises(StudyError, match="is tiny, not other"):
        run("other")
    params = sections() | {"train": sections()["train"] | {"learning_rate": 0}}
    write_study(tmp_path, params, (1.0, 0.1))
    with pytest.raises(StudyError, match="learning_rate"):
        run("tiny")
    write_study(tmp_path, sections(datasets=("easy", "verdicts")), (1.0, 0.1))
    with pytest.raises(StudyError, match="another name"):
        run("tiny")


def test_validation_and_full_data_are_said_in_numbers(run: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path)
    run("tiny")
    page = (tmp_path / "reports/tiny/README.md").read_text()
    assert "easy: fraction 1.0 is 900 train images, 90 % of the 1,000 of the official training set." in page
    assert "Validation has 100 labelled images at every fraction, and they choose the epoch." in page
    assert "**Fewer steps with less data.** Fraction 0.1 took" in page


def test_a_leak_stands_near_the_top(run: Aggregate, tmp_path: Path) -> None:
    params = sections()
    params["datasets"]["hard"]["source"] = {"format": "digits100"}
    write_study(tmp_path, params, (1.0, 0.1))
    write_cells(tmp_path, Grid.load(Params(params)).cells())
    run("tiny")
    page = (tmp_path / "reports/tiny/README.md").read_text()
    assert page.index("**hard:** validation leaks.") < page.index("## What to take home")


def test_doubtful_test_images_are_left_out_by_format(run: Aggregate, tmp_path: Path) -> None:
    params = sections()
    params["datasets"]["hard"]["source"] = yaml.safe_load((PROJECT / "params.yaml").read_text())["datasets"]["cifar10"][
        "source"
    ]
    write_study(tmp_path, params, (1.0, 0.1))
    (tmp_path / "data/reference/cifar10_near_duplicates.csv").write_text("# source\nindex\n3\n5\n")
    write_cells(tmp_path, Grid.load(Params(params)).cells())
    run("tiny")
    page = (tmp_path / "reports/tiny/README.md").read_text()
    assert "Left out, without near-duplicates: 2 of 300 images of hard." in page


def test_names_from_outside_are_no_markup(run: Aggregate, tmp_path: Path) -> None:
    cells = prepare(tmp_path)
    for cell in cells:
        path = tmp_path / f"data/history/{cell}/provenance.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"kernels": "[GPU](https://e.org) <b>x</b> **y**"}))
    run("tiny")
    folder = tmp_path / "reports/tiny"
    assert 'href="https://e.org"' not in (folder / "report.html").read_text()
    assert "<b>x</b>" not in (folder / "report.html").read_text()
    assert r"\[GPU\](https\://e.org) \<b\>x\</b\> \*\*y\*\*" in (folder / "README.md").read_text()


def test_neither_torch_nor_dvc_is_imported(tmp_path: Path) -> None:
    prepare(tmp_path, (1.0,), datasets=("one",), models={"cnn_scratch": MODELS["cnn_scratch"]})
    code = (
        "import sys; sys.modules['dvc'] = None; sys.argv = ['aggregate', 'tiny'];"
        "from stages.aggregate import main; main();"
        "assert not {'torch', 'timm', 'wandb'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(PROJECT)}, check=True)


def test_another_ladder_in_the_command_than_in_the_matrix_is_refused(run: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path)
    run("tiny", "--ladder", "1.0,0.1")
    with pytest.raises(StudyError, match="the matrix has 1.0,0.1; write the same".replace(".", r"\.")):
        run("tiny", "--ladder", "1.0,0.2,0.1")


@pytest.mark.parametrize("what", ["params.yaml", "data/predictions/{}/metrics.json", "dvc.yaml", "code"])
def test_what_is_edited_while_a_report_is_made_is_refused(
    run: Aggregate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    cells = prepare(tmp_path)
    run("tiny")
    before, write = contents(tmp_path / "reports"), aggregate.write

    def edited(*arguments: Any) -> None:
        write(*arguments)
        if what == "code":
            monkeypatch.setattr(aggregate.code, "digest", lambda module: "edited")
        else:
            path = tmp_path / what.format(cells[0])
            path.write_text(path.read_text().replace("0.1", "0.2") + "\n")

    monkeypatch.setattr(aggregate, "write", edited)
    with pytest.raises(StudyError, match=r"of reports/tiny were edited while it was made, so nothing was written"):
        run("tiny")
    assert contents(tmp_path / "reports") == before


def test_a_cell_that_ends_while_an_incomplete_report_is_made_does_not_stop_it(
    run: Aggregate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = prepare(tmp_path)
    late, aside = tmp_path / f"data/predictions/{cells[0]}", tmp_path / "aside"
    late.rename(aside)
    write = aggregate.write
    monkeypatch.setattr(aggregate, "write", lambda *arguments: (aside.rename(late), write(*arguments)))
    run("--incomplete", "tiny")
    assert str(cells[0]) in (tmp_path / "reports/tiny/README.md").read_text()
