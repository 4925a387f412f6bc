"""Measured cells: which test images each gets wrong, and what resampling and analysis of variance make of them."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from study.base.errors import StudyError
from study.statistics.anova import Forms, MeanSquares, combined
from study.statistics.contrasts import Arm, Contrast
from study.statistics.draws import Draws, draw, percentiles
from study.statistics.estimate import Estimate, half_width, rounded, smallest_tellable
from study.statistics.evidence import Evidence
from study.statistics.scales import LOG_ERROR, POINTS, Scale

# The scale of log_estimate. Half an error and half a right answer are added to the test set, so that no error is 0 or 1.
_LOG_ADDED = replace(LOG_ERROR, key="log_error_added")


class Sample(Evidence):
    """The cells of a study. With one seed and with two, intervals are over test images: percentiles over draws. From
    three seeds on they are over trainings and test images: Student's t with the variance of a crossed analysis of variance.
    """

    measured = True

    def __init__(self, wrong: Mapping[Arm, Sequence[NDArray[np.bool_]]], classes: Mapping[str, float]) -> None:
        """``wrong``: for each arm and seed, which images (images,) the cell gets wrong. ``classes``: as of Evidence.

        Cells of a dataset share their images, and all arms have the same number of seeds: StudyError otherwise.
        """
        self._arms = tuple(sorted(wrong))
        self.classes = classes
        seeds = {len(wrong[arm]) for arm in self._arms}
        if len(seeds) != 1 or 0 in seeds:
            raise StudyError(f"arms have {sorted(seeds) or 'no'} seeds; every arm of a study must have the same number.")
        self.seeds = seeds.pop()
        self._wrong: dict[str, NDArray[np.bool_]] = {}
        self._place: dict[Arm, int] = {}
        for dataset in sorted({arm.dataset for arm in self._arms}):
            own = [arm for arm in self._arms if arm.dataset == dataset]
            if len({cell.shape for arm in own for cell in wrong[arm]}) != 1:
                raise StudyError(f"the cells of {dataset} have test sets of different sizes.")
            self._place.update({arm: place for place, arm in enumerate(own)})
            self._wrong[dataset] = np.array([list(wrong[arm]) for arm in own], dtype=np.bool_)
        self._runs = {arm: self._cells(arm).mean(axis=1) for arm in self._arms}
        self._draws: dict[str, Draws] = {}
        self._transformed = lru_cache(1024)(self._transform)  # sought hundreds of times for each point of a curve
        self._forms: dict[str, Forms] = {}
        for dataset, cells in self._wrong.items():
            if self.over_trainings:
                self._forms[dataset] = Forms.of(cells)
            else:
                self._draws[dataset] = draw(dataset, cells)

    @property
    def arms(self) -> tuple[Arm, ...]:
        return self._arms

    def error(self, arm: Arm) -> float:
        return float(self._runs[arm].mean())

    def images(self, dataset: str) -> int:
        return int(self._wrong[dataset].shape[2])

    def mean_squares(self, arm: Arm) -> MeanSquares:
        """The analysis of variance of an arm's error. KeyError below three seeds."""
        forms = self._forms[arm.dataset]
        return forms.mean_squares(np.eye(len(forms.means))[self._place[arm]])

    def without(self, images: Mapping[str, Collection[int]]) -> "Sample":
        """The same cells tested without ``images``: indices into the test set, by dataset."""
        gone = {dataset: list(images.get(dataset, ())) for dataset in self._wrong}
        return Sample({arm: list(np.delete(self._cells(arm), gone[arm.dataset], axis=1)) for arm in self._arms}, self.classes)

    def estimate(self, contrast: Contrast, scale: Scale = POINTS) -> Estimate | None:
        return self._estimate(contrast, scale, contrast if scale is POINTS else None)

    def log_estimate(self, weights: Mapping[Arm, float]) -> Estimate | None:
        return self._estimate(weights, _LOG_ADDED)

    def _estimate(self, weights: Mapping[Arm, float], scale: Scale, exact: Contrast | None = None) -> Estimate | None:
        """``exact`` is the contrast in points, whose draws are values that the test sets can give."""
        if self.missing(weights):
            return None
        if not weights:  # all arms cancelled out
            return Estimate(0.0, 0.0, 0.0, (0.0,) * self.seeds, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            runs = _weighted(weights, {arm: self._on_scale(arm, self._runs[arm], scale) for arm in weights})
            means = {arm: self._on_scale(arm, np.array([self.error(arm)]), scale) for arm in weights}
            value = float(_weighted(weights, means)[0])
        if math.isnan(value):
            return None
        if self.over_trainings:
            return self._from_mean_squares(value, runs, weights, scale)
        draws = self._drawn(weights, scale) if exact is None else self._drawn_exactly(exact)
        low, high = percentiles(draws)
        deviation = float(np.std(draws)) if np.isfinite(draws).all() else math.nan
        return rounded(value, min(low, value), max(high, value), runs, smallest_tellable(deviation))

    def _cells(self, arm: Arm) -> NDArray[np.bool_]:
        """Which images an arm's cells get wrong, (seeds, images)."""
        cells: NDArray[np.bool_] = self._wrong[arm.dataset][self._place[arm]]
        return cells

    def _on_scale(self, arm: Arm, errors: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
        """Errors of an arm, of any shape, on ``scale``."""
        if scale is _LOG_ADDED:
            images = self.images(arm.dataset)
            errors = (images * errors + 0.5) / (images + 1)
        transformed: NDArray[np.float64] = scale.transform(errors, self.guessing(arm.dataset))
        return transformed

    def _drawn_exactly(self, contrast: Contrast) -> NDArray[np.float64]:
        """The contrast of errors in each draw, (draws,): values that the test sets can give."""
        total: NDArray[np.float64] = np.zeros(1)
        for dataset, draws in self._draws.items():
            own = [arm for arm in contrast if arm.dataset == dataset]
            if own:
                total = total + draws.attained([self._place[arm] for arm in own], [contrast[arm] for arm in own])
        return np.round(total, 12)

    def _drawn(self, weights: Mapping[Arm, float], scale: Scale) -> NDArray[np.float64]:
        """The contrast on a scale in each draw, (draws,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return _weighted(weights, {arm: self._transformed(arm, weight > 0, scale) for arm, weight in weights.items()})

    def _transform(self, arm: Arm, above: bool, scale: Scale) -> NDArray[np.float64]:
        """An arm's error on a scale in each draw, (draws,), where its weight is above 0 or below."""
        return self._on_scale(arm, self._draws[arm.dataset].errors(self._place[arm], 1.0 if above else -1.0), scale)

    def _from_mean_squares(
        self, value: float, runs: NDArray[np.float64], weights: Mapping[Arm, float], scale: Scale
    ) -> Estimate:
        """Student's t; other scales than points by their slope at the errors (delta method)."""
        centre, squares = 0.0, []
        for dataset, forms in self._forms.items():
            own = {arm: weight for arm, weight in weights.items() if arm.dataset == dataset}
            if not own:
                continue
            shrunk, guessing = forms.shrunk(), self.guessing(dataset)
            vector = np.zeros(len(shrunk))
            for arm, weight in own.items():
                error = shrunk[self._place[arm]]
                with np.errstate(divide="ignore"):
                    centre += weight * float(scale.transform(error, guessing))
                    vector[self._place[arm]] = weight * float(scale.slope(error, guessing))
            if not np.isfinite(vector).all():
                return rounded(value, -math.inf, math.inf, runs, math.nan)
            squares.append(forms.mean_squares(vector))
        deviation, freedom = combined(squares)
        half = half_width(deviation, freedom)
        low, high = centre - half, centre + half
        if scale is POINTS:
            reach = [sum(max(side * weight, 0.0) for weight in weights.values()) for side in (-1, 1)]
            low, high = max(low, -reach[0]), min(high, reach[1])
        return rounded(value, min(low, value), max(high, value), runs, smallest_tellable(deviation, freedom))


def _weighted(weights: Mapping[Arm, float], values: Mapping[Arm, NDArray[np.float64]]) -> NDArray[np.float64]:
    total: NDArray[np.float64] = np.sum([weight * values[arm] for arm, weight in weights.items()], axis=0)
    return total
