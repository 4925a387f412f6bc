"""A model's learning curve on a dataset: log error against log fraction, as sums of log errors at the measured fractions.

Everything read from a curve (a point between two fractions, the exponent, a forecast) is a weighted sum of log errors with
weights that do not depend on the errors drawn. So it has the interval of such a sum.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from study.statistics.contrasts import Arm
from study.statistics.estimate import Estimate
from study.statistics.evidence import Evidence
from study.statistics.roles import Roles


@dataclass(frozen=True)
class Curve:
    """The arms of one model on one dataset, fractions ascending, two at least."""

    arms: tuple[Arm, ...]

    @classmethod
    def of(cls, evidence: Evidence, dataset: str, model: str, fractions: Sequence[float]) -> "Curve | None":
        """From those of ``fractions`` that are there; None below two."""
        arms = [Arm(dataset, model, fraction) for fraction in sorted(fractions)]
        present = tuple(arm for arm in arms if not evidence.missing([arm]))
        return cls(present) if len(present) >= 2 else None

    @property
    def fractions(self) -> tuple[float, ...]:
        """Ascending."""
        return tuple(arm.fraction for arm in self.arms)

    def between(self, fraction: float) -> dict[Arm, float]:
        """Weights of the log error at ``fraction``, by a straight line between its neighbours in log-log."""
        places = np.log(self.fractions)
        upper = int(np.clip(np.searchsorted(places, np.log(fraction)), 1, len(places) - 1))
        share = (np.log(fraction) - places[upper - 1]) / (places[upper] - places[upper - 1])
        weights = {self.arms[upper - 1]: float(1 - share), self.arms[upper]: float(share)}
        return {arm: weight for arm, weight in weights.items() if weight}


@dataclass(frozen=True)
class Line:
    """A weighted straight line in log-log through the points of a curve: log error = level - exponent * log fraction.

    A point's weight is its information, images * error / (1 - error): the inverse variance of a log error (weighted as
    by Figueroa et al., Predicting sample size required for classification performance, 2012).
    """

    curve: Curve
    information: NDArray[np.float64]

    @classmethod
    def through(cls, evidence: Evidence, curve: Curve) -> "Line":
        """With half an error and half a right answer added to each test set, so that no weight is 0 or infinite."""
        information = []
        for arm in curve.arms:
            images = evidence.images(arm.dataset)
            error = (images * evidence.error(arm) + 0.5) / (images + 1)
            information.append(images * error / (1 - error))
        return cls(curve, np.array(information))

    def slope(self) -> dict[Arm, float]:
        """Weights of the exponent b of error ~ fraction^-b."""
        return dict(zip(self.curve.arms, map(float, -self._slope), strict=True))

    def at(self, fraction: float) -> dict[Arm, float]:
        """Weights of the log error that the line has at ``fraction``."""
        weights = self.information / self.information.sum() + (np.log(fraction) - self._middle) * self._slope
        return dict(zip(self.curve.arms, map(float, weights), strict=True))

    @cached_property
    def _middle(self) -> float:
        """The centre of the log fractions."""
        return float(np.average(np.log(self.curve.fractions), weights=self.information))

    @cached_property
    def _slope(self) -> NDArray[np.float64]:
        """Weights of the slope over log fraction."""
        centred = np.log(self.curve.fractions) - self._middle
        slope: NDArray[np.float64] = self.information * centred / (self.information * centred**2).sum()
        return slope


def fittable(roles: Roles, evidence: Evidence, datasets: Iterable[str]) -> Iterator[Curve]:
    """The curves with three fractions of the ladder or more: two points leave nothing to judge a line by."""
    for dataset in datasets:
        for model in roles.grid.models:
            curve = Curve.of(evidence, dataset, model.name, roles.ladder)
            if curve is not None and len(curve.arms) >= 3:
                yield curve


def sure(estimate: Estimate | None) -> Estimate:
    """An estimate of arms that are known to be there."""
    assert estimate is not None
    return estimate
