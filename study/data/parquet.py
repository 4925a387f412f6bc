"""`format: parquet`: files of the Hugging Face hub's form, a column of images ({bytes, path}) and one of labels.

Parts are known by the files' names, as on the hub (train-00000-of-00002.parquet, test-00000-of-00001.parquet), or by those of
their folders, as the hub's own copies have them (train/0000.parquet). Labels are whole numbers, whose names stand in the file
where the hub wrote it, or texts.
"""

import json
import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.base.console import say
from study.base.errors import StudyError, counted, listed, one_line
from study.data.assemble import Images, check_classes
from study.data.decode import Item
from study.data.layout import TESTS
from study.data.several_labels import refuse_several
from study.data.share import held_out
from study.data.walk import in_bytes, walk

BATCH = 32  # rows that are in memory at a time
PARTS = ("train", *sorted(TESTS, key=len, reverse=True))  # "validation" before "val", with which it begins too
_MISSING = "format parquet needs pyarrow; run pip install -r requirements-parquet.txt."


@dataclass(frozen=True)
class _Rows:
    """The rows of ``files``, paths by name (those that ``chosen`` marks; None for all), as items; each pass reads them anew."""

    files: Mapping[str, Path]
    labels: NDArray[np.int64]
    image: str
    chosen: NDArray[np.bool_] | None = None
    beside: set[str] = field(default_factory=set)  # the folders of images that rows name instead of holding them

    def __len__(self) -> int:
        return len(self.labels) if self.chosen is None else int(self.chosen.sum())

    def __iter__(self) -> Iterator[Item]:
        row = 0
        for name, file in self.files.items():
            with _opened(file) as opened:
                batches = opened.iter_batches(batch_size=BATCH, columns=[self.image])
                for number, image in enumerate(chain.from_iterable(batch.column(0) for batch in batches)):
                    if self.chosen is None or self.chosen[row]:
                        content = _content(image.as_py(), file)
                        if isinstance(content, str):
                            self.beside.add(os.path.dirname(os.path.abspath(content)))  # noqa: PTH100, PTH120
                        yield Item(f"{name}:{number}", content, int(self.labels[row]))
                    row += 1


def read(path: Path, options: Mapping[str, Any]) -> Images:
    """The images in the file or folder ``path``; ``options``: image and label name columns, test is the share for testing.

    Raises StudyError; what is no image is told when it is decoded.
    """
    parts = _parts(path)
    values = {part: _labels(files.values(), options) for part, files in parts.items()}
    names = _same_names(list(chain(*(files.values() for files in parts.values()))), options["label"])
    classes, numbers = _classes(list(chain(*values.values())), names, path)
    check_classes(classes)
    ends = np.cumsum([len(each) for each in values.values()])
    labels = dict(zip(parts, np.split(numbers, ends[:-1]), strict=True))
    hidden = int((labels["train"] < 0).sum())
    if hidden:
        raise StudyError(
            f"{path} has {counted(hidden, 'train image')} without a label (-1); remove {'them' if hidden > 1 else 'it'}."
        )
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
    return Images(classes, train, tested, {**train.files, **tested.files})


def _parts(path: Path) -> dict[str, dict[str, Path]]:
    """Files by part and by name, which is the path below ``path``; "train" is first. A single file is all train."""
    if path.is_file():
        return {"train": {path.name: path}}
    parts: dict[str, dict[str, Path]] = {"train": {}}
    for below, file in walk(path, (".parquet",)).images.items():
        parts.setdefault(_part(Path(below)), {})[below] = Path(file)
    if not parts["train"]:
        raise StudyError(f"{path} has no .parquet file for training, such as train-00000-of-00001.parquet; put it there.")
    return parts


def _part(file: Path) -> str:
    """The part that ``file`` is of: its name begins so, or a folder of its path is called so; else train."""
    begun = [part for part in PARTS if file.name.lower().startswith(part)]
    called = [name for folder in file.parts[:-1] if (name := _part_name(folder)) in PARTS]
    return (begun or called or ["train"])[0]


