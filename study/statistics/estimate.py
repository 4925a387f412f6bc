"""An effect with its 95 % interval, and the smallest effect that could have been told."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from scipy import special  # scipy.stats takes a second to import

LEVEL = 0.95
POWER = 0.8
EXACT = 12  # decimals kept of an effect: far below 1 / images, above the noise of sums, whose order the processor decides


@dataclass(frozen=True)
class Estimate:
    """An effect: the mean over seeds, its 95 % interval, each seed's value, and the smallest effect that could be told.

    On the scale of points all are in [-weights, weights] of the contrast, 0.01 being a point. ``value``, ``low`` and
    ``high`` may be infinite on a scale of logarithms. ``tellable`` is the true effect whose interval would have lain
    above 0 with a probability of 80 %, with these images and seeds; nan where the interval is infinite.
    """

    value: float
    low: float
    high: float
    runs: tuple[float, ...] = ()
    tellable: float = math.nan

    @property
    def sign(self) -> int:
        """1 where the interval lies above 0, -1 below, 0 where it holds 0."""
        return 1 if self.low > 0 else -1 if self.high < 0 else 0


def rounded(value: float, low: float, high: float, runs: Iterable[float], tellable: float) -> Estimate:
    """An estimate without the noise of floating point sums; -0.0 is 0.0."""
    return Estimate(clean(value), clean(low), clean(high), tuple(map(clean, runs)), clean(tellable))


def clean(value: float) -> float:
    """``value`` to EXACT decimals. nan stays the object that it was: estimates that lack the same are equal."""
    return value if math.isnan(value) else round(float(value), EXACT) + 0.0


def smallest_tellable(deviation: float, freedom: float = math.inf) -> float:
    """The true effect that is told with a probability of 80 %, from an estimate's standard deviation.

    The usual sum of two quantiles (Cohen, Statistical Power Analysis, 1988), with Student's t where freedom is finite.
    """
    return (_quantile((1 + LEVEL) / 2, freedom) + _quantile(POWER, freedom)) * deviation


def half_width(deviation: float, freedom: float = math.inf) -> float:
    """Half of the 95 % interval of a normal estimate (Student's t where freedom is finite)."""
    return _quantile((1 + LEVEL) / 2, freedom) * deviation


def least(estimates: Iterable[Estimate]) -> Estimate:
    """The smallest of several effects, for a claim that holds only if all of them lie above 0.

    Its interval lies above 0 where all do, and below 0 where any does (intersection-union test, Berger 1982).
    """
    each = list(estimates)
    runs = tuple(min(values) for values in zip(*(estimate.runs for estimate in each), strict=True))
    return Estimate(
        min(estimate.value for estimate in each),
        min(estimate.low for estimate in each),
        min(estimate.high for estimate in each),
        runs,
        max(estimate.tellable for estimate in each),
    )


def _quantile(probability: float, freedom: float) -> float:
    return float(special.ndtri(probability) if math.isinf(freedom) else special.stdtrit(freedom, probability))
