"""Calibration error and Wilson's interval, by hand."""

import numpy as np
import pytest
from scipy import stats

from study.statistics.calibration import calibrate, wilson


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.55, 0.58, 0.95, 0.95], dtype=np.float32)
    right = np.array([True, False, True, True])
    found = calibrate(confidence, right)
    assert found.images.tolist() == [2, 2]
    assert found.accuracy.tolist() == [0.5, 1.0]
    assert found.ece == pytest.approx(0.5 * abs(0.5 - 0.565) + 0.5 * 0.05, abs=1e-6)


def test_a_perfectly_calibrated_model_has_almost_no_error() -> None:
    generator = np.random.default_rng(0)
    confidence = generator.uniform(0.1, 1, 200_000)
    assert calibrate(confidence, generator.random(200_000) < confidence).ece < 0.01


def test_certain_images_are_in_the_last_bin_and_empty_bins_are_left_out() -> None:
    found = calibrate(np.array([1.0, 1.0]), np.array([True, False]))
    assert (found.images.tolist(), found.confidence.tolist(), found.ece) == ([2], [1.0], 0.5)


def test_wilson_against_scipy() -> None:
    successes, trials = np.array([0, 3, 50, 100]), np.array([10, 10, 100, 100])
    low, high = wilson(successes / trials, trials)
    for place in range(4):
        theirs = stats.binomtest(int(successes[place]), int(trials[place])).proportion_ci(method="wilson")
        assert (low[place], high[place]) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
