"""Resampled test sets, each with half an imaginary image at either end, shared by all cells on a dataset.

A draw takes n + 1 of 2n + 2 entries, with replacement: every image stands there twice, and two imaginary images once. One
of them gives a contrast its largest possible contribution, the other its smallest. Counts stay whole numbers. The plain
percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13) gives [0, 0] to a cell
without errors and is too narrow below five expected errors; half an image at either end mends both, as half a success
and half a failure do for a share (Brown, Cai and DasGupta 2001, on Jeffreys' interval). docs/statistics.md has the coverage.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from study.statistics.estimate import LEVEL

DRAWS = 2000
_TOGETHER = 250  # draws that are made at once: 10 MB for 10,000 images


@dataclass(frozen=True)
class Draws:
    """What every draw of a dataset's test set counts.

    ``wrong`` (arms, draws): errors of an arm on real images, summed over its seeds. ``top`` and ``bottom`` (draws,): how
    often the imaginary images were drawn. ``images`` in the test set, ``seeds`` of every arm.
    """

    wrong: NDArray[np.int64]
    top: NDArray[np.int64]
    bottom: NDArray[np.int64]
    images: int
    seeds: int

    def counts(self, arm: int, weight: float) -> NDArray[np.int64]:
        """Errors of one arm in each draw, (draws,). It errs on the top image if its weight is above 0, else on the bottom."""
        imaginary = self.top if weight > 0 else self.bottom
        counts: NDArray[np.int64] = self.wrong[arm] + self.seeds * imaginary
        return counts

    def errors(self, arm: int, weight: float) -> NDArray[np.float64]:
        """The same as a share of the n + 1 entries of a draw, in [0, 1]."""
        return self.counts(arm, weight) / (self.seeds * (self.images + 1))

    def attained(self, arms: Sequence[int], weights: Sequence[int]) -> NDArray[np.float64]:
        """The weighted sum of errors in each draw, (draws,), as the nearest value that this test set can give."""
        total = np.zeros(len(self.top), dtype=np.int64)
        for arm, weight in zip(arms, weights, strict=True):
            total += weight * self.counts(arm, weight)
        nearest = (2 * total * self.images + self.images + 1) // (2 * (self.images + 1))
        return nearest / (self.seeds * self.images)


def draw(dataset: str, wrong: NDArray[np.bool_], draws: int = DRAWS) -> Draws:
    """Draw test sets of ``dataset`` for ``wrong`` (arms, seeds, images).

    The generator is seeded by the dataset's name alone. Two datasets are drawn independently, and a dataset's draws do not
    depend on what else is in the study. Counts stay below 2**24, so that float32 sums are exact in any order.
    """
    arms, seeds, images = wrong.shape
    generator = np.random.default_rng(int.from_bytes(hashlib.sha256(dataset.encode()).digest()[:8], "big"))
    errors = np.ascontiguousarray(wrong.sum(axis=1, dtype=np.float32).T)  # (images, arms)
    counted = np.empty((draws, arms), dtype=np.float32)
    imaginary = np.empty(draws, dtype=np.int64)  # how often either imaginary image was drawn
    for start in range(0, draws, _TOGETHER):
        rows = min(_TOGETHER, draws - start)
        entries = generator.integers(2 * images + 2, size=(rows, images + 1), dtype=np.int32)
        entries >>= 1
        imaginary[start : start + rows] = (entries == images).sum(axis=1)
        entries += (np.arange(rows, dtype=np.int32) * (images + 1))[:, None]
        weights = np.bincount(entries.ravel(), minlength=rows * (images + 1)).reshape(rows, images + 1)
        counted[start : start + rows] = weights[:, :images].astype(np.float32) @ errors
    top = generator.binomial(imaginary, 0.5)  # which of the two it was is a fair coin
    return Draws(np.ascontiguousarray(counted.T).astype(np.int64), top, imaginary - top, images, seeds)


def percentiles(values: NDArray[np.float64]) -> tuple[float, float]:
    """Low and high of the 95 % percentile interval of ``values`` (draws,). Both are draws.

    Either end is the draw at 2.5 % from outside, less one standard error of that share: the 43rd of 2000, not the 50th. So the
    chance of the draws seldom makes an interval too short. Infinite draws count as they are. Undefined ones (nan) count at
    both ends.
    """
    beyond = (1 - LEVEL) / 2
    outside = int(len(values) * beyond - np.sqrt(len(values) * beyond * (1 - beyond)))
    undefined = np.isnan(values)
    low = np.partition(np.where(undefined, -np.inf, values), outside - 1)[outside - 1]
    high = np.partition(np.where(undefined, np.inf, values), len(values) - outside)[len(values) - outside]
    return float(low), float(high)
