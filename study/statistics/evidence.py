"""What every effect is read from: measured cells (sample.py) or published numbers (publication.py)."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import cached_property

from study.statistics.contrasts import Arm, Contrast
from study.statistics.estimate import Estimate
from study.statistics.scales import POINTS, Scale


class Evidence(ABC):
    """Errors of arms, and estimates of sums of them."""

    #: Seeds of every arm.
    seeds: int
    #: Whether cells were measured here, rather than taken from publication.
    measured: bool
    #: For each dataset 1 / the share of its test images that the largest class has: the number of classes where all are equal.
    classes: Mapping[str, float]

    @property
    def over_trainings(self) -> bool:
        """Whether intervals hold for other trainings by the same recipe, and not for these trained models alone.

        They do from three seeds on: one training or two do not say how much trainings differ.
        """
        return self.measured and self.seeds >= 3

    @property
    @abstractmethod
    def arms(self) -> tuple[Arm, ...]:
        """The arms with all their seeds, sorted."""

    def missing(self, arms: Iterable[Arm]) -> tuple[Arm, ...]:
        """Those of ``arms`` that are not here, sorted."""
        return tuple(sorted(arm for arm in set(arms) if arm not in self._here))

    @cached_property
    def _here(self) -> frozenset[Arm]:
        return frozenset(self.arms)

    @abstractmethod
    def error(self, arm: Arm) -> float:
        """An arm's top-1 error in [0, 1], the mean over seeds. KeyError where it is missing."""

    def guessing(self, dataset: str) -> float:
        """The top-1 error of always answering the largest class, which no guess that knows nothing of an image beats."""
        return 1 - 1 / self.classes[dataset]

    @abstractmethod
    def images(self, dataset: str) -> int:
        """Test images of ``dataset``."""

    @abstractmethod
    def estimate(self, contrast: Contrast, scale: Scale = POINTS) -> Estimate | None:
        """An effect with its 95 % interval. None where an arm is missing, or where infinity is subtracted from infinity."""

    @abstractmethod
    def log_estimate(self, weights: Mapping[Arm, float]) -> Estimate | None:
        """A weighted sum of log errors for curves, with half an error added to each count, so that all are finite."""
