"""Crossed analysis of variance, seeds x images, for three seeds and more: over trainings and over test images at once.

An image's difficulty is shared by all seeds, a training's quality by all images, and the rest belongs to one image in one
training. The variance of the mean over both is (MS_seed + MS_image - MS_rest) / (images * seeds), so that the rest, which
is in both mean squares, counts once (Searle, Casella and McCulloch, Variance Components, 1992, chapter 4). The degrees of
freedom are those of Satterthwaite (1946) over the three mean squares.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class MeanSquares:
    """The three mean squares of one dataset's part of a contrast, with its images and seeds."""

    seed: float
    image: float
    rest: float
    images: int
    seeds: int

    @property
    def variance(self) -> float:
        """Of the mean over seeds and images. An estimated variance between seeds below 0 counts as 0."""
        return (self.image + max(self.seed - self.rest, 0.0)) / (self.images * self.seeds)

    @property
    def squares_over_freedom(self) -> float:
        """Satterthwaite's denominator: each mean square's part in ``variance``, squared, over its degrees of freedom."""
        parts = self.image**2 / (self.images - 1)
        if self.seed > self.rest:
            parts += self.seed**2 / (self.seeds - 1) + self.rest**2 / ((self.seeds - 1) * (self.images - 1))
        return parts / (self.images * self.seeds) ** 2


@dataclass(frozen=True)
class Forms:
    """The sums of squares of every contrast of a dataset's arms, as quadratic forms in its weights, (arms, arms) each.

    ``means`` (arms,) are errors over seeds and images. A contrast's mean squares cost a few multiplications then,
    whatever the number of images.
    """

    means: NDArray[np.float64]
    seed: NDArray[np.float64]
    image: NDArray[np.float64]
    rest: NDArray[np.float64]
    images: int
    seeds: int

    @classmethod
    def of(cls, wrong: NDArray[np.bool_]) -> "Forms":
        """From which images (arms, seeds, images) are wrong; two seeds and two images at least."""
        arms, seeds, images = wrong.shape
        flat = wrong.reshape(arms, seeds * images).astype(np.float32)
        together = (flat @ flat.T).astype(np.float64)  # counts, exact below 2**24
        means = flat.mean(axis=1, dtype=np.float64)
        grand = seeds * images * np.outer(means, means)
        by_seed = wrong.mean(axis=2) - means[:, None]
        by_image = wrong.mean(axis=1, dtype=np.float64) - means[:, None]
        seed, image = images * by_seed @ by_seed.T, seeds * by_image @ by_image.T
        return cls(means, seed, image, together - grand - seed - image, images, seeds)

    def mean_squares(self, weights: NDArray[np.float64]) -> MeanSquares:
        """Of the contrast with ``weights`` (arms,), with half an imaginary image at either end of its range (draws.py).

        So no contrast is without variance, not even that of cells without errors.
        """
        images, seeds = self.images, self.seeds
        middle = weights.sum() / 2
        reach = np.abs(weights).sum() / 2  # from the middle of the range to its ends
        distance = weights @ self.means - middle
        # The mean moves to the middle by 1 / (images + 1) of its distance; the two halves of an image stand at the ends.
        imaginary = seeds * (reach**2 + distance**2 * images / (images + 1))
        return MeanSquares(
            seed=max(float(weights @ self.seed @ weights), 0.0) / (seeds - 1),
            image=(max(float(weights @ self.image @ weights), 0.0) + float(imaginary)) / images,
            rest=max(float(weights @ self.rest @ weights), 0.0) / ((seeds - 1) * (images - 1)),
            images=images,
            seeds=seeds,
        )

    def shrunk(self) -> NDArray[np.float64]:
        """Errors with half an imaginary error and half a right answer, (arms,), inside (0, 1)."""
        return (self.images * self.means + 0.5) / (self.images + 1)


def combined(parts: Sequence[MeanSquares]) -> tuple[float, float]:
    """Standard deviation and degrees of freedom of a sum over independent datasets."""
    variance = sum(part.variance for part in parts)
    return float(np.sqrt(variance)), variance**2 / sum(part.squares_over_freedom for part in parts)
