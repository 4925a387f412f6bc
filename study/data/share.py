"""A test set for data that come without one: the same share of each class, drawn once and for all."""

import numpy as np
from numpy.typing import NDArray

from study.base.errors import StudyError, counted
from study.data import splits

SEED = 20_000_303  # of the draw; a number of its own, so that no study's seed draws the same images for validation


def held_out(labels: NDArray[np.int64], classes: list[str], share: float) -> NDArray[np.bool_]:
    """Which of the images (N,) are for testing: of each class ``share``, rounded, but one at least.

    An image's part depends on its place among the images of its class alone. Raises StudyError where a class has one
    image: no test of it would be possible, or no training.
    """
    random = np.random.RandomState(SEED)  # its stream is frozen, so the draw is the same with every numpy
    test = np.zeros(len(labels), dtype=np.bool_)
    for label, images in enumerate(splits.by_class(labels, len(classes))):
        count = min(max(splits.share_of(len(images), share), 1), len(images) - 1)
        if count < 1:
            raise StudyError(
                f"class {classes[label]} has {counted(len(images), 'image')}, too few to be in train and test; "
                f"add some, remove the class, or divide the images yourself."
            )
        test[random.permutation(images)[:count]] = True
    return test
