"""Tables: what people read against what machines read, each number against its own computation."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from grids import MODELS
from small_reports import analysed

from study.report.analysis import Analysis
from study.report.columns import Column, Table, estimate, numeric
from study.report.figures import comparisons
from study.report.frame import frame
from study.report.part_names import called, sampled
from study.report.plots import all_plots
from study.report.sections.made import compared
from study.report.sections.warnings import warnings
from study.report.tables import claims, per_cell, robustness, takeaway, top1
from study.report.tables.every import every_table
from study.statistics.contrasts import Arm
from study.statistics.equivalents import Equivalent
from study.statistics.estimate import Estimate
from study.statistics.published import Published
from study.statistics.requirements import Requirement

PROJECT = Path(__file__).parent.parent.parent
TABLES = ("errors_easy", "errors_hard", "penalty", "hypotheses", "claims", "parts_h1", "needs_easy", "exponents", "scales")


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """A whole tiny study at operating point 0.3, off the ladder."""
    return analysed(tmp_path_factory.mktemp("study"), fraction=0.3)


@pytest.fixture(scope="module")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Three architectures of either family, each from scratch and pre-trained."""
    models = {}
    for number in range(3):
        for family in ("cnn", "vit"):
            scratch = f"{family}{number}_scratch"
            models[scratch] = MODELS[f"{family}_scratch"] | {"label": None}
            models[f"{family}{number}_glyphs"] = MODELS[f"{family}_glyphs"] | {"scratch": scratch, "label": None}
    return analysed(tmp_path_factory.mktemp("twelve"), models=models)


def data(table: Table | None) -> list[dict[str, str]]:
    assert table is not None
    return list(csv.DictReader(io.StringIO(table.csv())))


def test_a_table_is_written_both_ways_from_one_list_of_columns() -> None:
    table = Table(
        "t",
        "T",
        (
            Column("Name", "", lambda row: row[0]),
            Column("", "key", lambda row: row[0].lower()),
            estimate("Error", "error", lambda row: row[1]),
        ),
        (("A|b", Estimate(0.1, 0.05, 0.2)), ("C", None)),
        ("A note.",),
    )
    assert table.markdown() == ("| Name | Error |\n| --- | ---: |\n| A\\|b | 10.0 [5.0, 20.0] |\n| C | – |\n\nA note.\n")
    assert table.csv() == "key,error,error_low,error_high\na|b,0.1,0.05,0.2\nc,,,\n"


def test_bounds_are_aligned_as_the_numbers_they_stand_for() -> None:
    rows = [("under 110", "over 100 times all*", "more than 10", "–", "CNN"), ("1,900* [850, ∞]", "−3", "0.5", "+1", "2")]
    assert [numeric(rows, place) for place in range(5)] == [True, True, True, True, False]


def test_pages_show_some_records_and_the_csv_all() -> None:
    table = Table("t", "T", (Column("N", "n", lambda row: row),), (1, 2, 3), shown=(1, 3))
    assert table.rows == [("1",), ("3",)] and len(table.csv().splitlines()) == 4


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


def test_parts_have_what_could_have_come_out_and_been_told(analysis: Analysis) -> None:
    finding = analysis.conclusions.finding("H1")
    table = claims.parts(analysis, finding)
    for row, part in zip(data(table), finding.parts, strict=True):
        assert part.estimate is not None and part.attainable is not None
        assert float(row["effect"]) == part.estimate.value and row["verdict"] == part.verdict
        assert [float(row["attainable_low"]), float(row["attainable_high"])] == list(part.attainable)
        assert float(row["tellable"]) == part.estimate.tellable
    assert {"Could have come out", "Smallest that could be told"} <= set(table.header)
    assert "| easy, 1.0 → 0.1: CNN from scratch loses more than pre-trained | +" in table.markdown()


def test_every_part_has_a_label_of_its_own(analysis: Analysis, twelve: Analysis) -> None:
    for study in (analysis, twelve):
        for finding in study.conclusions.findings:
            names = [called(study, finding.key, part) for part in finding.parts]
            assert len(set(names)) == len(names), finding.key
            keys = [part.where.key + part.where.kind for part in finding.parts]
            assert len(set(keys)) == len(keys), finding.key
    with pytest.raises(KeyError):  # and no hypothesis takes the words of another
        called(analysis, "H4", analysis.conclusions.finding("C7").parts[0])


