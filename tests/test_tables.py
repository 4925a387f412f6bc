"""Tables: what people read against what machines read, and how numbers are written."""

import csv
import io
import math
from pathlib import Path

import pytest
from grids import sections, write_cells, write_study

from study.report import tables
from study.report.analysis import Analysis
from study.report.plots import all_plots
from study.report.table import Table, percent_with_interval, points, points_with_interval, signed
from study.results import collected as results
from study.settings.grid import Grid
from study.settings.params import Params
from study.statistics.estimates import Arm, Estimate
from study.statistics.published import Published

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """A whole tiny study at operating point 0.3, off the ladder."""
    root = tmp_path_factory.mktemp("study")
    params = sections(fraction=0.3)
    write_study(root, params, (1.0, 0.1))
    grid = Grid.load(Params(params), root / "dvc.yaml")
    write_cells(root, grid.cells())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        return Analysis.of_cells(grid, results.load(grid.cells()), Published.read())


def data(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.csv())))


def test_the_error_table_has_every_fraction_and_differences_of_unrounded_errors(analysis: Analysis) -> None:
    table = tables.errors(analysis, "easy")
    rows = data(table)
    assert [(row["architecture"], row["fraction"]) for row in rows] == [
        (name, fraction) for name in ("CNN", "ViT") for fraction in ("1.0", "0.3", "0.1")
    ]
    for row in rows:
        assert float(row["delta"]) == pytest.approx(float(row["pretrained"]) - float(row["scratch"]), abs=1e-11)
        assert float(row["delta_low"]) < float(row["delta"]) < float(row["delta_high"])
    first = analysis.errors.runs(Arm("easy", "cnn_scratch", 1.0))[0]
    assert f"| CNN | 1.0 | {100 * first:.2f} [" in table.markdown()


def test_the_penalty_is_hard_less_easy(analysis: Analysis) -> None:
    table = tables.dataset_penalty(analysis)
    assert table is not None
    for row in data(table):
        assert float(row["penalty"]) == pytest.approx(float(row["hard"]) - float(row["easy"]), abs=1e-11)


def test_every_table_says_what_its_intervals_are_for(analysis: Analysis) -> None:
    for table in tables.all_tables(analysis):
        if table.name not in ("cells", "provenance"):  # which have none
            assert "for these trained models" in table.markdown(), table.name


def test_names_of_tables_are_different(analysis: Analysis) -> None:
    names = [table.name for table in tables.all_tables(analysis)]
    assert len(set(names)) == len(names)


def test_every_row_is_as_long_as_its_header(analysis: Analysis) -> None:
    for table in tables.all_tables(analysis):
        assert {len(row) for row in table.rows} == {len(table.header)}, table.name
        assert {len(row) for row in table.data} == {len(table.columns)}, table.name


def test_relative_growth_is_the_ratio_of_errors(analysis: Analysis) -> None:
    table = tables.relative(analysis)
    assert table is not None
    row = next(row for row in data(table) if row["part"] == "easy, CNN, 1.0 → 0.1")

    def run(model: str, fraction: float) -> float:
        return float(analysis.errors.runs(Arm("easy", model, fraction))[0])

    growths = [run(model, 0.1) / run(model, 1.0) for model in ("cnn_scratch", "cnn_glyphs")]
    assert [float(row["growth_first"]), float(row["growth_second"])] == pytest.approx(growths)
    assert float(row["ratio"]) == pytest.approx(growths[0] / growths[1])
    assert row["agree"] == str((float(row["points"]) > 0) == (math.log(float(row["ratio"])) > 0))


def test_plots_are_wide_and_in_percent(analysis: Analysis) -> None:
    plots = {name: (columns, rows) for name, columns, rows in all_plots(analysis)}
    columns, rows = plots["error_easy"]
    assert columns == ("fraction", "cnn_scratch", "cnn_glyphs", "vit_scratch", "vit_glyphs")
    assert [row[0] for row in rows] == [0.1, 0.3, 1.0]
    assert rows[2][1] == pytest.approx(100 * analysis.errors.runs(Arm("easy", "cnn_scratch", 1.0))[0])
    columns, rows = plots["learning_hard"]
    assert columns[0] == "epoch" and [row[0] for row in rows] == [1, 2, 3, 4, 5]


def test_the_published_file_names_its_source_and_refuses_nonsense(tmp_path: Path) -> None:
    published = Published.read(PROJECT / "data" / "published.csv")
    assert len(published.errors) == 20 and all(published.sources)
    path = tmp_path / "published.csv"
    for line in ("cifar10,vit,1,0.3,x", "cifar10,vit,1.0,3,x", "cifar10,vit,1.0,0.3,x\ncifar10,vit,1.0,0.2,x"):
        path.write_text(f"dataset,model,fraction,top1_error,source\n{line}\n")
        with pytest.raises(Exception, match=r"published\.csv, line \d: "):
            Published.read(path)


@pytest.mark.parametrize(
    ("difference", "text"), [(0.0612, "+6.12"), (-0.0612, "−6.12"), (0.0, "0.00"), (-0.00001, "0.00"), (0.2, "+20.00")]
)
def test_signs(difference: float, text: str) -> None:
    assert points(difference) == text


def test_estimates_are_written_with_their_interval_where_there_is_one() -> None:
    estimate = Estimate(-0.05, -0.0612, 0.001, (-0.05,))
    assert points_with_interval(estimate) == "−5.00 [−6.12, +0.10]"
    assert points_with_interval(Estimate(-0.05, None, None, (-0.05,))) == "−5.00"
    assert percent_with_interval(Estimate(0.1042, 0.1, 0.11, (0.1042,))) == "10.42 [10.00, 11.00]"
    assert percent_with_interval(None) == "–"
    assert signed(1.234) == "+1.23"


def test_only_columns_of_numbers_are_aligned_right() -> None:
    table = Table("t", "T", ("a", "b", "c"), (("x", "+1.00 [0.10, 2.00]", "yes"), ("y", "–", "no")), (), ())
    assert table.markdown().splitlines()[1] == "| --- | ---: | --- |"
