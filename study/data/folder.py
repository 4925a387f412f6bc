"""A folder of class folders of images; train/ and test/ (or val/) inside, or without them and divided here.

The order of images and classes is that of the bytes of their paths (in UTF-8, composed characters), whatever the file
system and the locale.
"""

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stages.lib.console import say
from stages.lib.engine.dataset import Dataset
from stages.lib.errors import StudyError
from study.data.assemble import assembled, some
from study.data.decode import Item
from study.data.image import ENDINGS

TESTS = ("test", "val", "valid", "validation")  # folders that are the test set, the first that has the classes of train/
ANNOTATIONS = "val_annotations.txt"  # Tiny ImageNet's own table: image, class and box, with tabs between


@dataclass
class Found:
    """What lies below a folder: images as (path below it, file), sorted, and what was passed over."""

    images: list[tuple[str, Path]]
    strays: list[str]
    empty: int


def load(options: Mapping[str, object], draft: Path) -> Dataset:
    """The dataset below the folder ``options["path"]``; images are memory maps of files in ``draft``."""
    root = Path(str(options["path"]))
    train, test = root / "train", next(root / name for name in TESTS if (root / name).is_dir())
    found = {"train": labelled(train), "test": labelled(test)}
    classes = sorted({name for name, _, _ in found["train"]}, key=lambda name: name.encode())
    label = {name: number for number, name in enumerate(classes)}
    parts = {
        part: [Item(f"{(train if part == 'train' else test).name}/{path}", file, label[name]) for name, path, file in items]
        for part, items in found.items()
    }
    table = test / ANNOTATIONS
    return assembled(parts, classes, options, draft, [table] if table.is_file() else [], root)


def labelled(folder: Path) -> list[tuple[str, str, Path]]:
    """Class, path and file of every image below ``folder``: the class is the first folder, or what the annotations say."""
    found = walk(folder)
    table = folder / ANNOTATIONS
    if table.is_file():
        lines = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines() if line]
        classes = {f"images/{line[0]}": line[1] for line in lines}
        found.strays.remove(ANNOTATIONS)
    else:
        classes = {path: path.split("/")[0] for path, _ in found.images if "/" in path}
    said = f"{folder}: {len(found.images):,} images"
    if found.strays or found.empty:
        said += f"; skipped {len(found.strays):,} files that are no images ({some(found.strays)}), {found.empty} empty folders"
    say(said)
    return [(classes[path], path, file) for path, file in found.images]


def walk(folder: Path) -> Found:
    """All images below ``folder``, known by their endings, sorted by the bytes of their paths below it."""
    found = Found([], [], 0)
    for directory, subfolders, names in os.walk(folder, followlinks=True):
        found.empty += not subfolders and not names
        for name in names:
            file = Path(directory, name)
            path = unicodedata.normalize("NFC", file.relative_to(folder).as_posix())
            if name.startswith(".") or not name.lower().endswith(ENDINGS):
                found.strays.append(path)
            else:
                found.images.append((path, file))
    found.images.sort(key=lambda entry: os.fsencode(entry[0]))
    found.strays.sort(key=os.fsencode)
    if not found.images:
        raise StudyError(f"{folder} holds no images.")
    return found
