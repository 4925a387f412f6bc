"""`format: csv`: a table with a row per image, its file in one column and its class in another."""

import csv
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from study.base.console import say
from study.base.errors import LONGEST, StudyError, counted, listed
from study.data.assemble import Images, check_classes
from study.data.composed import on_disk
from study.data.decode import Item
from study.data.layout import TESTS, TRAINS
from study.data.place import by_archive
from study.data.several_labels import refuse_several
from study.data.share import held_out
from study.data.walk import in_bytes

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
Row = tuple[str, str, str]  # file as listed, class, part ("" where there is no such column)


def read(path: Path, options: Mapping[str, Any]) -> Images:
    """The images that the table ``path`` lists, in order of their names. Raises StudyError.

    ``options``: image, label and split name columns; ``images`` is the folder that the files are below, seen from the table
    (None: that of the table); ``test`` is the share for testing where there is no column split.
    """
    if path.is_dir():
        raise StudyError(f"{path} is no table; write the path of the table in it: as `inside` for an archive, else as `path`.")
    rows = sorted(_rows(path, options), key=lambda row: in_bytes(row[0]))
    labels = [label for _, label, _ in rows]
    refuse_several(path, labels)
    classes = _classes(path, labels)
    check_classes(classes)
    numbers = {name: number for number, name in enumerate(classes)}
    folder = path.parent / (options["images"] or "")
    files = _files(path, folder, rows, bool(options.get("inside")))
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
            mark = max(headers, key=lambda mark: (len(set(names) & set(headers[mark])), len(headers[mark])))
            header = headers[mark]
            if absent := [name for name in names if name not in header]:
                there = listed([name[:LONGEST] for name in header], 20) or "none"
                raise StudyError(f"{path} has no column {' and '.join(absent)}; there are {there}.")
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


def _files(path: Path, folder: Path, rows: Sequence[Row], packed: bool) -> list[str]:
    """The file of each row, below ``folder``. Raises StudyError where one is not there, or listed twice."""
    found = on_disk(os.path.join(folder, file) for file, _, _ in rows)  # noqa: PTH118 (strings: there may be millions)
    files = [file for file in found if file is not None]
    if absent := [file for (file, _, _), there in zip(rows, found, strict=True) if there is None]:
        way_out = "put them there, or write images: the folder that they are below, as seen from the table's"
        if packed:
            way_out = (
                "write images: the folder in the archive that they are below, as seen from that of the table which inside: "
                "names, such as ../images"
            )
        said = counted(len(absent), "file that is", "files that are")
        raise StudyError(f"{path} lists {said} not in {folder}: {listed(absent)}; {way_out}.")
    if twice := [file for file, number in Counter(files).items() if number > 1]:
        names = listed([os.path.relpath(file, folder) for file in twice])
        raise StudyError(
            f"{path} lists {counted(len(twice), 'image')} more than once: {names}; list each once, with its one label "
            f"(several labels for an image are another task)."
        )
    return files


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
    parts = ["train" if part.lower() in TRAINS else part.lower() for _, _, part in rows]
    unknown = sorted(set(parts) - {"train", *TESTS}, key=in_bytes)
    if unknown:
        known = ", ".join((*TRAINS, *TESTS))
        raise StudyError(f"{path} has {listed(unknown)!r} in the column {column}; there may be {known}.")
    chosen = next((name for name in TESTS if name in parts), None)
    passed = sum(part not in ("train", chosen) for part in parts)
    if passed:
        others = counted(passed, "row of other parts is", "rows of other parts are")
        say(by_archive(f"{path}: {chosen} is the test set; {others} not read"))
    return [None if part not in ("train", chosen) else part == chosen for part in parts]
