"""`format: torchvision`: datasets by torchvision's name, of which it knows the md5 of every official file.

The official files may lie by hand where torchvision puts them below its root (DATASETS_DIR, or the folder `path`); the
others are fetched. torchvision checks each md5 and unpacks in a folder of its own, so nothing unchecked is read.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from study.base.errors import StudyError, one_line
from study.data import place
from study.data.assemble import Images
from study.data.decode import Item
from study.data.transfer import Checksum, fetched

_File = tuple[str, str, str]  # path below torchvision's root, URL, md5


@dataclass(frozen=True)
class _Known:
    """How torchvision's reader tells its files, and what it calls its parts."""

    files: Callable[[Any], list[_File]]
    train: Mapping[str, Any]
    test: Mapping[str, Any]


def _svhn(reader: Any) -> list[_File]:
    return [(name, url, md5) for url, name, md5 in (reader.split_list[part] for part in ("train", "test"))]


def _mnist(reader: Any) -> list[_File]:
    return [(f"{reader.__name__}/raw/{name}", f"{reader.mirrors[0]}{name}", md5) for name, md5 in reader.resources]


def _flowers(reader: Any) -> list[_File]:
    return [(f"flowers-102/{name}", f"{reader._download_url_prefix}{name}", md5) for name, md5 in reader._file_dict.values()]


def _one(folder: str) -> Callable[[Any], list[_File]]:
    return lambda reader: [(f"{folder}{reader._URL.rsplit('/', 1)[1]}", reader._URL, reader._MD5)]


_SPLITS = ({"split": "train"}, {"split": "test"})
_BOOLEAN = ({"train": True}, {"train": False})
KNOWN = {
    "DTD": _Known(_one("dtd/"), *_SPLITS),
    "FashionMNIST": _Known(_mnist, *_BOOLEAN),
    "Flowers102": _Known(_flowers, *_SPLITS),
    "Food101": _Known(_one(""), *_SPLITS),
    "KMNIST": _Known(_mnist, *_BOOLEAN),
    "MNIST": _Known(_mnist, *_BOOLEAN),
    "SVHN": _Known(_svhn, *_SPLITS),
}


@contextmanager
def images(options: Mapping[str, Any], workdir: Path, draft: Path) -> Iterator[Images]:
    """The images of torchvision's dataset ``options["name"]``, for the length of the block.

    What is unpacked lies below ``draft``, transfers in ``workdir``. Raises StudyError.
    """
    name = options["name"]
    known = KNOWN[name]
    try:
        reader = getattr(import_module("torchvision.datasets"), name)
    except ImportError as error:
        raise StudyError(f"format torchvision needs torchvision ({one_line(error)}); install requirements.txt.") from None
    root = draft / "torchvision"
    try:
        with ExitStack() as transfers:
            for below, url, md5 in known.files(reader):
                target = root / below
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(_file(transfers, below, url, md5, options["path"], workdir).resolve())
            sets = [_opened(reader, root, part) for part in (known.train, known.test)]
            yield _described(sets)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _file(transfers: ExitStack, below: str, url: str, md5: str, path: str | None, workdir: Path) -> Path:
    """The official file that lies at ``below``, by hand or fetched; its md5 is checked."""
    by_hand = place.beside(path, below)
    if by_hand is None:
        way_out = f"put it at {below} in a folder and name that in DATASETS_DIR"
        name = f"{md5[:12]}-{Path(below).name}"
        return transfers.enter_context(fetched(url, workdir, name, Checksum("md5", md5), way_out))
    found = Checksum("md5", md5).of(by_hand)
    if found != md5:
        raise StudyError(f"{by_hand} has the md5 {found} instead of the official {md5}; put the official file there.")
    return by_hand


def _opened(reader: Any, root: Path, part: Mapping[str, Any]) -> Any:
    """torchvision's dataset; the files lie in ``root`` already, so that it only checks and unpacks them."""
    paths = {"loader": str} if "loader" in reader.__init__.__annotations__ else {}  # then an image is its file's path
    try:
        return reader(str(root), download=True, **part, **paths)
    except (RuntimeError, OSError, ValueError, EOFError) as error:
        raise StudyError(
            f"torchvision cannot read {reader.__name__} ({one_line(error)}); put the official files there."
        ) from None


def _described(sets: list[Any]) -> Images:
    train, test = ([_item(index, *each[index]) for index in range(len(each))] for each in sets)
    count = 1 + max(item.label for item in (*train, *test))
    classes = list(getattr(sets[0], "classes", None) or map(str, range(count)))
    return Images(classes, train, test)


def _item(index: int, image: Any, label: Any) -> Item:
    return Item(str(index), image if isinstance(image, str) else np.asarray(image, dtype=np.uint8), int(label))
