"""`format: parquet`: files of the Hugging Face hub's form, a column of images ({bytes, path}) and one of labels.

Parts are known by the files' names, as on the hub: train-00000-of-00002.parquet, test-00000-of-00001.parquet. Labels are
whole numbers, whose names stand in the file where the hub wrote it, or texts.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.base.console import say
from study.base.errors import StudyError, one_line
from study.data.assemble import Images, check_classes
from study.data.decode import Item
from study.data.folder import TESTS
from study.data.share import held_out
from study.data.walk import in_bytes, some

BATCH = 256  # rows that are in memory at a time
_MISSING = "format parquet needs pyarrow; run pip install -r requirements-parquet.txt."


@dataclass(frozen=True)
class _Rows:
    """The rows of ``files`` (those that ``chosen`` marks; None for all) as items, read anew whenever they are gone through."""

    files: list[Path]
    labels: NDArray[np.int64]
    image: str
    chosen: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.labels) if self.chosen is None else int(self.chosen.sum())

    def __iter__(self) -> Iterator[Item]:
        row = -1
        for file in self.files:
            number = -1
            for batch in _open(file).iter_batches(batch_size=BATCH, columns=[self.image]):
                for image in batch.column(0):
                    row, number = row + 1, number + 1
                    if self.chosen is None or self.chosen[row]:
                        yield Item(f"{file.name}:{number}", _content(image.as_py(), file), int(self.labels[row]))


def read(path: Path, options: Mapping[str, Any]) -> Images:
    """The images in the file or folder ``path``; ``options``: image and label name columns, test is the share for testing."""
    parts = _parts(path)
    values, names = _labels([file for files in parts.values() for file in files], options)
    counts = [sum(_open(file).metadata.num_rows for file in files) for files in parts.values()]
    classes, numbers = _classes(values, names, path)
    check_classes(classes)
    labels = dict(zip(parts, np.split(numbers, np.cumsum(counts)[:-1]), strict=True))
    hidden = int((labels["train"] < 0).sum())
    if hidden:
        raise StudyError(f"{path} has {hidden:,} train images without a label (-1); remove them.")
    train = _Rows(parts["train"], labels["train"], options["image"])
    test = next((part for part in TESTS if part in parts and (labels[part] >= 0).all()), None)  # the hub hides labels as -1
    unread = [part for part in parts if part not in ("train", test)]
    if unread:
        say(f"{path}: {', '.join(unread)} not read")
    share = options["test"]
    if test is not None:
        if share is not None:
            raise StudyError(f"{path} has {test} files already; take `test` out of the dataset's source in params.yaml.")
        tested = _Rows(parts[test], labels[test], options["image"])
    elif share is None:
        raise StudyError(f"{path} has no test files; write the share for testing into params.yaml, such as test: 0.2.")
    else:
        chosen = held_out(labels["train"], classes, share)
        train, tested = replace(train, chosen=~chosen), replace(train, chosen=chosen)
    files = {file.name: file for file in (*train.files, *tested.files)}
    return Images(classes, train, tested, files)


def _parts(path: Path) -> dict[str, list[Path]]:
    """Files by part, "train" first; a single file, or files of which none is called like a part, are all train."""
    files = [path] if path.is_file() else sorted(path.rglob("*.parquet"), key=lambda file: in_bytes(file.as_posix()))
    if not files:
        raise StudyError(f"{path} has no .parquet file; put those of the dataset there.")
    parts: dict[str, list[Path]] = {"train": []}
    for file in files:
        known = [part for part in ("train", *sorted(TESTS, key=len, reverse=True)) if file.name.lower().startswith(part)]
        parts.setdefault(known[0] if known else "train", []).append(file)
    if not parts["train"]:
        raise StudyError(f"{path} has no file for training, such as train-00000-of-00001.parquet; put it there.")
    return parts


def _open(file: Path) -> Any:
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise StudyError(_MISSING) from None
    try:
        return ParquetFile(file)
    except (OSError, ValueError) as error:
        raise StudyError(f"{file} is no whole parquet file ({one_line(error)[:200]}); fetch it again.") from None


def _labels(files: list[Path], options: Mapping[str, Any]) -> tuple[list[Any], list[str] | None]:
    """All labels, file by file, and the classes' names where the first file says them."""
    values: list[Any] = []
    names: list[str] | None = None
    for file in files:
        opened = _open(file)
        absent = [name for name in (options["image"], options["label"]) if name not in opened.schema_arrow.names]
        if absent:
            raise StudyError(f"{file} has no column {' and '.join(absent)}; there are {', '.join(opened.schema_arrow.names)}.")
        if not values:
            told = json.loads((opened.schema_arrow.metadata or {}).get(b"huggingface", b"{}"))
            names = told.get("info", {}).get("features", {}).get(options["label"], {}).get("names")
        values += opened.read(columns=[options["label"]]).column(0).to_pylist()
    if any(isinstance(value, list | dict) for value in values):
        raise StudyError(
            f"{files[0]} has several labels for an image in {options['label']}: another task; name a column of one."
        )
    return values, names


def _classes(values: list[Any], names: list[str] | None, path: Path) -> tuple[list[str], NDArray[np.int64]]:
    """Class names, and the number of each value's class; -1 where the value says that it is hidden."""
    kinds = {type(value) for value in values}
    if kinds == {int}:
        numbers = np.asarray(values, dtype=np.int64)
        if numbers.min() < -1 or (names is not None and numbers.max() >= len(names)):
            raise StudyError(
                f"{path} has labels from {numbers.min()} to {numbers.max()} for {len(names or ())} names; fetch it again."
            )
        return list(names) if names else [str(number) for number in range(numbers.max() + 1)], numbers
    if kinds == {str}:
        classes = sorted(set(values), key=in_bytes)
        known = {name: number for number, name in enumerate(classes)}
        return classes, np.asarray([known[value] for value in values], dtype=np.int64)
    found = some(sorted(kind.__name__ for kind in kinds))
    raise StudyError(f"{path} has labels of the kind {found}; they must be whole numbers or texts, without gaps.")


def _content(image: Any, file: Path) -> bytes | str:
    """The bytes of an image, or the path of its file where the row has that instead."""
    if isinstance(image, Mapping):
        if image.get("bytes") is not None:
            return bytes(image["bytes"])
        return str(file.parent / image["path"]) if image.get("path") else b""
    return bytes(image) if isinstance(image, bytes) else b""
