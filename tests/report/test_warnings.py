"""What a page warns of before its numbers: what changes how verdicts are read."""

import json
import re
from pathlib import Path

import yaml
from grids import sections, write_cells, write_study
from small_reports import Aggregate, prepare

from study.design.cells import Cell
from study.settings.grid import Grid
from study.settings.params import Params


def test_models_near_chance_are_named(run: Aggregate, tmp_path: Path) -> None:
    cells = prepare(tmp_path)
    run("tiny")
    assert "Near guessing" not in (tmp_path / "reports/tiny/README.md").read_text()
    guessing = Cell("hard", "vit_scratch", 0.1, 0)
    write_cells(tmp_path, cells, error=lambda cell: 0.89 if cell == guessing else 0.3)
    run("tiny")
    page = (tmp_path / "reports/tiny/README.md").read_text()
    line = (
        "**Near guessing:** `hard-vit_scratch-0.1` errs at least nine tenths as often as guessing. It has little left to lose."
    )
    assert page.index(line) < page.index("## What to take home")


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


def test_errors_that_support_h2_without_a_loss_are_told_apart(run: Aggregate, tmp_path: Path) -> None:
    cells = prepare(tmp_path)
    for vit, cnn, said in (
        ((0.60, 0.62), (0.20, 0.30), True),
        ((0.30, 0.80), (0.20, 0.30), False),
        ((0.30, 0.50), (0.20, 0.90), False),  # by errors, at 1.0 alone: with less data the CNN errs more
    ):
        errors = {"vit_scratch": vit, "cnn_scratch": cnn}
        write_cells(tmp_path, cells, error=lambda cell, errors=errors: errors.get(cell.model, (0.1, 0.2))[cell.fraction < 1])
        run("tiny")
        page = (tmp_path / "reports/tiny/README.md").read_text()
        assert ("**H2 holds by errors, not by losses:** on easy, ViT from scratch errs " in page) == said
    assert "with all data already" not in page


def test_models_that_were_trained_by_other_recipes_are_named(run: Aggregate, tmp_path: Path) -> None:
    cells = prepare(tmp_path)
    run("tiny")
    assert "**Recipes differ.**" not in (tmp_path / "reports/tiny/README.md").read_text()
    params = yaml.safe_load((tmp_path / "params.yaml").read_text())
    params["datasets"]["hard"]["recipe"] = {"clip_norm": 1.0, "weight_decay": 0.002}  # of a dataset
    params["models"]["vit_glyphs"]["recipe"] = {"weight_decay": 0.05}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    for cell in cells:
        path = tmp_path / f"data/history/{cell}/provenance.json"
        record = json.loads(path.read_text())
        record["recipe"] |= params["datasets"][cell.dataset]["recipe"] | params["models"][cell.model]["recipe"]
        path.write_text(json.dumps(record))
    run("tiny")
    lines = [line for line in (tmp_path / "reports/tiny/README.md").read_text().splitlines() if "**Recipes differ.**" in line]
    assert lines == [
        f"- **Recipes differ.** On {dataset}, `weight_decay` is {value} for `cnn_scratch`, `cnn_glyphs`, `vit_scratch`; 0.05 for "
        "`vit_glyphs`. A difference between such models may come from it."
        for dataset, value in (("easy", 0.0001), ("hard", 0.002))
    ]


def test_datasets_in_the_wrong_order_are_noticed(run: Aggregate, tmp_path: Path) -> None:
    cells = prepare(tmp_path)
    write_cells(tmp_path, cells, error=lambda cell: 0.1 if cell.dataset == "easy" else 0.3)
    run("tiny")
    assert "should name the easy dataset first" not in (tmp_path / "reports/tiny/README.md").read_text()
    write_cells(tmp_path, cells, error=lambda cell: 0.3 if cell.dataset == "easy" else 0.1)
    run("tiny")
    assert "**No model errs more on hard than on easy:**" in (tmp_path / "reports/tiny/README.md").read_text()
    write_cells(tmp_path, cells, error=lambda cell: 0.3 if cell.dataset == "easy" else 0.3 - 1 / 300)  # not told apart
    run("tiny")
    assert "should name the easy dataset first" not in (tmp_path / "reports/tiny/README.md").read_text()


def test_fewer_steps_are_those_of_the_largest_fraction_there(run: Aggregate, tmp_path: Path) -> None:
    prepare(tmp_path, ladder=(0.5, 0.1))
    params = tmp_path / "params.yaml"
    params.write_text(params.read_text().replace("fraction: 1.0", "fraction: 0.5"))
    run("tiny")
    page = (tmp_path / "reports/tiny/README.md").read_text()
    assert "Fraction 0.1 took about 0.2 of the optimiser steps of 0.5." in page
    assert "1 training." not in page and " trainings. Kernels:" in page


def test_a_leak_stands_near_the_top(run: Aggregate, tmp_path: Path) -> None:
    params = sections()
    params["datasets"]["hard"]["source"] = {"format": "digits100"}
    write_study(tmp_path, params, (1.0, 0.1))
    write_cells(tmp_path, Grid.load(Params(params)).cells())
    run("tiny")
    page = (tmp_path / "reports/tiny/README.md").read_text()
    assert page.index("**hard:** validation leaks.") < page.index("## What to take home")
