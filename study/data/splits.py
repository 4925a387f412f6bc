"""Stratified, nested division of a training set into train subset and validation set, and the folder that it crosses in.

data/splits/<dataset>/<fraction>/<seed>/ has train.npy and validation.npy, indices into the official training set, and
split.json, which says whose they are.
"""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.base import npy
from study.base.atomic import write
from study.base.errors import UNREADABLE, StudyError, counted, told

Indices = NDArray[np.int64]
FILE = "split.json"
PARTS = ("train", "validation")


@dataclass(frozen=True)
class Split:
    """Indices (N,) int64, ascending, of the train subset and of the validation set, and what they were drawn from.

    ``official_images`` is how many images the official training set has.
    """

    dataset: str
    fraction: float
    seed: int
    val_fraction: float
    official_images: int
    train: Indices
    validation: Indices

    @property
    def full_images(self) -> int:
        """How many train images fraction 1.0 has."""
        return self.official_images - len(self.validation)

    def save(self, folder: Path) -> None:
        """Write the three files into ``folder``."""
        record = self._record()
        for name in PARTS:
            write(folder / f"{name}.npy", _npy(getattr(self, name)))
            record[f"{name}_sha256"] = hashlib.sha256(_npy(getattr(self, name))).hexdigest()
        write(folder / FILE, (json.dumps(record, indent=1) + "\n").encode())

    @classmethod
    def draw(
        cls,
        dataset: str,
        fraction: float,
        seed: int,
        labels: NDArray[np.integer],
        val_fraction: float,
        rare: str = "stop",
        names: Sequence[str] = (),
    ) -> "Split":
        """The division of ``labels`` (N,) that ``split`` makes."""
        parts = split(labels, fraction, val_fraction, seed, rare, names)
        return cls(dataset, fraction, seed, val_fraction, len(labels), *parts)

    def check(self, folder: Path) -> None:
        """Raise StudyError unless ``folder`` holds this split, whole."""
        again = f"run python -m stages.split {self.dataset} {self.fraction} {self.seed}"
        try:
            contents = {name: (folder / f"{name}.npy").read_bytes() for name in PARTS}
            record = json.loads((folder / FILE).read_text(encoding="utf-8"))
            if any(record[f"{name}_sha256"] != hashlib.sha256(contents[name]).hexdigest() for name in PARTS):
                raise StudyError(f"{folder} is damaged: its files are not of one run; {again}.")
            held = {name: record[name] for name in self._record()}
            same = all(np.array_equal(npy.loads(contents[name]), getattr(self, name)) for name in PARTS)
        except FileNotFoundError as error:
            raise StudyError(f"{error.filename} is not here; {again}.") from None
        except UNREADABLE:
            raise StudyError(f"{folder} is damaged; {again}.") from None
        for name, wanted in self._record().items():
            if held[name] != wanted:
                raise StudyError(
                    f"{folder} is of {name} {told(str(held[name]))}, params.yaml and the dataset want {wanted}; {again}."
                )
        if not same:
            raise StudyError(f"{folder} holds other indices than the stage draws from these labels; {again}.")

    def _record(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in PARTS}


def _npy(array: Indices) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def split(
    labels: NDArray[np.integer],
    fraction: float,
    val_fraction: float,
    seed: int,
    rare: str = "stop",
    names: Sequence[str] = (),
) -> tuple[Indices, Indices]:
    """Indices (train, validation) into ``labels`` (N,), each ascending, without overlap.

    Every class is put in one order drawn from ``seed``. Its first ``val_fraction`` is for validation, the same for every
    fraction; of what remains, the first ``fraction`` is the train subset. So subsets of one seed are nested, and every
    class has its exact share to within one image.

    ``rare`` is what becomes of a class too small for that: "stop" raises StudyError; "train" leaves it out of the validation
    set where its share is less than half an image, and keeps one train image of it at every fraction. ``names`` are those of
    the classes, for messages. Raises StudyError where no class has a validation image, too.
    """
    # RandomState, not Generator: numpy promises never to change its stream (NEP 19), so that these indices are the
    # same with every version of numpy.
    random = np.random.RandomState(seed)
    train, validation = [], []
    for label, images in enumerate(by_class(labels)):
        if not len(images):
            continue
        order = random.permutation(images)
        held_out = share_of(len(order), val_fraction)
        kept = share_of(len(order) - held_out, fraction)
        if rare == "train":
            held_out = min(held_out, len(order) - 1)
            kept = max(1, share_of(len(order) - held_out, fraction))
        elif not held_out or not kept:
            if not held_out:
                part, share, other = "validation set", f"val_fraction {val_fraction}", "larger"
            elif held_out == len(order):
                part, share, other = "train subset", f"val_fraction {val_fraction}", "smaller"
            else:
                part, share, other = "train subset", f"fraction {fraction}", "larger"
            name = names[label] if label < len(names) else label
            raise StudyError(
                f"{share} leaves class {name} ({counted(len(order), 'image')}) without an image in the {part}; choose a "
                f"{other} one, or write rare: train under split in params.yaml, which keeps such classes for training."
            )
        validation.append(order[:held_out])
        train.append(order[held_out : held_out + kept])
    if not sum(map(len, validation)):
        raise StudyError(f"val_fraction {val_fraction} leaves no image of any class for validation; choose a larger one.")
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(validation))


def by_class(labels: NDArray[np.integer], classes: int = 0) -> list[Indices]:
    """For each label from 0 on, but ``classes`` of them at least, its images: indices into ``labels`` (N,), ascending."""
    return np.split(np.argsort(labels, kind="stable"), np.cumsum(np.bincount(labels, minlength=classes))[:-1])


def share_of(count: int, fraction: float) -> int:
    """``fraction`` of ``count``, rounded to the nearest whole number, halves up: never falls as ``fraction`` grows."""
    return int(np.floor(count * fraction + 0.5))
