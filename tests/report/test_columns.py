"""A table is one list of columns, written for people and for machines."""

from study.report.columns import Column, Table, digits, estimate, numeric
from study.statistics.estimate import Estimate


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


def test_the_csv_leaves_out_the_digits_that_a_processor_decides() -> None:
    written = [Table("t", "T", (Column("", "n", lambda row: row),), (n,)).csv() for n in (40.30892552420362, 40.30892552420363)]
    assert written == ["n\n40.3089255242\n"] * 2
    assert [digits(n) for n in (1.0, 2.5e-07, float("inf"))] == ["1.0", "2.5e-07", "inf"]
