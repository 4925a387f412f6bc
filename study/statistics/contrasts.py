"""Effects of the study as weighted sums of the errors of arms: error, gain, degradation, penalty, and their differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True, order=True)
class Arm:
    """A model trained on a fraction of a dataset, over all seeds."""

    dataset: str
    model: str
    fraction: float

    def __str__(self) -> str:
        return f"{self.dataset}-{self.model}-{self.fraction}"


# The weight of each arm's error in a sum. Whole numbers: the sum then counts images, and its interval can end on such counts.
Contrast = Mapping[Arm, int]
# Sums of log errors have weights of any size (curves.py).
Weight = TypeVar("Weight", int, float)


def error(dataset: str, model: str, fraction: float) -> Contrast:
    """An arm's top-1 error, in [0, 1]."""
    return {Arm(dataset, model, fraction): 1}


def plus(first: Mapping[Arm, Weight], second: Mapping[Arm, Weight]) -> Mapping[Arm, Weight]:
    """The sum of two weighted sums. Arms whose weights cancel out are left out, so that a missing one does no harm."""
    total = {arm: first.get(arm, 0) + second.get(arm, 0) for arm in {**first, **second}}
    return {arm: weight for arm, weight in sorted(total.items()) if weight}


def minus(first: Mapping[Arm, Weight], second: Mapping[Arm, Weight]) -> Mapping[Arm, Weight]:
    """``first`` less ``second``."""
    return plus(first, {arm: -weight for arm, weight in second.items()})


def gain(dataset: str, scratch: str, pretrained: str, fraction: float) -> Contrast:
    """What pre-training takes off the error: error(scratch) - error(pre-trained)."""
    return minus(error(dataset, scratch, fraction), error(dataset, pretrained, fraction))


def degradation(dataset: str, model: str, fraction: float) -> Contrast:
    """What a model loses with less data: error(fraction) - error(1.0)."""
    return minus(error(dataset, model, fraction), error(dataset, model, 1.0))


def penalty(datasets: Sequence[str], model: str, fraction: float) -> Contrast:
    """What a model loses with harder data: error(second dataset) - error(first dataset)."""
    return minus(error(datasets[1], model, fraction), error(datasets[0], model, fraction))
