"""What the models of a study are to each other: scratch and pre-trained partners, counterparts of two families."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

FAMILIES = {"cnn": "CNN", "vit": "ViT"}


class ModelLike(Protocol):
    """What is asked of a model: its key, its family, whether it is pre-trained, and the key of its scratch partner."""

    @property
    def name(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def weights(self) -> object | None: ...
    @property
    def scratch(self) -> str | None: ...


class GridLike(Protocol):
    """What is asked of a study's grid: datasets (from easy to hard), models, and the ladder of fractions, descending."""

    @property
    def datasets(self) -> tuple[str, ...]: ...
    @property
    def models(self) -> Sequence[ModelLike]: ...
    @property
    def ladder(self) -> tuple[float, ...]: ...


@dataclass(frozen=True)
class Roles:
    """A grid, and the two families that H2, H3 and the claims compare: the one said to be robust, then the other."""

    grid: GridLike
    compare: tuple[str, str] = ("cnn", "vit")

    @property
    def first(self) -> str:
        """What people call the first family."""
        return FAMILIES.get(self.compare[0], self.compare[0])

    @property
    def second(self) -> str:
        """What people call the second family."""
        return FAMILIES.get(self.compare[1], self.compare[1])

    @property
    def ladder(self) -> tuple[float, ...]:
        """All fractions that hypotheses are tested at, descending."""
        return self.grid.ladder

    @property
    def full(self) -> tuple[float, ...]:
        """(1.0,), or nothing where the ladder has no 1.0."""
        return (1.0,) if 1.0 in self.grid.ladder else ()

    @property
    def reduced(self) -> tuple[float, ...]:
        """The ladder's fractions below 1.0, descending."""
        return tuple(fraction for fraction in self.grid.ladder if fraction < 1.0)

    @property
    def smallest(self) -> tuple[float, ...]:
        """The smallest fraction, or nothing where there is no step to it from 1.0."""
        return self.reduced[-1:] if self.full else ()

    @property
    def harder(self) -> tuple[tuple[str, str], ...]:
        """(easier, harder) for each step from a dataset to the next; nothing where the study has one dataset."""
        return tuple(itertools.pairwise(self.grid.datasets))

    def pairs(self) -> list[tuple[str, str]]:
        """(scratch, pre-trained) for every pre-trained model whose scratch partner is in the study too."""
        present = {model.name for model in self.grid.models}
        return [(model.scratch, model.name) for model in self.grid.models if model.scratch and model.scratch in present]

    def family(self, family: str, pretrained: bool) -> list[str]:
        """The models of a family that are all pre-trained, or all from scratch."""
        return [
            model.name for model in self.grid.models if model.family == family and (model.weights is not None) == pretrained
        ]

    def counterparts(self, pretrained: bool) -> list[tuple[str, str]]:
        """(first family, second family) of two models that are both pre-trained, or both from scratch."""
        first, second = (self.family(family, pretrained) for family in self.compare)
        return [(one, other) for one in first for other in second]

    def both(self) -> list[tuple[tuple[str, str], tuple[str, str]]]:
        """(pair of the first family, pair of the second), for what compares the families and pre-training at once."""
        family = {model.name: model.family for model in self.grid.models}
        first, second = ([pair for pair in self.pairs() if family[pair[1]] == each] for each in self.compare)
        return [(one, other) for one in first for other in second]
