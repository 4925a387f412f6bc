"""Published numbers: one run of each cell, without predictions, so that intervals are bounds.

The bound takes the errors of all cells as independent, with the test images that the dataset has. Cells on the same images
err together, so that a difference is usually known better than that; without predictions nobody can say by how much.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from study.statistics.contrasts import Arm, Contrast
from study.statistics.differences import Difference, resolved
from study.statistics.estimate import Estimate, half_width, rounded, smallest_tellable
from study.statistics.evidence import Evidence
from study.statistics.scales import LOG_ERROR, POINTS, Scale

IMAGES = 10_000  # in the official test sets of CIFAR-10 and CIFAR-100


class Publication(Evidence):
    """Published errors, and published differences in the place of differences of rounded errors."""

    seeds = 1
    measured = False

    def __init__(
        self, errors: Mapping[Arm, float], classes: Mapping[str, float], differences: Sequence[Difference] = ()
    ) -> None:
        """``errors`` in [0, 1] by arm; ``classes`` as of Evidence."""
        self._errors = dict(sorted(errors.items()))
        self.classes = classes
        self._differences = tuple(differences)

    @property
    def arms(self) -> tuple[Arm, ...]:
        return tuple(self._errors)

    def error(self, arm: Arm) -> float:
        return self._errors[arm]

    def images(self, dataset: str) -> int:
        return IMAGES

    def estimate(self, contrast: Contrast, scale: Scale = POINTS) -> Estimate | None:
        if self.missing(contrast):
            return None
        if scale is POINTS:
            published, left = resolved(contrast, self._differences)
            return self._bounded(published + self._sum(left, scale), contrast, scale)
        return self._bounded(self._sum(contrast, scale), contrast, scale)

    def log_estimate(self, weights: Mapping[Arm, float]) -> Estimate | None:
        return None if self.missing(weights) else self._bounded(self._sum(weights, LOG_ERROR), weights, LOG_ERROR)

    def _sum(self, weights: Mapping[Arm, float], scale: Scale) -> float:
        with np.errstate(divide="ignore"):
            return sum(
                weight * float(scale.transform(self._errors[arm], self.guessing(arm.dataset)))
                for arm, weight in weights.items()
            )

    def _bounded(self, value: float, weights: Mapping[Arm, float], scale: Scale) -> Estimate | None:
        """``value`` with the interval of independent errors, by the scale's slope at them."""
        if math.isnan(value):
            return None
        variance = 0.0
        for arm, weight in weights.items():
            error = self._errors[arm]
            with np.errstate(divide="ignore", invalid="ignore"):
                slope = weight * float(scale.slope(np.float64(error), self.guessing(arm.dataset)))
            variance += slope**2 * error * (1 - error) / IMAGES
        deviation = math.sqrt(variance) if math.isfinite(variance) else math.inf
        half = half_width(deviation)
        return rounded(value, value - half, value + half, (value,), smallest_tellable(deviation))
