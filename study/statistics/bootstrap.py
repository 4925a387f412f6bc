"""Resampled test sets: each draw takes as many images as there are, with replacement, and is shared by all cells on them.

The percentile bootstrap of Efron and Tibshirani (An Introduction to the Bootstrap, 1993, chapter 13), with draws paired
over models, so that a difference of two models has the interval of a difference and not the sum of two.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000


def resampling_weights(dataset: str, images: int, draws: int = DRAWS) -> NDArray[np.float32]:
    """How often each image is in each draw: whole numbers, (draws, images), every row summing to ``images``.

    The generator is seeded by the dataset's name alone: two datasets are drawn independently, and a dataset's draws do
    not depend on what else is in the study.
    """
    generator = np.random.default_rng(int.from_bytes(hashlib.sha256(dataset.encode()).digest()[:8], "big"))
    weights = np.empty((draws, images), dtype=np.float32)
    for row in weights:
        row[:] = np.bincount(generator.integers(images, size=images), minlength=images)
    return weights


def resampled_errors(weights: NDArray[np.float32], wrong: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The error of each column of ``wrong`` (images, cells) in each draw of ``weights`` (draws, images): (draws, cells).

    Counts stay below 2**24, so that float32 sums are exact in any order and on any machine.
    """
    counts: NDArray[np.float64] = (weights @ wrong.astype(np.float32)).astype(np.float64)
    return counts / len(wrong)
