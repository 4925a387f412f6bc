"""Simulated cells and studies for the tests of statistics: errors that go together because images differ in difficulty."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from study.statistics.contrasts import Arm

Wrong = dict[Arm, list[NDArray[np.bool_]]]


@dataclass(frozen=True)
class Model:
    """What statistics asks of a model."""

    name: str
    family: str
    weights: str | None = None
    scratch: str | None = None


@dataclass(frozen=True)
class Grid:
    """What statistics asks of a grid."""

    datasets: tuple[str, ...] = ("easy", "hard")
    models: tuple[Model, ...] = (
        Model("cnn_scratch", "cnn"),
        Model("cnn_glyphs", "cnn", "glyphs", "cnn_scratch"),
        Model("vit_scratch", "vit"),
        Model("vit_glyphs", "vit", "glyphs", "vit_scratch"),
    )
    ladder: tuple[float, ...] = (1.0, 0.5, 0.1)

    def arms(self) -> list[Arm]:
        return [
            Arm(dataset, model.name, fraction) for dataset in self.datasets for model in self.models for fraction in self.ladder
        ]


CLASSES = {"easy": 10, "hard": 100}


def cells(
    arms: list[Arm],
    rate: Callable[[Arm], float],
    images: int = 400,
    seeds: int = 1,
    spread: float = 0.0,
    seed: int = 0,
) -> Wrong:
    """For each arm, ``seeds`` cells that err at ``rate``, and at other rates from seed to seed where there is a ``spread``."""
    generator = np.random.default_rng(seed)
    difficulty = {dataset: generator.standard_normal(images) for dataset in sorted({arm.dataset for arm in arms})}
    return {
        arm: [
            0.8 * difficulty[arm.dataset] + 0.6 * generator.standard_normal(images)
            < ndtri(rate(arm)) * np.sqrt(1 + spread**2) + spread * generator.standard_normal()
            for _ in range(seeds)
        ]
        for arm in arms
    }


def exactly(arms: list[Arm], rate: Callable[[Arm], float], images: int = 1000, seeds: int = 1) -> Wrong:
    """Cells whose error is exactly ``rate``: the first images are wrong."""
    return {arm: [np.arange(images) < round(rate(arm) * images)] * seeds for arm in arms}
