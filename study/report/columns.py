"""A table as data: one list of columns over one list of records, written as Markdown or HTML, and as CSV with twelve digits."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from study.report.numbers import NONE, percent_with_interval
from study.statistics.estimate import Estimate

Value = str | int | float | None
_BOUND = re.compile(r"^(under|over|more than|less than) ")


@dataclass(frozen=True)
class Column:
    """One column. ``title`` stands above it on pages, ``name`` in the CSV; either may be empty, and is left out there.

    ``value`` takes it from a record; ``form`` writes it for people. A column of estimates takes three in the CSV: the
    value, and the ends of its interval as ``<name>_low`` and ``<name>_high``.
    """

    title: str
    name: str
    value: Callable[[Any], Any]
    form: Callable[[Any], str] = str
    interval: bool = False

    def names(self) -> tuple[str, ...]:
        """Its columns in the CSV."""
        return (self.name, f"{self.name}_low", f"{self.name}_high") if self.interval else (self.name,)

    def values(self, record: Any) -> tuple[Value, ...]:
        """What they hold for ``record``."""
        value = self.value(record)
        if not self.interval:
            return (value,)
        return (value.value, value.low, value.high) if isinstance(value, Estimate) else (None, None, None)


def estimate(title: str, name: str, value: Callable[[Any], Any], form: Callable[[Any], str] = percent_with_interval) -> Column:
    """A column of estimates with their intervals."""
    return Column(title, name, value, form, interval=True)


@dataclass(frozen=True)
class Table:
    """``name`` is that of its files. ``notes`` stand below it. Pages show ``shown`` records, the CSV holds ``records``."""

    name: str
    title: str
    columns: tuple[Column, ...]
    records: tuple[Any, ...]
    notes: tuple[str, ...] = ()
    shown: tuple[Any, ...] | None = None

    @property
    def header(self) -> tuple[str, ...]:
        """Titles of the columns that pages show."""
        return tuple(column.title for column in self.columns if column.title)

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """What pages show, as text."""
        records = self.records if self.shown is None else self.shown
        return [tuple(_text(column, record) for column in self.columns if column.title) for record in records]

    def markdown(self) -> str:
        """The table with its notes, without its title."""
        rows = self.rows
        align = ["---:" if numeric(rows, place) else "---" for place in range(len(self.header))]
        lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (self.header, align, *rows)]
        return "\n".join(lines) + "\n" + "".join(f"\n{note}\n" for note in self.notes)

    def csv(self) -> str:
        """Errors and effects are shares (not percent or points); what is not there is empty."""
        columns = [column for column in self.columns if column.name]
        header = [name for column in columns for name in column.names()]
        return to_csv(header, ([value for column in columns for value in column.values(record)] for record in self.records))


def numeric(rows: Sequence[Sequence[str]], place: int) -> bool:
    """Whether a column holds nothing but numbers (with intervals, or "under" one) and gaps, and is aligned right."""
    return all(row[place] == NONE or _BOUND.sub("", row[place])[:1] in set("0123456789+−∞") for row in rows)


def to_csv(columns: Sequence[str], data: Iterable[Sequence[Value]]) -> str:
    """Comma-separated, one line a row, floats as ``digits`` writes them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([digits(value) if isinstance(value, float) else value for value in row] for row in data)
    return text.getvalue()


def digits(value: Any) -> str:
    """A number to twelve significant digits: those beyond are of the processor, which decides in which order sums are added."""
    return repr(float(f"{value:.12g}"))


def _text(column: Column, record: Any) -> str:
    value = column.value(record)
    return NONE if value is None else column.form(value)
