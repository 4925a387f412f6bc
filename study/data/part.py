"""The train or test part of a dataset, as train and evaluate read it: neither needs the files of the other part."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from study.base import npy
from study.base.errors import UNREADABLE, StudyError, one_line


@dataclass(frozen=True)
class Part:
    """Images uint8 (N, H, W, 3), labels int64 (N,) from 0, and the class names: a label is an index into them."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]

    def check(self, name: str) -> None:
        """Raise StudyError where the arrays are not as described; ``name``, train or test, is for the message."""
        images, labels = self.images, self.labels
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
            raise StudyError(
                f"the dataset's {name} images are {images.dtype} of shape {images.shape}; they must be uint8 (N, H, W, 3)."
            )
        if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1]:
            raise StudyError(
                f"the dataset's {name} labels are {labels.dtype} of shape {labels.shape}; they must be whole numbers, one "
                f"for each of {len(images)} images."
            )
        if not len(labels) or labels.min() < 0 or labels.max() >= len(self.classes):
            raise StudyError(
                f"the dataset's {name} labels must lie from 0 to {len(self.classes) - 1}, for its {len(self.classes)} "
                f"class names; they are {f'{labels.min()} to {labels.max()}' if len(labels) else 'none'}."
            )

    @staticmethod
    def files(folder: Path, name: str) -> list[Path]:
        """The files that the part ``name`` of the dataset in ``folder`` is made of."""
        return [folder / f"{name}_images.npy", folder / f"{name}_labels.npy", folder / "classes.json"]

    @classmethod
    def read(cls, folder: Path, name: str) -> "Part":
        """The part ``name`` of the dataset in ``folder``; its images are a memory map, so that only what is used is read.

        Raises StudyError where it is absent or damaged.
        """
        images_file, labels_file, classes_file = cls.files(folder, name)
        again = f"python -m stages.download {folder.name} makes it again"
        try:
            images = npy.load(images_file, mapped=True)
            labels = npy.load(labels_file)
            classes = json.loads(classes_file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise StudyError(f"{error.filename} is not here; dvc pull, or python -m stages.download {folder.name}.") from None
        except UNREADABLE as error:
            raise StudyError(f"{folder} is damaged ({one_line(error)}); {again}.") from None
        if not isinstance(classes, list) or not all(isinstance(each, str) for each in classes):
            raise StudyError(f"{classes_file} is damaged: it is no list of names; {again}.")
        if len(set(classes)) != len(classes):
            raise StudyError(f"{classes_file} is damaged: it has a name twice; {again}.")
        part = cls(images, labels, tuple(classes))
        part.check(name)
        return part
