"""What to take home: who errs least, where a curve ends, images needed, and errors worth aiming at."""

from pathlib import Path

from grids import MODELS
from small_reports import analysed

from study.report.analysis import Analysis
from study.report.tables import takeaway
from study.statistics.equivalents import Equivalent
from study.statistics.requirements import Requirement


def test_equivalents_say_where_the_curve_ends() -> None:
    def each(times: float, low: float, high: float) -> str:
        return takeaway.times(Equivalent("d", "s", "p", 0.1, times, low, high, 10.0))

    assert each(2.8, 2.6, 3.14) == "2.8 [2.6, 3.1]"
    assert each(9.5, 8.0, float("inf")) == "9.5 [8.0, more than 10]"
    assert each(float("inf"), float("inf"), float("inf")) == "more than 10"
    assert each(0.0, 0.0, 1.2) == "less than 1 [less than 1, 1.2]"
    ends = {20 / 3: "more than 6.6", 0.7 / 0.1: "more than 7"}  # never more than the curve has; 0.7 / 0.1 is 6.999…
    for most, text in ends.items():
        assert takeaway.times(Equivalent("d", "s", "p", 0.1, *[float("inf")] * 3, most)) == text


def test_needs_are_in_images_and_mark_what_lies_beyond() -> None:
    def each(fraction: float, low: float, high: float, largest: float = 1.0) -> Requirement:
        return Requirement("d", "m", 0.1, fraction, low, high, 0.05, 0.1, largest)

    assert takeaway.required(each(0.5, 0.4, 0.7), 900) == "450 [360, 630]"
    assert takeaway.required(each(2.0, 0.9, float("inf")), 900) == "1,800* [810, ∞]"
    assert takeaway.required(each(float("inf"), 3.0, float("inf")), 900) == "over 100 times all* [2,700, ∞]"
    assert takeaway.required(each(float("inf"), float("inf"), float("inf"), 0.5), 900) == "over 50 times all*"
    assert takeaway.required(each(0.5, 0.4, 0.7), None) == "0.50 [0.40, 0.70]"
    assert takeaway.required(each(0.0, 0.0, 0.1), 900) == "under 90"
    assert takeaway.required(each(0.05, 0.02, 0.2), 900) == "45* [18, 180]"


def test_target_errors_are_round_and_within_reach(analysis: Analysis) -> None:
    targets = takeaway.nice_targets(analysis, "easy")
    measured = [analysis.evidence.error(arm) for arm in analysis.evidence.arms if arm.dataset == "easy"]
    assert 1 <= len(targets) <= 3 and set(targets) <= set(takeaway.NICE)
    assert min(measured) / 2 <= min(targets) and max(targets) <= max(measured)
    assert takeaway.nice_targets(analysis, "absent") == []


def test_labels_of_validation_are_named_where_images_are_counted(analysis: Analysis) -> None:
    table = takeaway.needs(analysis, "easy")
    assert table is not None and "In labelled train images" in table.title
    assert table.notes[-1] == "Labelled images for validation come on top."


def test_the_model_that_errs_least_stands_beside_those_that_are_not_told_apart(tmp_path: Path) -> None:
    """Errors of 20 and 21 % on 300 images are not told apart, 20 and 60 % are; by the counts of differing images."""
    errors = {"cnn_scratch": 0.6, "cnn_glyphs": 0.2, "vit_scratch": 0.61, "vit_glyphs": 0.21}
    found = takeaway.least(analysed(tmp_path, error=lambda cell: errors[cell.model]))
    assert found is not None
    assert {(row.arm.dataset, row.arm.fraction) for row in found.records} == {
        (dataset, fraction) for dataset in ("easy", "hard") for fraction in (1.0, 0.5, 0.1)
    }
    assert {(row.arm.model, row.rivals) for row in found.records} == {("cnn_glyphs", ("vit_glyphs",))}
    assert found.csv().splitlines()[1].startswith("easy,1.0,cnn_glyphs,0.2") and found.csv().splitlines()[1].endswith(
        ",vit_glyphs"
    )


def test_the_model_that_errs_least_of_those_that_are_there_is_not_said_to_be_the_best_of_all(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    whole, part = takeaway.least(analysed(tmp_path / "a")), takeaway.least(analysed(tmp_path / "b", leave_out=slice(3, 4)))
    assert whole is not None and part is not None
    assert len(whole.notes) == 1
    assert part.notes[1] == "**Missing, 1 cell:** `easy-cnn_glyphs-1.0-0`."


def test_no_table_of_the_least_error_where_there_is_one_model(tmp_path: Path) -> None:
    assert takeaway.least(analysed(tmp_path, models={"cnn_scratch": MODELS["cnn_scratch"]})) is None
