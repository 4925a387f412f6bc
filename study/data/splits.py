"""Stratified, nested division of a training set into train subset and validation set."""

import numpy as np
from numpy.typing import NDArray

from study.base.errors import StudyError

Indices = NDArray[np.int64]


def split(labels: NDArray[np.integer], fraction: float, val_fraction: float, seed: int) -> tuple[Indices, Indices]:
    """Indices (train, validation) into ``labels`` (N,), each ascending, without overlap.

    Every class is put in one order drawn from ``seed``. Its first ``val_fraction`` is for validation, the same for every
    fraction; of what remains, the first ``fraction`` is the train subset. So subsets of one seed are nested, and every
    class has its exact share to within one image.

    Raises StudyError where a class would be left without a train or validation image.
    """
    # RandomState, not Generator: numpy promises never to change its stream (NEP 19), so that these indices are the
    # same with every version of numpy.
    random = np.random.RandomState(seed)
    train, validation = [], []
    for label in np.unique(labels):
        order = random.permutation(np.flatnonzero(labels == label))
        held_out = _share(len(order), val_fraction)
        kept = _share(len(order) - held_out, fraction)
        if not held_out or not kept:
            part, share = (
                ("validation set", f"val_fraction {val_fraction}") if not held_out else ("train subset", f"fraction {fraction}")
            )
            raise StudyError(
                f"{share} leaves class {label} ({len(order)} images) without an image in the {part}; choose a larger one."
            )
        validation.append(order[:held_out])
        train.append(order[held_out : held_out + kept])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(validation))


def _share(count: int, fraction: float) -> int:
    """``fraction`` of ``count``, rounded to the nearest whole number, halves up: never falls as ``fraction`` grows."""
    return int(np.floor(count * fraction + 0.5))
