"""Tables of errors, penalties, classes and scales: each number against its own computation."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from grids import MODELS, sections, write_cells, write_study
from small_reports import analysed, data

from study.report.analysis import Analysis
from study.report.figures import comparisons
from study.report.frame import frame
from study.report.sections.made import compared
from study.report.sections.warnings import warnings
from study.report.tables import per_cell, robustness, top1
from study.report.tables.every import every_table
from study.results import collected
from study.settings.grid import Grid
from study.settings.params import Params
from study.statistics.contrasts import Arm
from study.statistics.published import Published

TABLES = ("errors_easy", "errors_hard", "penalty", "hypotheses", "claims", "parts_h1", "needs_easy", "exponents", "scales")


def test_every_row_is_as_long_as_its_header(analysis: Analysis) -> None:
    tables = every_table(analysis, frame(analysis))
    assert set(TABLES) <= set(tables)
    for name, table in tables.items():
        assert name == table.name
        assert {len(row) for row in table.rows} == {len(table.header)}, name
        rows = list(csv.reader(io.StringIO(table.csv())))
        assert {len(row) for row in rows} == {len(rows[0])}, name
        assert len(set(rows[0])) == len(rows[0]), name


def test_the_error_table_has_every_fraction_the_gain_and_guessing(analysis: Analysis) -> None:
    table = top1.by_fraction(analysis, "easy")
    rows = data(table)
    assert [(row["architecture"], row["fraction"]) for row in rows] == [
        (name, fraction) for name in ("CNN", "ViT") for fraction in ("1.0", "0.5", "0.3", "0.1")
    ]
    for row in rows:
        assert float(row["gain"]) == pytest.approx(float(row["scratch"]) - float(row["pretrained"]), abs=1e-11)
        assert float(row["gain_low"]) < float(row["gain"]) < float(row["gain_high"])
        assert row["guessing"] == "0.9"
    first = analysis.evidence.error(Arm("easy", "cnn_scratch", 1.0))
    assert f"| CNN | 1.0 | {100 * first:.1f} [" in table.markdown()
    assert "Guessing errs on 90.0 %" in table.markdown()


def test_the_penalty_is_hard_less_easy(analysis: Analysis) -> None:
    for row in data(top1.harder(analysis)):
        assert float(row["penalty"]) == pytest.approx(float(row["hard"]) - float(row["easy"]), abs=1e-11)


def test_with_three_datasets_the_penalty_is_that_of_each_step(tmp_path: Path) -> None:
    three = analysed(tmp_path, datasets=("easy", "hard", "last"))
    rows = data(top1.harder(three))
    assert {row["step"] for row in rows} == {"easy → hard", "hard → last"} and len(rows) == 2 * 3 * 4
    for row in rows:
        dataset = row["step"].split(" → ")[1]
        error = three.evidence.error(Arm(dataset, row["model"], float(row["fraction"])))
        assert float(row["harder"]) == pytest.approx(error, abs=1e-11)
        assert float(row["penalty"]) == pytest.approx(float(row["harder"]) - float(row["easier"]), abs=1e-11)
    assert compared(three).count("easy, hard, last (from easy to hard)") == 1
    assert [text for text in warnings(three) if "No model errs more on" in text] == [
        "**No model errs more on last than on hard:** `study.datasets` should name the easy dataset first."
    ]
    figure = comparisons.penalty_per_model(three)
    assert figure is not None
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(names) == 8 and names[-1] == "ViT, pre-trained, hard → last"


def test_imbalanced_classes_have_tables(analysis: Analysis, tmp_path: Path) -> None:
    assert per_cell.balanced(analysis) is None and per_cell.classes(analysis, "easy") is None
    study = analysed(tmp_path, datasets=("one",), models={"cnn_scratch": MODELS["cnn_scratch"]})
    for result in study.results.values():
        result.predictions.labels[:60] = 0  # class 0 has three times as many images as another
    table = per_cell.balanced(study)
    assert table is not None and "Balanced accuracy" in table.header
    for row, (cell, result) in zip(frame(study).to_dict("records"), study.results.items(), strict=True):
        each = [result.wrong[result.labels == place].mean() for place in range(len(result.classes))]
        assert row["cell"] == str(cell) and row["balanced_error"] == pytest.approx(np.mean(each)) != row["top1_error"]
    by_class = data(per_cell.classes(study, "one"))
    assert int(by_class[0]["images"]) > 2 * int(by_class[1]["images"])


def test_guessing_is_to_always_answer_the_largest_class(tmp_path: Path) -> None:
    """On imbalanced classes that errs less than a draw among all of them, and a model that does it has learned nothing."""
    params = sections(datasets=("one",), models={"cnn_scratch": MODELS["cnn_scratch"]})
    write_study(tmp_path, params, (1.0, 0.1))
    cells = Grid.load(Params(params), tmp_path / "dvc.yaml").cells()
    write_cells(tmp_path, cells, error=lambda cell: 0.35)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        found = collected.load(cells, Params(params))
    for result in found.present.values():
        result.predictions.labels[:] = np.where(result.labels < 6, 0, result.labels)
    study = Analysis.of_cells(Grid.load(Params(params), tmp_path / "dvc.yaml"), found, Published.read())
    assert study.evidence.guessing("one") == pytest.approx(0.4)
    assert [arm.model for arm in study.conclusions.near_guessing] == ["cnn_scratch"] * 2
    table = top1.by_fraction(study, "one")
    assert "Always answering the largest class errs on 40.0 %." in table.notes[0]


def test_scales_have_the_signs_of_the_readings(analysis: Analysis) -> None:
    rows = data(robustness.scales(analysis))
    for row, reading in zip(rows, analysis.conclusions.readings, strict=True):
        assert row["key"] == reading.key and row["against"] == " ".join(reading.against)
        found = reading.estimates["log_error"]
        assert found is not None and float(row["log_error"]) == found.value


def test_a_balanced_error_is_a_mean_over_all_seeds_as_every_other_number(tmp_path: Path) -> None:
    """The first seed of the scratch model at 1.0 is missing: its other seeds make no mean."""
    models = {name: MODELS[name] for name in ("cnn_scratch", "cnn_glyphs")}
    study = analysed(tmp_path, datasets=("one",), models=models, seeds=(0, 1, 2), leave_out=slice(1))
    assert [str(cell) for cell in study.missing] == ["one-cnn_scratch-1.0-0"]
    for result in study.results.values():
        result.predictions.labels[:60] = 0
    (row,) = data(per_cell.balanced(study))
    runs = study.arm_results(Arm("one", "cnn_glyphs", 1.0))
    each = [run.wrong[run.labels == place].mean() for run in runs for place in range(len(run.classes))]
    assert (row["model"], float(row["balanced_error"])) == ("cnn_glyphs", pytest.approx(np.mean(each)))
    assert float(row["top1_error"]) == pytest.approx(study.evidence.error(Arm("one", "cnn_glyphs", 1.0)))
