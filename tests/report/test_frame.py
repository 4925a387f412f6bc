"""The frame of all cells and the plots that DVC draws: each number against its own computation."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from grids import MODELS
from small_reports import analysed

from study.report.analysis import Analysis
from study.report.frame import frame
from study.report.plots import all_plots
from study.statistics.contrasts import Arm


def test_the_frame_has_every_cell_and_the_balanced_error_by_hand(analysis: Analysis) -> None:
    cells_ = frame(analysis)
    assert list(cells_["cell"]) == [str(cell) for cell in analysis.grid.cells()]
    for cell, row in zip(analysis.grid.cells(), cells_.to_dict("records"), strict=True):
        result = analysis.results[cell]
        by_class = [result.wrong[result.labels == each].mean() for each in range(len(result.classes))]
        assert row["balanced_error"] == pytest.approx(np.mean(by_class))
        assert row["top1_error"] == pytest.approx(result.wrong.mean())
        assert row["val_error_last"] == result.history[-1].val_error
        assert row["val_error_best"] == min(line.val_error for line in result.history)
        assert row["steps"] == 5 * -(-int(900 * cell.fraction) // 64)
        assert (row["full_images"], row["official_images"]) == (900, 1000)


def test_steps_of_an_equal_budget_are_those_of_all_data(tmp_path: Path) -> None:
    study = analysed(tmp_path, datasets=("one",), models={"cnn_scratch": MODELS["cnn_scratch"]})
    for result in study.results.values():
        result.provenance.recipe["budget"] = "steps"  # type: ignore[index]
    assert set(frame(study)["steps"]) == {5 * -(-900 // 64)}


def test_plots_are_wide_and_in_percent(analysis: Analysis) -> None:
    plots = {name: list(csv.reader(io.StringIO(text))) for name, text in all_plots(analysis)}
    columns, *rows = plots["error_easy"]
    assert columns == ["fraction", "cnn_scratch", "cnn_glyphs", "vit_scratch", "vit_glyphs"]
    assert [row[0] for row in rows] == ["0.1", "0.3", "0.5", "1.0"]
    assert float(rows[3][1]) == pytest.approx(100 * analysis.evidence.error(Arm("easy", "cnn_scratch", 1.0)))
    columns, *rows = plots["learning_hard"]
    assert columns[0] == "epoch" and [row[0] for row in rows] == ["1", "2", "3", "4", "5"]
    columns, *rows = plots["forest"]
    assert len(rows) == sum(len(analysis.conclusions.finding(key).parts) for key in ("H1", "H2", "H3"))
    part = analysis.conclusions.finding("H1").parts[0]
    assert part.estimate is not None
    assert float(rows[0][columns.index("effect")]) == pytest.approx(100 * part.estimate.value)
