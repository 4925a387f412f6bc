"""Effects as weighted sums of errors, and their estimates with 95 % intervals.

An *arm* is the cells of all seeds at one dataset, model and fraction. Every effect of the study (gain, degradation,
penalty, and what the hypotheses say of them) is a sum of arms' errors, or of their logarithms, with weights: a contrast.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special  # scipy.stats takes a second to import

from study.statistics.bootstrap import resampled_errors, resampling_weights
from study.statistics.contrasts import Arm as Arm

LEVEL = 0.95
EXACT = 12  # decimals kept of an effect: far below 1 / images, above the noise of adding floats in some order


Contrast = Mapping[Arm, float]


@dataclass(frozen=True)
class Estimate:
    """An effect: the mean over seeds, its interval (None where there are no images to draw from), and each seed's value."""

    value: float
    low: float | None
    high: float | None
    runs: tuple[float, ...]


def error(dataset: str, model: str, fraction: float) -> Contrast:
    """An arm's top-1 error, in [0, 1]."""
    return {Arm(dataset, model, fraction): 1.0}


def minus(first: Contrast, second: Contrast) -> Contrast:
    """``first`` less ``second``; arms that cancel out are gone, so that a missing one does no harm."""
    total = {arm: first.get(arm, 0.0) - second.get(arm, 0.0) for arm in {**first, **second}}
    return {arm: weight for arm, weight in sorted(total.items()) if weight}


class Errors:
    """The top-1 errors of the arms that a report has, and what resampling makes of them."""

    def __init__(self, runs: Mapping[Arm, Sequence[float]], draws: Mapping[Arm, NDArray[np.float64]] | None = None) -> None:
        """``runs`` has an arm's error for each seed; ``draws`` its errors in each draw, (draws, seeds), None without images."""
        self._runs = {arm: np.asarray(values, dtype=np.float64) for arm, values in runs.items()}
        self._draws = draws

    @classmethod
    def of_cells(cls, wrong: Mapping[Arm, Sequence[NDArray[np.bool_]]]) -> "Errors":
        """From which images (images,) each seed's cell of an arm gets wrong. A dataset's cells share their images."""
        draws: dict[Arm, NDArray[np.float64]] = {}
        for dataset in sorted({arm.dataset for arm in wrong}):
            arms = sorted(arm for arm in wrong if arm.dataset == dataset)
            columns = np.stack([cell for arm in arms for cell in wrong[arm]], axis=1)
            resampled = resampled_errors(resampling_weights(dataset, len(columns)), columns)
            ends = np.cumsum([len(wrong[arm]) for arm in arms])
            draws.update(zip(arms, np.split(resampled, ends[:-1], axis=1), strict=True))
        runs = {arm: [float(np.count_nonzero(cell)) / len(cell) for cell in cells] for arm, cells in wrong.items()}
        return cls(runs, draws)

    def __contains__(self, arm: Arm) -> bool:
        return arm in self._runs

    def missing(self, contrast: Iterable[Arm]) -> list[Arm]:
        """The arms that an effect needs and that are not here."""
        return sorted(arm for arm in contrast if arm not in self._runs)

    def runs(self, arm: Arm) -> NDArray[np.float64]:
        """An arm's error for each seed, (seeds,)."""
        return self._runs[arm]

    def estimate(self, contrast: Contrast, logarithm: bool = False) -> Estimate | None:
        """The effect and its 95 % interval; None where an arm is missing, or where the logarithm of no error is asked for.

        With one seed the interval is the percentile interval over draws of test images: it is for these trained models.
        With several, seeds are paired within a dataset and datasets are independent: Student's t over the per-seed
        contrasts, with the variance over draws of images added to that of the mean over seeds; degrees of freedom by
        Welch and Satterthwaite where two datasets are in one contrast.
        """
        if self.missing(contrast):
            return None
        by_dataset: dict[str, list[Arm]] = {}
        for arm in sorted(contrast):
            by_dataset.setdefault(arm.dataset, []).append(arm)
        with np.errstate(divide="ignore", invalid="ignore"):
            runs = [_weigh(contrast, arms, self._runs, logarithm) for arms in by_dataset.values()]
            draws = self._draws and [_weigh(contrast, arms, self._draws, logarithm) for arms in by_dataset.values()]
            values = np.sum(runs, axis=0)
        if not np.isfinite(values).all():
            return None
        value = float(np.round(values.mean(), EXACT))
        each = tuple(float(run) for run in np.round(values, EXACT))
        if not draws:
            return Estimate(value, None, None, each)
        if not all(np.isfinite(part).all() for part in draws):
            return Estimate(value, None, None, each)
        if len(each) == 1:
            total = np.sum(draws, axis=0)[:, 0]
            low, high = np.quantile(total, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        else:
            low, high = _student(value, runs, [part.mean(axis=1) for part in draws])
        return Estimate(value, float(np.round(low, EXACT)), float(np.round(high, EXACT)), each)


def _weigh(contrast: Contrast, arms: Sequence[Arm], values: Mapping[Arm, Any], logarithm: bool) -> NDArray[np.float64]:
    """The weighted sum of the arms' values, of whatever shape they have."""
    total: NDArray[np.float64] = sum(contrast[arm] * (np.log(values[arm]) if logarithm else values[arm]) for arm in arms)
    return total


def _student(value: float, runs: Sequence[NDArray[np.float64]], means: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """The t interval: ``runs`` (seeds,) and ``means`` (draws,), the mean over seeds in each draw, for each dataset."""
    seeds = len(runs[0])
    between = np.array([run.var(ddof=1) / seeds for run in runs])
    images = sum(float(mean.var(ddof=1)) for mean in means)
    freedom = (seeds - 1) * between.sum() ** 2 / (between**2).sum() if between.any() else seeds - 1
    half = special.stdtrit(freedom, (1 + LEVEL) / 2) * np.sqrt(between.sum() + images)
    return value - float(half), value + float(half)


def log_sd_ratio(first: Sequence[float], second: Sequence[float]) -> Estimate | None:
    """log(SD of ``first`` / SD of ``second``) over seeds, with the interval of a ratio of normal variances (F).

    None below three seeds, or where one of them does not vary at all.
    """
    seeds = len(first)
    if seeds < 3:
        return None
    spreads = np.std(first, ddof=1), np.std(second, ddof=1)
    if min(spreads) < 10.0**-EXACT:
        return None
    value = float(np.log(spreads[0] / spreads[1]))
    half = float(np.log(special.fdtri(seeds - 1, seeds - 1, (1 + LEVEL) / 2)) / 2)
    return Estimate(round(value, EXACT), round(value - half, EXACT), round(value + half, EXACT), ())