def test_the_rows_of_hypotheses_count_their_parts(analysis: Analysis) -> None:
    table = claims.hypotheses(analysis)
    assert table.header == ("Claim", "Verdict", "For", "Against", "Too small to tell", "Cannot be told")
    for row, finding in zip(table.rows, table.records, strict=True):
        assert row[1] == f"**{finding.verdict}** in these trainings"
        for cell, word in zip(row[2:], ("supported", "refuted", "too small to tell", "cannot be told"), strict=True):
            count = len(finding.with_verdict(word))
            assert (cell == "–") == (count == 0) and (not count or cell.split(":")[0] == str(count))


def test_tables_stay_readable_with_twelve_models(twelve: Analysis) -> None:
    tables = every_table(twelve, frame(twelve))
    c4 = tables["parts_c4"]
    assert len(c4.records) > 100 and len(c4.rows) <= 16
    assert f"16 of {len(c4.records)} parts" in c4.markdown()
    effects = [part.estimate.value for part in c4.records]
    shown = [part.estimate.value for part in c4.shown or ()]
    assert min(shown) == min(effects) and max(shown) == max(effects)
    assert sum(len(table.markdown()) for name, table in tables.items() if name.startswith("parts")) < 30_000
    few = c4.records[:5]
    assert sampled(few) == few


def test_scales_have_the_signs_of_the_readings(analysis: Analysis) -> None:
    rows = data(robustness.scales(analysis))
    for row, reading in zip(rows, analysis.conclusions.readings, strict=True):
        assert row["key"] == reading.key and row["against"] == " ".join(reading.against)
        found = reading.estimates["log_error"]
        assert found is not None and float(row["log_error"]) == found.value


def test_equivalents_say_where_the_curve_ends() -> None:
    def each(times: float, low: float, high: float) -> str:
        return takeaway.times(Equivalent("d", "s", "p", 0.1, times, low, high, 10.0))

    assert each(2.8, 2.6, 3.14) == "2.8 [2.6, 3.1]"
    assert each(9.5, 8.0, float("inf")) == "9.5 [8.0, more than 10]"
    assert each(float("inf"), float("inf"), float("inf")) == "more than 10"
    assert each(0.0, 0.0, 1.2) == "less than 1 [less than 1, 1.2]"


def test_needs_are_in_images_and_mark_what_lies_beyond() -> None:
    def each(fraction: float, low: float, high: float) -> Requirement:
        return Requirement("d", "m", 0.1, fraction, low, high, 0.05, 0.1, 1.0)

    assert takeaway.required(each(0.5, 0.4, 0.7), 900) == "450 [360, 630]"
    assert takeaway.required(each(2.0, 0.9, float("inf")), 900) == "1,800* [810, ∞]"
    assert takeaway.required(each(float("inf"), 3.0, float("inf")), 900) == "over 100 times all*"
    assert takeaway.required(each(0.5, 0.4, 0.7), None) == "0.50 [0.40, 0.70]"
    assert takeaway.required(each(0.0, 0.0, 0.1), 900) == "under 90"
    assert takeaway.required(each(0.05, 0.02, 0.2), 900) == "45* [18, 180]"


def test_target_errors_are_round_and_within_reach(analysis: Analysis) -> None:
    targets = takeaway.nice_targets(analysis, "easy")
    measured = [analysis.evidence.error(arm) for arm in analysis.evidence.arms if arm.dataset == "easy"]
    assert 1 <= len(targets) <= 3 and set(targets) <= set(takeaway.NICE)
    assert min(measured) / 2 <= min(targets) and max(targets) <= max(measured)
    assert takeaway.nice_targets(analysis, "absent") == []


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


def test_the_published_file_names_its_source_and_refuses_nonsense(tmp_path: Path) -> None:
    published = Published.read(PROJECT / "data" / "reference" / "published.csv")
    assert len(published.errors) == 20 and all(published.sources)
    path = tmp_path / "published.csv"
    for line in ("cifar10,vit,1,0.3,x", "cifar10,vit,1.0,3,x", "cifar10,vit,1.0,0.3,x\ncifar10,vit,1.0,0.2,x"):
        path.write_text(f"dataset,model,fraction,top1_error,source\n{line}\n")
        with pytest.raises(Exception, match=r"published\.csv, line \d: "):
            Published.read(path)
