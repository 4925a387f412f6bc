"""How much data do I need? For a target error, the smallest fraction of the training data at which a model reaches it.

The answer is read from the weighted power law (curves.py). Such fits misjudge requirements in one shot (Mahmood et al., How
Much More Data Do I Need?, 2022), so each is tested on what is known: fitted without the largest fraction, it forecasts
that fraction, and the answer's interval is at least as wide as that forecast was wrong.
"""

import math
from dataclasses import dataclass

import numpy as np

from study.statistics.curves import Curve, Line, fittable, sure
from study.statistics.equivalents import first_below
from study.statistics.evidence import Evidence
from study.statistics.roles import Roles

FARTHEST = 100.0  # times the largest fraction: beyond it, the answer is infinity
STEPS = 48


@dataclass(frozen=True)
class Requirement:
    """``fraction`` of the training data and its interval; inf: not reached within 100 times the data that was measured.

    ``backtest``: log(forecast / measured) of the largest fraction, by a fit without it.
    ``smallest`` and ``largest`` are the fractions measured.
    """

    dataset: str
    model: str
    target: float
    fraction: float
    low: float
    high: float
    backtest: float
    smallest: float
    largest: float

    @property
    def under(self) -> bool:
        """Whether the smallest fraction that was measured is enough, by the whole interval."""
        return self.high <= self.smallest

    @property
    def beyond(self) -> bool:
        """Whether the answer lies beyond what was measured, on either side."""
        return not self.smallest <= self.fraction <= self.largest

    @property
    def backtest_percent(self) -> float:
        """By how many percent of the measured error the forecast was off: above 0, the forecast was too high."""
        return 100 * math.expm1(self.backtest)


def requirements(roles: Roles, evidence: Evidence, target: float, *datasets: str) -> tuple[Requirement, ...]:
    """For a ``target`` top-1 error in (0, 1), on every dataset or on ``datasets``, for every model with three fractions."""
    curves = fittable(roles, evidence, datasets or roles.grid.datasets)
    return tuple(_requirement(evidence, curve, target) for curve in curves)


def backtest(evidence: Evidence, curve: Curve) -> float:
    """log(forecast / measured) of the largest of three fractions or more, by a fit through the others."""
    line = Line.through(evidence, Curve(curve.arms[:-1]))
    forecast = sure(evidence.log_estimate(line.at(curve.fractions[-1]))).value
    return forecast - sure(evidence.log_estimate({curve.arms[-1]: 1.0})).value


def _requirement(evidence: Evidence, curve: Curve, target: float) -> Requirement:
    line, off = Line.through(evidence, curve), backtest(evidence, curve)
    falls = sure(evidence.log_estimate(line.slope())).value > 0

    def distance(fraction: float) -> tuple[float, float, float]:
        """Log error of the line less that of the target, with an interval that the backtest's error widens."""
        found, aim = sure(evidence.log_estimate(line.at(fraction))), math.log(target)
        return found.value - aim, min(found.low, found.value - abs(off)) - aim, max(found.high, found.value + abs(off)) - aim

    smallest, largest = curve.fractions[0], curve.fractions[-1]
    grid = [float(each) for each in np.geomspace(smallest / FARTHEST, largest * FARTHEST, STEPS)]
    distances = [distance(fraction) for fraction in grid]

    def reached(end: int) -> float:
        return first_below([each[end] for each in distances], grid, lambda fraction: distance(fraction)[end])

    fraction, low, high = (reached(end) for end in range(3))
    if not falls and distance(smallest)[0] > 0:  # more data do not help: the line never comes down to the target
        fraction = high = math.inf
    arm = curve.arms[0]
    return Requirement(arm.dataset, arm.model, target, fraction, low, max(fraction, high), off, smallest, largest)
