"""The data equivalent of pre-training: on how many times the data does training from scratch err as little?

The pre-trained model on the smallest fraction is compared with the curve of its scratch partner, straight in log-log
between the measured fractions. The idea is the effective data transferred of Hernandez et al., Scaling Laws for Transfer
(2021, arXiv 2102.01293).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from study.statistics.contrasts import Arm, minus
from study.statistics.curves import Curve, sure
from study.statistics.evidence import Evidence
from study.statistics.roles import Roles

STEPS = 64  # grid points between the smallest and the largest fraction, equally spaced in log fraction
HALVINGS = 12


@dataclass(frozen=True)
class Equivalent:
    """``times`` as much data, with its 95 % interval from ``low`` to ``high``.

    inf: more than ``most`` times. 0: scratch errs less on the smallest fraction already. ``most`` is the ratio of the largest
    fraction to the smallest, where the curve ends.
    """

    dataset: str
    scratch: str
    pretrained: str
    fraction: float
    times: float
    low: float
    high: float
    most: float


def equivalents(roles: Roles, evidence: Evidence) -> tuple[Equivalent, ...]:
    """For every dataset and pair, at the smallest fraction of the scratch model, where the pre-trained one has it too."""
    return tuple(_equivalents(roles, evidence))


def _equivalents(roles: Roles, evidence: Evidence) -> Iterator[Equivalent]:
    for dataset in roles.grid.datasets:
        for scratch, pretrained in roles.pairs():
            curve = Curve.of(evidence, dataset, scratch, roles.ladder)
            if curve is None:
                continue
            fraction = curve.fractions[0]
            arm = Arm(dataset, pretrained, fraction)
            if not evidence.missing([arm]):
                yield _equivalent(evidence, curve, arm)


def _equivalent(evidence: Evidence, curve: Curve, arm: Arm) -> Equivalent:
    """The fractions at which the scratch curve's distance from the pre-trained log error, or an end of its interval, reaches 0.

    So the interval holds the fractions at which the distance may be 0 (a test turned round, as by Fieller 1954).
    """

    def distance(fraction: float) -> tuple[float, float, float]:
        found = sure(evidence.log_estimate(minus(curve.between(fraction), {arm: 1.0})))
        return found.value, found.low, found.high

    grid = [float(fraction) for fraction in np.geomspace(curve.fractions[0], curve.fractions[-1], STEPS)]
    grid = sorted({*curve.fractions, *grid[1:-1]})
    distances = [distance(fraction) for fraction in grid]

    def reached(end: int) -> float:
        return first_below([each[end] for each in distances], grid, lambda fraction: distance(fraction)[end]) / grid[0]

    times, low, high = (reached(end) for end in range(3))
    return Equivalent(arm.dataset, curve.arms[0].model, arm.model, arm.fraction, times, low, high, grid[-1] / grid[0])


def first_below(values: list[float], grid: list[float], at: Callable[[float], float]) -> float:
    """The smallest fraction at which ``at`` is 0 or below. 0.0: ``at`` is below 0 at the first of ``grid``. inf: at none.

    ``values`` are those of ``at`` on ``grid``, which ascends. Between two of its fractions, the place is found by halving.
    """
    place = next((place for place, value in enumerate(values) if value <= 0), None)
    if place is None:
        return math.inf
    if place == 0:
        return grid[0] if values[0] == 0 else 0.0
    above, below = grid[place - 1], grid[place]
    for _ in range(HALVINGS):
        middle = math.sqrt(above * below)
        above, below = (above, middle) if at(middle) <= 0 else (middle, below)
    return below
