"""A dataset: what a reader (study/data/formats.py) returns, and how it lies under data/raw/<dataset>/."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.data.part import Part

_ARRAYS = {"train_images": "|u1", "train_labels": "<i8", "test_images": "|u1", "test_labels": "<i8"}
_BLOCK = 32_000_000  # bytes that are written at a time: a memory map need not fit into memory


@dataclass(frozen=True)
class Dataset:
    """Images uint8 (N, H, W, 3), labels int64 (N,) from 0, and the class names: a label is an index into them.

    Images may be memory maps.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise StudyError where the arrays are not as described, which would pass for a dataset and train on nonsense."""
        Part(self.train_images, self.train_labels, self.classes).check("train")
        Part(self.test_images, self.test_labels, self.classes).check("test")

    def write(self, folder: Path) -> None:
        """Write an .npy file per array and classes.json; the same dataset gives the same bytes on every machine.

        An array that is a memory map of its very file stays as it is.
        """
        for name, dtype in _ARRAYS.items():
            array, path = getattr(self, name), folder / f"{name}.npy"
            if not (isinstance(array, np.memmap) and path.exists() and path.samefile(str(array.filename))):
                _save(path, array, dtype)
        (folder / "classes.json").write_text(json.dumps(self.classes, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Dataset":
        """What ``write`` wrote into ``folder``, images as memory maps. Raises StudyError where it is absent or damaged."""
        train, test = Part.read(folder, "train"), Part.read(folder, "test")
        return cls(train.images, train.labels, test.images, test.labels, train.classes)


def _save(path: Path, array: NDArray[Any], dtype: str) -> None:
    """What np.save writes, block by block and with the reason where a disk is full, which np.save would lose."""
    rows = max(1, _BLOCK // max(1, array[:1].nbytes))
    with path.open("wb") as file:
        header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": array.shape}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(array), rows):
            file.write(np.ascontiguousarray(array[start : start + rows], dtype).data.cast("B"))
