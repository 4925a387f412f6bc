"""C5: whether trainings from pre-trained weights differ less from seed to seed, the luck of the test set taken off.

The spread of errors over seeds holds the chance of single images too. MS_seed - MS_rest of the analysis of variance
(anova.py) has only the training's own part left: the variance of the error between trainings is (MS_seed - MS_rest) /
images. Both mean squares are pooled over a model's fractions on a dataset, with the degrees of freedom of Satterthwaite
(1946). The difference scratch - pre-trained has an interval by the modified large-sample method for sums of mean squares
(Graybill and Wang 1980; Ting et al. 1990, without cross terms).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from study.statistics.contrasts import Arm
from study.statistics.estimate import LEVEL, Estimate, clean, rounded
from study.statistics.evidence import Evidence
from study.statistics.parts import Part, Where
from study.statistics.roles import Roles
from study.statistics.sample import Sample


@dataclass(frozen=True)
class Spread:
    """The variance of a model's error between trainings, pooled over fractions; 0.0001 is a point squared.

    ``variance`` is an estimate that may fall below 0 where the luck of the test set explains all that was seen. It is the sum
    of coefficient * mean square over ``terms``: (coefficient, mean square, degrees of freedom).
    """

    variance: float
    terms: tuple[tuple[float, float, float], ...]

    @property
    def deviation(self) -> float:
        """The standard deviation between trainings, 0 where the variance is not above 0; 0.01 is a point."""
        return clean(math.sqrt(max(self.variance, 0.0)))


def spread(sample: Sample, arms: Sequence[Arm]) -> Spread:
    """Of the errors of ``arms`` on one dataset, pooled."""
    found = [sample.mean_squares(arm) for arm in arms]
    share, freedom = 1 / found[0].images, found[0].seeds - 1
    terms = (
        (share, *_pooled([each.seed for each in found], freedom)),
        (-share, *_pooled([each.rest for each in found], freedom * (found[0].images - 1))),
    )
    return Spread(sum(share * square for share, square, _ in terms), terms)


def _pooled(squares: Sequence[float], freedom: int) -> tuple[float, float]:
    """The mean of mean squares that have ``freedom`` each, and its own: all of theirs where they are equal, less where not."""
    total, uneven = sum(squares), sum(square**2 for square in squares)
    return total / len(squares), freedom * (total**2 / uneven if uneven else len(squares))


def difference(first: Spread, second: Spread) -> Estimate:
    """``first`` - ``second`` in variance, with its interval."""
    terms = [*first.terms, *((-share, square, freedom) for share, square, freedom in second.terms)]
    below = above = 0.0
    for share, square, freedom in terms:
        # Quantiles of a mean square of variance 1. chdtri takes the probability of lying above.
        low, high = (special.chdtri(freedom, above_it) / freedom for above_it in ((1 + LEVEL) / 2, (1 - LEVEL) / 2))
        down, up = 1 - 1 / high, 1 / low - 1  # how far the true variance may lie below and above, relatively
        size = (share * square) ** 2
        below += size * (down if share > 0 else up) ** 2
        above += size * (up if share > 0 else down) ** 2
    value = first.variance - second.variance
    return rounded(value, value - math.sqrt(below), value + math.sqrt(above), (), math.nan)


def less_variable(roles: Roles, evidence: Evidence) -> tuple[Part, ...]:
    """C5 per dataset and pair: variance(scratch) - variance(pre-trained) over seeds; nothing below three seeds."""
    if not isinstance(evidence, Sample) or not evidence.over_trainings:
        return ()
    parts = []
    for dataset in roles.grid.datasets:
        for pair in roles.pairs():
            arms = [[Arm(dataset, model, fraction) for fraction in roles.ladder] for model in pair]
            both = tuple(arm for each in arms for arm in each)
            missing = evidence.missing(both)
            found = None if missing else difference(*(spread(evidence, each) for each in arms))
            parts.append(Part(Where((dataset,), pair, roles.ladder), found, None, both, missing, unit="variance"))
    return tuple(parts)
