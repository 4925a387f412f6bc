"""A table in two forms: for reading, as Markdown in percent and points, and for machines, as CSV with all digits."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from study.statistics.estimates import Estimate

Value = str | int | float | None
NONE = "–"


@dataclass(frozen=True)
class Table:
    """``name`` is that of its files; ``rows`` are for people under ``header``; ``data`` for machines under ``columns``.

    ``notes`` stand below it: what the intervals are for, and which cells are missing.
    """

    name: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    columns: tuple[str, ...]
    data: tuple[tuple[Value, ...], ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """The table with its notes, without its title."""
        align = ["---:" if self.numeric(place) else "---" for place in range(len(self.header))]
        lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (self.header, align, *self.rows)]
        return "\n".join(lines) + "\n" + "".join(f"\n{note}\n" for note in self.notes)

    def numeric(self, place: int) -> bool:
        """Whether a column holds nothing but numbers (with intervals) and gaps, and is aligned right."""
        return all(row[place] == NONE or row[place][:1] in set("0123456789+−") for row in self.rows)

    def csv(self) -> str:
        """Errors and effects are fractions (not percent or points); what is not there is empty."""
        return to_csv(self.columns, self.data)


def to_csv(columns: Sequence[str], data: Sequence[Sequence[Value]]) -> str:
    """Comma-separated, one line a row, floats with the digits that bring them back exactly."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(data)
    return text.getvalue()


def percent(share: float) -> str:
    """``0.1042`` as ``10.42``."""
    return f"{100 * share:.2f}"


def points(difference: float) -> str:
    """``-0.0612`` as ``−6.12``, with its sign."""
    return signed(100 * difference)


def signed(value: float, digits: int = 2) -> str:
    """With a plus or a minus sign; what rounds to nothing has neither."""
    text = f"{value:+.{digits}f}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", "−")


def percent_with_interval(estimate: Estimate | None) -> str:
    """``10.42 [9.83, 11.02]``."""
    return _with_interval(estimate, percent)


def points_with_interval(estimate: Estimate | None) -> str:
    """``−6.12 [−6.70, −5.53]``."""
    return _with_interval(estimate, points)


def with_unit(estimate: Estimate | None, unit: str) -> str:
    """An effect's estimate in points, or a log ratio as it is."""
    return points_with_interval(estimate) if unit == "points" else _with_interval(estimate, signed)


def bounds(estimate: Estimate | None) -> tuple[Value, Value, Value]:
    """Value, low and high for a CSV."""
    return (None, None, None) if estimate is None else (estimate.value, estimate.low, estimate.high)


def _with_interval(estimate: Estimate | None, form: Callable[[float], str]) -> str:
    if estimate is None:
        return NONE
    if estimate.low is None or estimate.high is None:
        return form(estimate.value)
    return f"{form(estimate.value)} [{form(estimate.low)}, {form(estimate.high)}]"
