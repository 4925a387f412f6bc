"""Lists of doubtful test images, in data/reference: near-duplicates of other images, and labels that people doubted.

Each file is a CSV with its source in comment lines on top, and a column ``index``: images counted from 0 in the order of
the official test set.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from study.base.errors import StudyError, one_line, told
from study.design.cells import DATA

NEAR_DUPLICATES, DOUBTED_LABELS = "near_duplicates", "doubted_labels"
LISTS = {NEAR_DUPLICATES: "without near-duplicates", DOUBTED_LABELS: "without doubted labels"}


def read_list(path: Path) -> frozenset[int]:
    """The indices in ``path``; StudyError names the line that is wrong."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader((line for line in file if not line.startswith("#")), strict=True)
            names, rows = reader.fieldnames or [], list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise StudyError(f"{path} is damaged ({one_line(error)}); git checkout {path} brings it back.") from None
    if "index" not in names:
        raise StudyError(f"{path} has no column index; git checkout {path} brings it back.")
    indices: set[int] = set()
    for number, row in enumerate(rows, start=2):
        text = str(row["index"])
        if not re.fullmatch("[0-9]{1,18}", text) or int(text) in indices:
            raise StudyError(
                f"{path}, row {number}: index is {told(text)}; it must be a whole number from 0, and stand there once."
            )
        indices.add(int(text))
    return frozenset(indices)


def read_lists(images: Mapping[str, int], folder: Path = DATA / "reference") -> dict[str, dict[str, frozenset[int]]]:
    """For each kind of list, the indices for each dataset that has one. ``images``: the size of each dataset's test set.

    A dataset's list is ``<dataset>_<kind>.csv``. StudyError where an index lies outside the test set.
    """
    return {kind: dict(_lists(images, folder, kind)) for kind in LISTS}


def _lists(images: Mapping[str, int], folder: Path, kind: str) -> Iterable[tuple[str, frozenset[int]]]:
    for dataset, count in images.items():
        path = folder / f"{dataset}_{kind}.csv"
        if path.is_file():
            indices = read_list(path)
            if indices and max(indices) >= count:
                raise StudyError(f"{path}: index {max(indices)} is beyond the {count} test images of {dataset}.")
            yield dataset, indices
