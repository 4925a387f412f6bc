"""Lists of doubtful test images, in data/reference: near-duplicates of other images, and labels that people doubted.

Each file is a CSV with its source in comment lines on top, and a column ``index``: images counted from 0 in the order of
the official test set.
"""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from study.base.errors import StudyError
from study.design.cells import DATA

NEAR_DUPLICATES, DOUBTED_LABELS = "near_duplicates", "doubted_labels"
LISTS = {NEAR_DUPLICATES: "without near-duplicates", DOUBTED_LABELS: "without doubted labels"}


def read_list(path: Path) -> frozenset[int]:
    """The indices in ``path``; StudyError names the line that is wrong."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = [line for line in file if not line.startswith("#")]
    reader = csv.DictReader(lines)
    indices: set[int] = set()
    for number, row in enumerate(reader, start=2):
        text = str(row.get("index"))
        if not text.isdecimal() or int(text) in indices:
            raise StudyError(f"{path}, row {number}: index is {text}; it must be a whole number from 0, and stand there once.")
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