def _part_name(folder: str) -> str:
    """``train`` of ``partial-train``, as the hub calls it, and of ``train.parquet``, a folder of files of Spark or Dask."""
    return folder.lower().removeprefix("partial-").removesuffix(".parquet")


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    """pyarrow's reader of ``file``; StudyError for whatever it meets in the block that is no parquet."""
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise StudyError(_MISSING) from None
    try:
        with ParquetFile(file, pre_buffer=False) as opened:  # else the whole column stays in memory
            yield opened
    except (OSError, ValueError) as error:
        raise StudyError(f"{file} is no whole parquet file ({one_line(error)[:200]}); fetch it again.") from None


def _labels(files: Iterable[Path], options: Mapping[str, Any]) -> list[Any]:
    """The labels in ``files``, one after the other. Raises StudyError where a column is missing, or has lists of labels."""
    values: list[Any] = []
    for file in files:
        with _opened(file) as opened:
            columns = opened.schema_arrow.names
            absent = [name for name in (options["image"], options["label"]) if name not in columns]
            if absent:
                raise StudyError(f"{file} has no column {' and '.join(absent)}; there are {', '.join(columns)}.")
            values += opened.read(columns=[options["label"]]).column(0).to_pylist()
        if any(isinstance(value, list | dict) for value in values):
            raise StudyError(
                f"{file} has several labels for an image in {options['label']}: another task; name a column of one."
            )
    return values


def _same_names(files: list[Path], label: str) -> list[str] | None:
    """The classes' names in ``files``. Raises StudyError where two of them have other names, or one has none."""
    names = _names(files[0], label)
    if other := next((file for file in files if _names(file, label) != names), None):
        raise StudyError(
            f"{other} numbers its classes otherwise than {files[0]}, so one number may be two classes; write the classes as "
            "texts, or let path name files of one kind."
        )
    return names


def _names(file: Path, label: str) -> list[str] | None:
    """The classes' names, where the hub wrote them into ``file``."""
    with _opened(file) as opened, suppress(KeyError, TypeError, ValueError):
        names = json.loads(opened.schema_arrow.metadata[b"huggingface"])["info"]["features"][label]["names"]
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return names
    return None


def _classes(values: list[Any], names: list[str] | None, path: Path) -> tuple[list[str], NDArray[np.int64]]:
    """Class names, and the number of each value's class; -1 where the value says that it is hidden."""
    if not values:
        raise StudyError(f"{path} has no rows; put an image in each.")
    kinds = {type(value) for value in values}
    if kinds == {int}:
        lowest, highest, most = min(values), max(values), len(names or values)
        if lowest < -1 or highest >= most:
            told = f"labels from {lowest} to {highest} for {most:,} {'names' if names else 'images'}"
            raise StudyError(f"{path} has {told}; number the classes from 0, without gaps, or name them by texts.")
        first = min((value for value in values if value >= 0), default=0)
        if first and not names:
            raise StudyError(
                f"{path} has labels from {first} to {highest}, and none is 0: they are numbered from 0; subtract {first}, or "
                f"name the classes by texts."
            )
        return names or [str(number) for number in range(highest + 1)], np.asarray(values, dtype=np.int64)
    if kinds == {str}:
        values = [unicodedata.normalize("NFC", value) for value in values]  # as the names of folders
        refuse_several(path, values)
        classes = sorted(set(values), key=in_bytes)
        known = {name: number for number, name in enumerate(classes)}
        return classes, np.asarray([known[value] for value in values], dtype=np.int64)
    found = listed(sorted(kind.__name__ for kind in kinds))
    raise StudyError(f"{path} has labels of the kind {found}; they must be whole numbers or texts, without gaps.")


def _content(image: Any, file: Path) -> bytes | str:
    """The bytes of an image, or the path of its file where the row has that instead; no bytes where it has neither."""
    content, path = (image.get("bytes"), image.get("path")) if isinstance(image, Mapping) else (image, None)
    if isinstance(content, bytes):
        return content
    return str(file.parent / path) if isinstance(path, str) and path else b""
