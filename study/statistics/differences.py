"""The published differences of top-1 errors, in data/reference/published_differences.csv with their source: four decimals.

They were made from unrounded errors, so that they are finer than the differences of the errors in data/reference/published.csv.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from study.base.errors import StudyError, one_line
from study.design.cells import DATA, parse_fraction
from study.statistics.contrasts import Arm, Contrast, minus

COLUMNS = ["dataset", "model", "fraction", "less_dataset", "less_model", "less_fraction", "difference", "source"]


@dataclass(frozen=True)
class Difference:
    """error(``first``) - error(``second``), in [-1, 1]."""

    first: Arm
    second: Arm
    value: float


def read_differences(path: Path = DATA / "reference" / "published_differences.csv") -> tuple[Difference, ...]:
    """Read ``path``; StudyError names the line that is wrong."""
    found = []
    for number, row in read_rows(path, COLUMNS):
        try:
            first = Arm(row["dataset"], row["model"], parse_fraction(row["fraction"]))
            second = Arm(row["less_dataset"], row["less_model"], parse_fraction(row["less_fraction"]))
            value = float(row["difference"])
        except (StudyError, TypeError, ValueError) as error:
            raise StudyError(f"{path}, line {number}: {error}") from None
        if not -1.0 <= value <= 1.0 or first == second:
            raise StudyError(f"{path}, line {number}: a difference of two arms must lie between -1 and 1.")
        found.append(Difference(first, second, value))
    return tuple(found)


def read_rows(path: Path, columns: list[str]) -> list[tuple[int, dict[str, str]]]:
    """The lines of a CSV in data/reference, numbered, below its header ``columns``. StudyError where one has other columns."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            names, rows = reader.fieldnames, [(reader.line_num, row) for row in reader]
    except FileNotFoundError:
        raise StudyError(f"{path} is missing; git checkout {path} brings it back.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise StudyError(f"{path} is damaged ({one_line(error)}); git checkout {path} brings it back.") from None
    if names != columns:
        raise StudyError(f"{path} must have the columns {', '.join(columns)}.")
    for number, row in rows:
        if None in row or None in row.values():  # more values than columns, or fewer
            raise StudyError(f"{path}, line {number}: must have the columns {', '.join(columns)}.")
    return rows


def resolved(contrast: Contrast, published: tuple[Difference, ...]) -> tuple[float, Contrast]:
    """``contrast`` as a sum of published differences and a rest: the sum's value, and the contrast that is left.

    Each kind of difference (between models, between datasets) is tried first, and the way that leaves least is taken.
    """
    within = [each for each in published if each.first.dataset == each.second.dataset]
    across = [each for each in published if each.first.dataset != each.second.dataset]
    return min((_greedy(contrast, order) for order in (within + across, across + within)), key=lambda way: _size(way[1]))


def _greedy(contrast: Contrast, published: list[Difference]) -> tuple[float, Contrast]:
    value, left = 0.0, contrast
    for each in published:
        for sign in (1, -1):
            while left.get(each.first, 0) * sign > 0 and left.get(each.second, 0) * sign < 0:
                left = minus(left, {each.first: sign, each.second: -sign})
                value += sign * each.value
    return value, left


def _size(contrast: Contrast) -> int:
    return sum(abs(weight) for weight in contrast.values())
