"""`format: csv`: a table with a row per image, its file in one column and its class in another."""

import csv
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from study.base.console import say
from study.base.errors import StudyError, listed
from study.data.assemble import Images, check_classes
from study.data.decode import Item
from study.data.folder import TESTS
from study.data.share import held_out
from study.data.walk import in_bytes

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_TOGETHER = "|;,"  # what stands between the labels where a row has several
Row = tuple[str, str, str]  # file as listed, class, part ("" where there is no such column)


def read(path: Path, options: Mapping[str, Any]) -> Images:
    """The images that the table ``path`` lists, in order of their names. Raises StudyError.

    ``options``: image, label and split name columns; ``images`` is the folder that the files are below, seen from the table
    (None: that of the table); ``test`` is the share for testing where there is no column split.
    """
    if path.is_dir():
        raise StudyError(f"{path} is a folder; write the path of the table in it: as `inside` for an archive, else as `path`.")
    rows = sorted(_rows(path, options), key=lambda row: in_bytes(row[0]))
    labels = [label for _, label, _ in rows]
    _single(path, rows)
    classes = _classes(path, labels)
    check_classes(classes)
    numbers = {name: number for number, name in enumerate(classes)}
    folder = path.parent / (options["images"] or "")
    files = [os.path.join(folder, file) for file, _, _ in rows]  # noqa: PTH118 (strings: there may be millions)
    absent = [file for (file, _, _), there in zip(rows, map(os.path.isfile, files), strict=True) if not there]
    if absent:
        raise StudyError(f"{path} lists {len(absent):,} files that are not in {folder}: {listed(absent)}; put them there.")
    names = [unicodedata.normalize("NFC", file) for file, _, _ in rows]
    items = [Item(name, file, numbers[label]) for name, file, label in zip(names, files, labels, strict=True)]
    test = _tested(path, rows, [item.label for item in items], classes, options)
    train_items = [item for item, part in zip(items, test, strict=True) if part is False]
    test_items = [item for item, part in zip(items, test, strict=True) if part is True]
    below = os.path.commonpath([os.path.abspath(each) for each in (str(path), *files)])  # noqa: PTH100
    return Images(classes, train_items, test_items, {path.name: path}, Path(below))


def _rows(path: Path, options: Mapping[str, Any]) -> list[Row]:
    """What the three columns say, row by row; the separator is the comma, semicolon or tab that gives these columns."""
    names = [options[key] for key in ("image", "label", "split") if options[key]]
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            headers = {mark: [cell.strip() for row in csv.reader([first], delimiter=mark) for cell in row] for mark in ",;\t"}
            mark = next((mark for mark, header in headers.items() if set(names) <= set(header)), None)
            if mark is None:
                wanted = " and ".join(names)
                raise StudyError(f"{path} has no columns {wanted}; its first line is {first.strip()[:200]!r}.")
            header = headers[mark]
            if any(header.count(name) > 1 for name in names):
                raise StudyError(f"{path} has two columns of one name; its first line is {first.strip()[:200]!r}: rename one.")
            places = [header.index(name) for name in names]
            rows = []
            for row in _cells(path, file, mark):
                if not any(row):
                    continue
                if any(row[len(header) :]):
                    raise StudyError(
                        f"{path} has a row of more cells than columns: {mark.join(row)[:200]!r}; put quotes around a cell "
                        f"with {mark!r} in it."
                    )
                image, label, *part = [row[place].strip() if place < len(row) else "" for place in places]
                if not image or not label:
                    raise StudyError(
                        f"{path} has a row without {' or '.join(names[:2])}: {mark.join(row)[:200]!r}; fill it in."
                    )
                label = unicodedata.normalize("NFC", label)  # as the names of folders
                rows.append((os.path.normpath(image.replace("\\", "/")), label, "".join(part)))
    except (UnicodeDecodeError, csv.Error) as error:
        raise StudyError(f"{path} is no table of text in UTF-8 with commas, semicolons or tabs ({error}).") from None
    if not rows:
        raise StudyError(f"{path} has no rows; list an image in each.")
    return rows


def _cells(path: Path, lines: Iterable[str], mark: str) -> Iterator[list[str]]:
    """The cells of each row below the first line. Raises StudyError where quotes do not enclose a whole cell."""
    reader = csv.reader(lines, delimiter=mark, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise StudyError(
            f"{path} is damaged up to line {reader.line_num + 1} ({error}); a cell that begins with a quote must end with one, "
            f"and quotes inside it are doubled."
        ) from None


def _single(path: Path, rows: Sequence[Row]) -> None:
    """Raise StudyError where an image is listed twice, or has several labels in one field."""
    twice = sorted({file for (file, _, _), (other, _, _) in pairwise(rows) if file == other}, key=in_bytes)
    if twice:
        raise StudyError(
            f"{path} lists {len(twice):,} images more than once: {listed(twice)}; list each once, with its one label "
            f"(several labels for an image are another task)."
        )
    labels = {label for _, label, _ in rows}
    for label in sorted(labels, key=in_bytes):
        for mark in _TOGETHER:
            pieces = [piece.strip() for piece in label.split(mark)]
            if len(pieces) > 1 and labels.issuperset(pieces):
                raise StudyError(
                    f"{path} has the label {label!r} besides {' and '.join(pieces)}: several labels for an image are another "
                    f"task; give each image one."
                )


def _classes(path: Path, labels: Sequence[str]) -> list[str]:
    """The different labels in order: of numbers where all are whole, else of bytes."""
    names = set(labels)
    if all(map(_NUMBER.fullmatch, names)):
        broken = sorted({name for name in names if not name.isdecimal()}, key=float)
        if broken:
            raise StudyError(
                f"{path} has labels that are not whole numbers from 0: {listed(broken)}; a label is a class, by name or number."
            )
        ordered = sorted(names, key=lambda name: (float(name), name))
        if same := [pair for pair in pairwise(ordered) if pair[0].lstrip("0") == pair[1].lstrip("0")]:
            raise StudyError(
                f"{path} has the labels {' and '.join(same[0])}, which are one number; write each class in one way, or by "
                "a name."
            )
        return ordered
    return sorted(names, key=in_bytes)


def _tested(
    path: Path, rows: Sequence[Row], labels: list[int], classes: list[str], options: Mapping[str, Any]
) -> list[bool | None]:
    """Whether each row is for testing; None for one that is for neither part."""
    share, column = options["test"], options["split"]
    if (share is None) == (column is None):
        raise StudyError(
            f"{path} needs either a column with train and test in it (split: its name) or the share for testing (test: 0.2) "
            f"in the dataset's source in params.yaml, and not both."
        )
    if share is not None:
        return [bool(part) for part in held_out(np.array(labels), classes, share)]
    parts = [part.lower() for _, _, part in rows]
    unknown = sorted(set(parts) - {"train", *TESTS}, key=in_bytes)
    if unknown:
        raise StudyError(f"{path} has {listed(unknown)!r} in the column {column}; there may be train, {', '.join(TESTS)}.")
    chosen = next((name for name in TESTS if name in parts), None)
    passed = sum(part not in ("train", chosen) for part in parts)
    if passed:
        say(f"{path}: {chosen} is the test set; {passed:,} rows of other parts are not read")
    return [None if part not in ("train", chosen) else part == chosen for part in parts]
