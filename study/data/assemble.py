"""From lists of image files to a Dataset: both parts decoded, unreadable files dealt with, the digest checked."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from study.base.console import say
from study.base.errors import StudyError, counted, listed, plain
from study.data import place
from study.data.archive import ENDINGS as ARCHIVES
from study.data.dataset import Dataset
from study.data.decode import Decoded, Item, decode
from study.data.walk import in_bytes
from study.data.watched import is_watched, refuse


class Counted(Protocol):
    """Items that can be gone through, and whose number is known before."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Item]: ...


@dataclass(frozen=True)
class Images:
    """A dataset before it is decoded: the class names, and for train and test the images.

    ``tables`` are files by name, besides those of the images, that the dataset is made of: they belong to its digest. ``below``
    is the folder that all files lie below, where that need not be the dataset's path.
    """

    classes: Sequence[str]
    train: Counted
    test: Counted
    tables: Mapping[str, Path] = field(default_factory=dict)
    below: Path | None = None

    def assembled(self, options: Mapping[str, Any], draft: Path) -> Dataset:
        """The dataset; its images are memory maps of .npy files in the folder ``draft``.

        ``options``: side, fit, unreadable ("stop" or "skip") and, where there is a digest, path, sha256, md5 (None: said, not
        checked) and dataset (its name: then md5 must be given where DVC does not see the files). Raises StudyError.
        """
        check_classes(self.classes)
        unseen = "md5" in options and self._unseen(options, draft)
        side, fit = options["side"], options["fit"]
        parts = {"train": self.train, "test": self.test}
        done = {part: decode(items, len(items), side, fit, draft / f"{part}_images.npy") for part, items in parts.items()}
        _unreadable([failure for decoded in done.values() for failure in decoded.unreadable], options["unreadable"] == "skip")
        if "md5" in options:
            found = digest(self._sums(done.values()))
            # Known only now: the folders of images that rows of a table name instead of holding them.
            beside = {folder for items in parts.values() for folder in getattr(items, "beside", ())}
            if beside and options.get("dataset"):
                unseen = unseen or not is_watched(os.path.commonpath(beside), options["dataset"])
            if options["md5"] is None and unseen:
                packed = not options.get("sha256") and options["path"].lower().endswith(ARCHIVES)
                refuse(options["path"], options["dataset"], found, packed)
            _check_digest(found, options["md5"])
        train, test = (_arrays(decoded, draft / f"{part}_images.npy") for part, decoded in done.items())
        _check_parts(train[1], test[1], self.classes)
        return Dataset(*train, *test, tuple(self.classes))

    def _unseen(self, options: Mapping[str, Any], draft: Path) -> bool:
        """Whether files can change that DVC does not watch, and that lie in no archive of a known sha256."""
        dataset = options.get("dataset")
        if not dataset:
            return False
        places = [] if options.get("sha256") else [place.found(options["path"])]
        if self.below is not None and not self.below.is_relative_to(os.path.abspath(draft)):  # noqa: PTH100
            places.append(self.below)
        return not all(is_watched(each, dataset) for each in places)

    def _sums(self, done: Iterable[Decoded]) -> Iterator[tuple[str, str]]:
        for decoded in done:
            yield from decoded.sums
        for name, path in self.tables.items():
            with path.open("rb") as file:
                yield name, hashlib.file_digest(file, _md5).hexdigest()


def digest(sums: Iterable[tuple[str, str]]) -> str:
    """The md5 of a list of files, given their names and md5 sums: of what ``md5sum`` prints for them in order of names."""
    lines = sorted((in_bytes(name), md5.encode("ascii")) for name, md5 in sums)
    return str(_md5(b"".join(md5 + b"  " + name + b"\n" for name, md5 in lines)).hexdigest())


def check_classes(classes: Sequence[str], way_out: str = "") -> None:
    """Raise StudyError where there are fewer than two classes (``way_out`` ends it), or a name cannot stand in a table."""
    if len(classes) < 2:
        named = f"one class, {classes[0]}" if classes else "no class"
        raise StudyError(f"the dataset has {named}; there is nothing to tell apart: it takes two at least{way_out}.")
    if len(set(classes)) < len(classes):
        twice = sorted({name for name in classes if classes.count(name) > 1})
        raise StudyError(f"the dataset has two classes of one name: {listed(twice)}; give each a name of its own.")
    for name in classes:
        if not name.isprintable() or not name.strip():
            raise StudyError(f"the class name {name!r} cannot be printed in a table; rename it, in UTF-8 and on one line.")


def _check_parts(train: NDArray[Any], test: NDArray[Any], classes: Sequence[str]) -> None:
    counts = np.bincount(train, minlength=len(classes))
    absent = [name for name, count in zip(classes, counts, strict=True) if not count]
    if absent:
        raise StudyError(
            f"{len(absent):,} of {len(classes):,} classes have no train image: {listed(absent)}; add some, or remove the class."
        )
    if not len(test):
        raise StudyError("the dataset has no test image; add some, or give the share `test` in params.yaml.")


def _unreadable(failures: list[tuple[str, str]], skip: bool) -> None:
    if not failures:
        return
    told = [f"{name} ({reason})" for name, reason in failures]
    for each in told:  # all of them, so that they can be mended at once
        say(f"unreadable: {plain(each)}")
    if skip:
        say(f"skipped {counted(len(told), 'unreadable image')}: {plain(listed(told))}")
        return
    raise StudyError(
        f"{counted(len(told), 'image')} cannot be read: {listed(told)}; mend or remove {'them' if told[1:] else 'it'}, or "
        f"write unreadable: skip into the dataset's source in params.yaml."
    )


def _check_digest(found: str, expected: str | None) -> None:
    if expected is None:
        say(f"md5 of the list of files: {found}")
    elif found != expected:
        raise StudyError(
            f"the dataset's list of files has the md5 {found} instead of {expected}: files were added, removed or changed; "
            f"bring the old ones back, or write the new md5 into the dataset's source in params.yaml."
        )


def _md5(content: bytes = b"") -> Any:
    return hashlib.md5(content, usedforsecurity=False)


def _arrays(decoded: Decoded, path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Images (N, side, side, 3) as a memory map of the file ``path``, and labels (N,)."""
    labels = np.asarray(decoded.labels, dtype=np.int64)
    return np.load(path, mmap_mode="r" if len(labels) else None, allow_pickle=False), labels
