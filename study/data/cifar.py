"""CIFAR-10 and CIFAR-100 from the authors' archives (A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html).

The md5 of every official file that is read is checked before anything is unpickled, wherever the file comes from. The
archive's own md5 is checked first: it tells a broken transfer from a broken file, and a repacked archive is refused.
"""

import hashlib
import os
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from study.base.console import say
from study.base.errors import StudyError
from study.data import plain_pickle
from study.data.dataset import Dataset
from study.data.transfer import Checksum, fetched

SIDE = 32  # pixels


@dataclass(frozen=True)
class Archive:
    """An official archive: its name, the folder that it unpacks to, and the md5 of it and of the files that are read."""

    name: str
    folder: str
    md5: str
    train: Mapping[str, str]
    test: Mapping[str, str]
    meta: Mapping[str, str]
    labels: bytes  # key of the labels in train and test files
    classes: bytes  # key of the class names in the meta file

    @property
    def files(self) -> dict[str, str]:
        """md5 by file name, in the order in which the files are read."""
        return {**self.train, **self.test, **self.meta}


CIFAR10 = Archive(
    name="cifar-10-python.tar.gz",
    folder="cifar-10-batches-py",
    md5="c58f30108f718f92721af3b95e74349a",
    train={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    },
    test={"test_batch": "40351d587109b95175f43aff81a1287e"},
    meta={"batches.meta": "5ff9c542aee3614f3951f8cda6e48888"},
    labels=b"labels",
    classes=b"label_names",
)
CIFAR100 = Archive(
    name="cifar-100-python.tar.gz",
    folder="cifar-100-python",
    md5="eb9058c3a382ffc7106e4002c42a8d85",
    train={"train": "16019d7e3df5f24257cddd939b257f8d"},
    test={"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
    meta={"meta": "7973b15100ade9c7d40fb424638fde48"},
    labels=b"fine_labels",
    classes=b"fine_label_names",
)


def load(archive: Archive, url: str, workdir: Path) -> Dataset:
    """The dataset of ``archive``: from the folder that DATASETS_DIR names where it lies there, else from ``url``.

    Images uint8 (N, 32, 32, 3), in the order of the official files. Raises StudyError.
    """
    contents = _local(archive)
    if contents is None:
        way_out = f"put {archive.name} or the folder {archive.folder} into a folder and name that in DATASETS_DIR"
        with fetched(url, workdir, archive.name, Checksum("md5", archive.md5), way_out) as path:
            contents = _unpack(archive, path)
    return _parse(archive, contents)


def _local(archive: Archive) -> dict[str, bytes] | None:
    """The checked files of ``archive`` under DATASETS_DIR, unpacked or packed; None where neither is there."""
    named = os.environ.get("DATASETS_DIR")
    if not named:
        return None
    folder, packed = Path(named, archive.folder), Path(named, archive.name)
    if folder.is_dir():
        say(f"reading {folder} (DATASETS_DIR)")
        contents = {}
        for name, md5 in archive.files.items():
            try:
                contents[name] = (folder / name).read_bytes()
            except OSError as error:
                raise StudyError(
                    f"{folder / name} cannot be read ({error.strerror}); unpack {archive.name} there again."
                ) from None
            _check(str(folder / name), contents[name], md5)
        return contents
    if packed.is_file():
        say(f"reading {packed} (DATASETS_DIR)")
        found = Checksum("md5", archive.md5).of(packed)
        if found != archive.md5:
            raise StudyError(f"{packed} has the md5 {found} instead of the official {archive.md5}; put a whole one there.")
        return _unpack(archive, packed)
    if not Path(named).is_dir():
        raise StudyError(f"DATASETS_DIR is {named}, which is not a folder; unset it, or name the one with {archive.folder}.")
    return None


def _unpack(archive: Archive, path: Path) -> dict[str, bytes]:
    """The checked files out of the .tar.gz at ``path``, in memory: nothing in it can write anywhere."""
    wanted = {f"{archive.folder}/{name}": name for name in archive.files}
    contents: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:gz") as tar:
            for member in tar:
                name = wanted.get(member.name)
                if name is not None and member.isreg():
                    file = tar.extractfile(member)
                    contents[name] = file.read() if file is not None else b""
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise StudyError(f"{path} is no readable .tar.gz ({error}); delete it and run the same command again.") from None
    for name, md5 in archive.files.items():
        if name not in contents:
            raise StudyError(f"{path} has no file {archive.folder}/{name}; it is not the official archive.")
        _check(f"{archive.folder}/{name} in {path}", contents[name], md5)
    return contents


def _check(where: str, content: bytes, md5: str) -> None:
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise StudyError(f"{where} has the md5 {found} instead of the official {md5}; put the official file there.")


def _parse(archive: Archive, contents: dict[str, bytes]) -> Dataset:
    """The dataset out of checked files; each one's bytes are let go as soon as it is read."""
    (meta,) = archive.meta
    names = plain_pickle.loads(contents.pop(meta), meta)[archive.classes]
    classes = tuple(name.decode("ascii") for name in names)
    train_images, train_labels = _batches(archive, contents, tuple(archive.train), len(classes))
    test_images, test_labels = _batches(archive, contents, tuple(archive.test), len(classes))
    return Dataset(train_images, train_labels, test_images, test_labels, classes)


def _batches(
    archive: Archive, contents: dict[str, bytes], names: tuple[str, ...], classes: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (N, 32, 32, 3) and labels (N,) of the files called ``names``, one after the other.

    A row of a file is one image's red plane, then green, then blue, each row by row (the authors' page).
    """
    images, labels = [], []
    for name in names:
        batch = plain_pickle.loads(contents.pop(name), name)
        rows, row_labels = np.asarray(batch[b"data"]), np.asarray(batch[archive.labels], dtype=np.int64)
        if rows.dtype != np.uint8 or rows.shape != (len(row_labels), 3 * SIDE * SIDE):
            raise StudyError(f"{name} holds {rows.dtype} {rows.shape}, not a row of {3 * SIDE * SIDE} bytes for each label.")
        if len(row_labels) and not 0 <= row_labels.min() <= row_labels.max() < classes:
            raise StudyError(f"{name} holds labels outside 0 to {classes - 1}.")
        images.append(rows.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1))
        labels.append(row_labels)
    return np.concatenate(images), np.concatenate(labels)
