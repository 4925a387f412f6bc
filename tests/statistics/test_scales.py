"""Effects on other scales than points: against a bootstrap of this file's own, and the slopes that make their intervals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from simulated import cells
from test_intervals import ARMS, KINDS, found, rate

from study.statistics.sample import Sample
from study.statistics.scales import SCALES, Scale

OTHER_SCALES: dict[str, Callable[[Any], Any]] = {
    "log_error": np.log,
    "log_odds": lambda error: np.log(error / (0.9 - error)),  # ten classes
    "accuracy_kept": lambda error: np.log(1 / (1 - error)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", SCALES[1:], ids=lambda scale: scale.key)
def test_every_other_scale_against_a_bootstrap_of_its_own(scale: Scale, kind: str) -> None:
    contrast, images, transform = KINDS[kind], 2000, OTHER_SCALES[scale.key]
    wrong = cells(ARMS, rate, images=images, seed=3)
    generator = np.random.default_rng(4)
    value, draws = 0.0, np.zeros(3000)
    for dataset in sorted({arm.dataset for arm in contrast}):
        rows = generator.integers(images, size=(len(draws), images))
        for arm, weight in contrast.items():
            if arm.dataset == dataset:
                value += weight * transform(wrong[arm][0].mean())
                draws += weight * transform(wrong[arm][0][rows].mean(axis=1))
    low, high = np.percentile(draws, [2.5, 97.5])
    ours = Sample(wrong, {"easy": 10, "hard": 10}).estimate(contrast, scale)
    assert ours is not None and ours.value == pytest.approx(value, abs=1e-9)
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=0.08 * (high - low))


@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: scale.key)
def test_the_slope_of_a_scale_is_its_derivative_and_makes_the_interval_over_trainings(scale: Scale) -> None:
    errors, step = np.array([0.05, 0.3, 0.6]), 1e-6
    differences = (scale.transform(errors + step, 0.9) - scale.transform(errors - step, 0.9)) / (2 * step)
    assert scale.slope(errors, 0.9) == pytest.approx(differences, rel=1e-6)
    sample = Sample(cells(ARMS[:1], rate, images=4000, seeds=3, seed=5), {"easy": 10, "hard": 10})
    points, own = found(sample, KINDS["error"]), sample.estimate(KINDS["error"], scale)
    assert own is not None
    slope = scale.slope(np.array([points.value]), 0.9)[0]
    assert own.high - own.low == pytest.approx(slope * (points.high - points.low), rel=0.01)
