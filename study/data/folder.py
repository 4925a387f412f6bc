"""`format: folder`: a folder of images, a folder per class; with train/ and test/ (layout.py) inside, or divided here.

train/cat/one.jpg is of the class cat, and so is train/cat/more/two.jpg. Tiny ImageNet's own layout is read as it is:
there val/ has a table of images and classes instead of class folders.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from study.base.console import say
from study.base.errors import StudyError, counted, listed
from study.data.assemble import Images, check_classes
from study.data.decode import Item
from study.data.image import ENDINGS
from study.data.layout import TESTS, parts
from study.data.place import by_archive, written
from study.data.share import held_out
from study.data.walk import Found, in_bytes, tell, walk

ANNOTATIONS = "val_annotations.txt"  # Tiny ImageNet's table: image, class and box of each, with tabs between


@dataclass(frozen=True)
class _Part:
    """The images of one folder with their classes: path below it, file, class."""

    folder: Path
    images: list[tuple[str, str, str]]
    found: Found
    table: Path | None

    @property
    def classes(self) -> set[str]:
        return {name for _, _, name in self.images}


def read(root: Path, options: Mapping[str, Any]) -> Images:
    """The images below the folder ``root``; ``options["test"]`` is the share for testing where root has no test set.

    Raises StudyError where classes or parts cannot be told.
    """
    if not root.is_dir():
        raise StudyError(f"{root} is not a folder; format folder reads a folder, or a .zip or .tar of one.")
    train, tests = parts(root)
    if train is not None:
        return _divided(root, train, tests, options["test"])
    part = _strict(root)
    classes = sorted(part.classes, key=in_bytes)
    check_classes(classes, _deeper(part) if len(classes) == 1 else "")
    if options["test"] is None:
        raise StudyError(
            f"{root} has no train/ and test/; write the share for testing into params.yaml, such as test: 0.2, if "
            f"{listed(classes)} are its classes."
        )
    numbers = {name: number for number, name in enumerate(classes)}
    labels = np.array([numbers[name] for _, _, name in part.images])
    test = held_out(labels, classes, options["test"])
    items = [Item(path, file, numbers[name]) for path, file, name in part.images]
    return Images(
        classes,
        [item for item, tested in zip(items, test, strict=True) if not tested],
        [item for item, tested in zip(items, test, strict=True) if tested],
    )


def _deeper(part: _Part) -> str:
    """The way out where all images of ``part`` lie in one folder that has further ones; empty where it has not."""
    folders = [path.split("/")[:-1] for path, _, _ in part.images]
    ends = zip(min(folders), max(folders), strict=False)
    common = [name for name, _ in takewhile(lambda pair: pair[0] == pair[1], ends)]
    inner = sorted({below[len(common)] for below in folders if len(below) > len(common)}, key=in_bytes)
    if len(inner) < 2:
        return ""
    return f"; if the folders in it are meant ({listed(inner)}), write {written(Path(part.folder, *common))}"


def _divided(root: Path, train_folder: Path, tests: list[Path], share: float | None) -> Images:
    """The images of ``root``, which has ``train_folder`` inside; the test set is among ``tests``."""
    train = _strict(train_folder)
    test = _test(root, train, tests, share)
    if share is not None:
        raise StudyError(f"{test.folder} is a test set already; take `test` out of the dataset's source in params.yaml.")
    tell(test.folder, test.found, len(test.images))
    read = {train_folder, *tests}
    others = [each.name for each in root.iterdir() if each.is_dir() and each not in read and not each.name.startswith(".")]
    if others:
        say(by_archive(f"{root}: beside train and test images, {listed(sorted(others, key=in_bytes))} not read"))
    unknown = sorted(test.classes - train.classes, key=in_bytes)
    if unknown:
        raise StudyError(
            f"{test.folder} has {counted(len(unknown), 'class', 'classes')} without an image in {train.folder}: "
            f"{listed(unknown)}; add train images, or remove the class."
        )
    classes = sorted(train.classes, key=in_bytes)
    numbers = {name: number for number, name in enumerate(classes)}
    tables = {f"{part.folder.name}/{ANNOTATIONS}": part.table for part in (train, test) if part.table}
    return Images(classes, _items(train, numbers), _items(test, numbers), tables)


def _items(part: _Part, numbers: Mapping[str, int]) -> list[Item]:
    return [Item(f"{part.folder.name}/{path}", file, numbers[name]) for path, file, name in part.images]


def _test(root: Path, train: _Part, tests: list[Path], share: float | None) -> _Part:
    """The first of ``tests`` with classes of ``train``; those after it, or without such images, are named on one line."""
    chosen: _Part | None = None
    passed = []
    for folder in tests:
        part = _part(folder) if chosen is None else None
        if part is not None and train.classes & part.classes:
            chosen = part
        else:
            passed.append(folder.name)
    if chosen is None:
        tried = f"{' and '.join(f'{name}/' for name in passed)} without any class of it" if passed else "neither test/ nor val/"
        raise StudyError(
            f"{root} has {train.folder.name}/ and {tried}; write {written(train.folder)}, which test: {share or 0.2} then "
            f"divides, or put a folder per class of test images into {root / TESTS[0]}."
        )
    if passed:
        say(by_archive(f"{root}: {chosen.folder.name}/ is the test set; {', '.join(passed)} not read"))
    return chosen


def _strict(folder: Path) -> _Part:
    """The images of ``folder``, told on a line; StudyError where it has none, or none in a class folder."""
    part = _part(folder)
    if not part.images:
        if part.found.images:
            raise StudyError(
                f"{folder} has images and no class folders; put the images of each class into a folder of its own."
            )
        strays = f" but {counted(len(part.found.strays), 'other file')}" if part.found.strays else ""
        raise StudyError(
            f"{folder} holds no images{strays}; put a folder per class there, with its images inside ({', '.join(ENDINGS)})."
        )
    tell(folder, part.found, len(part.images))
    return part


def _part(folder: Path) -> _Part:
    """The images of ``folder`` that lie in class folders, or that its table lists; what else lies there are strays."""
    found = walk(folder)
    table = folder / ANNOTATIONS
    if table.is_file():
        found.strays.remove(ANNOTATIONS)
        return _Part(folder, _annotated(table, found), found, table)
    found.strays += [path for path in found.images if "/" not in path]
    return _Part(folder, [(path, file, path.split("/")[0]) for path, file in found.images.items() if "/" in path], found, None)


def _annotated(table: Path, found: Found) -> list[tuple[str, str, str]]:
    """Path, file and class of the images that Tiny ImageNet's ``table`` lists, in order of paths."""
    try:
        lines = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines() if line]
        classes = {f"images/{line[0]}": line[1] for line in lines}
    except (IndexError, UnicodeDecodeError):
        raise StudyError(f"{table} is damaged; every line must have an image, a tab and its class.") from None
    absent = sorted(set(classes) - set(found.images), key=in_bytes)
    if absent:
        said = counted(len(absent), "image that is", "images that are")
        raise StudyError(f"{table} lists {said} not here: {listed(absent)}; unpack the dataset again.")
    found.strays += [path for path in found.images if path not in classes]
    return [(path, file, classes[path]) for path, file in found.images.items() if path in classes]
