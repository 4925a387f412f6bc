"""The exponent b of error ~ n^-b for each model and dataset, and how well a power law fits.

As in Hoiem et al., Learning Curves for Analysis of Deep Networks (2021, arXiv 2010.11029), who fit error against n^-b.
"""

import math
from dataclasses import dataclass

from study.statistics.contrasts import minus
from study.statistics.curves import Line, fittable, sure
from study.statistics.estimate import Estimate, clean
from study.statistics.evidence import Evidence
from study.statistics.roles import Roles


@dataclass(frozen=True)
class Exponent:
    """``exponent`` is b: twice the data divides the error by 2**b. ``residuals``: log(measured / fitted) at each fraction,
    ascending.
    """

    dataset: str
    model: str
    exponent: Estimate
    residuals: tuple[tuple[float, Estimate], ...]

    @property
    def fits(self) -> bool:
        """Whether every residual may be chance, by its interval. Where not, the power law is a summary and no law."""
        return all(residual.sign == 0 for _, residual in self.residuals)

    @property
    def worst(self) -> float:
        """The largest miss of the line, of either sign, as a share of the measured error: 0.1 is 10 % of it."""
        return clean(max(abs(math.expm1(-residual.value)) for _, residual in self.residuals))


def exponents(roles: Roles, evidence: Evidence) -> tuple[Exponent, ...]:
    """For every dataset and model with three fractions of the ladder."""
    found = []
    for curve in fittable(roles, evidence, roles.grid.datasets):
        line = Line.through(evidence, curve)
        misses = (evidence.log_estimate(minus({arm: 1.0}, line.at(arm.fraction))) for arm in curve.arms)
        residuals = tuple(zip(curve.fractions, map(sure, misses), strict=True))
        arm = curve.arms[0]
        found.append(Exponent(arm.dataset, arm.model, sure(evidence.log_estimate(line.slope())), residuals))
    return tuple(found)
