"""A dataset: what a reader (study/data/) returns, and how it lies under data/raw/<dataset>/."""

import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from study.base.errors import StudyError, one_line

CLASSES = "classes.json"
_PARTS = ("train", "test")
_ARRAYS = {"train_images": "|u1", "train_labels": "<i8", "test_images": "|u1", "test_labels": "<i8"}


@dataclass(frozen=True)
class Dataset:
    """Images uint8 (N, H, W, 3), labels int64 (N,) from 0, and the class names: a label is an index into them."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise StudyError where the arrays are not as described."""
        for part in _PARTS:
            _check(part, getattr(self, f"{part}_images"), getattr(self, f"{part}_labels"), len(self.classes))

    def write(self, folder: Path) -> None:
        """Write an .npy file per array and classes.json; the same dataset gives the same bytes on every machine."""
        for name, dtype in _ARRAYS.items():
            buffer = io.BytesIO()  # np.save into a file would lose the reason when a disk is full
            np.save(buffer, np.ascontiguousarray(getattr(self, name), dtype))
            (folder / f"{name}.npy").write_bytes(buffer.getbuffer())
        (folder / CLASSES).write_text(json.dumps(self.classes, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Images:
    """One part of a dataset, ``train`` or ``test``: images uint8 (N, H, W, 3), mapped from disk; labels int64 (N,); names."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]

    @staticmethod
    def files(folder: Path, part: str) -> list[Path]:
        """The files that a part is made of."""
        return [folder / f"{part}_images.npy", folder / f"{part}_labels.npy", folder / CLASSES]

    @classmethod
    def read(cls, folder: Path, part: str) -> "Images":
        """The ``part`` of what ``Dataset.write`` wrote into ``folder``. Raises StudyError where it is absent or damaged."""
        images_file, labels_file, classes_file = cls.files(folder, part)
        again = f"python -m stages.download {folder.name} makes it again"
        try:
            images = np.load(images_file, mmap_mode="r", allow_pickle=False)
            labels = np.load(labels_file, allow_pickle=False)
            classes = json.loads(classes_file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise StudyError(f"{error.filename} is not here; dvc pull, or python -m stages.download {folder.name}.") from None
        except (OSError, ValueError, EOFError, MemoryError, RecursionError) as error:
            raise StudyError(f"{folder} is damaged ({one_line(error)}); {again}.") from None
        if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
            raise StudyError(f"{classes_file} is damaged: it is no list of names; {again}.")
        _check(part, images, labels, len(classes))
        return cls(images, labels, tuple(classes))


def _check(part: str, images: NDArray[np.uint8], labels: NDArray[np.int64], classes: int) -> None:
    """Raise StudyError where the arrays are not as described, which would pass for a dataset and train on nonsense."""
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise StudyError(
            f"the dataset's {part} images are {images.dtype} of shape {images.shape}; they must be uint8 (N, H, W, 3)."
        )
    if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1]:
        raise StudyError(
            f"the dataset's {part} labels are {labels.dtype} of shape {labels.shape}; they must be whole numbers, one "
            f"for each of {len(images)} images."
        )
    if not len(labels) or labels.min() < 0 or labels.max() >= classes:
        raise StudyError(
            f"the dataset's {part} labels must lie from 0 to {classes - 1}, for its {classes} "
            f"class names; they are {f'{labels.min()} to {labels.max()}' if len(labels) else 'none'}."
        )
