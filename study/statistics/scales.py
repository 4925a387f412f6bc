"""Scales on which errors are compared: points, log error, log odds corrected for chance, and accuracy kept.

A contrast on a scale is the weighted sum of the transformed errors of its arms. All scales rise with the error, so that
"loses more" is above 0 on each of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Scale:
    """A transformation of errors.

    ``transform`` and ``slope`` (its derivative) take errors in [0, 1], of any shape, and the error of guessing of their
    dataset. ``transform`` is infinite where an error is 0, 1 or that of guessing and the scale ends there.
    """

    key: str
    title: str
    transform: Callable[[Any, float], Any]
    slope: Callable[[Any, float], Any]


def _log_odds(error: Any, guessing: float) -> Any:
    """log(error / (guessing - error)): the odds of not knowing, where guessing knows nothing. Infinite from guessing on."""
    left = np.maximum(guessing - np.asarray(error, dtype=np.float64), 0.0)
    return np.log(error) - np.log(left)


def _log_odds_slope(error: Any, guessing: float) -> Any:
    return 1 / error + 1 / np.maximum(guessing - np.asarray(error, dtype=np.float64), 0.0)


POINTS = Scale("points", "points", lambda error, _: error, lambda error, _: np.ones_like(error))
LOG_ERROR = Scale("log_error", "log error", lambda error, _: np.log(error), lambda error, _: 1 / error)
LOG_ODDS = Scale("log_odds", "log odds, corrected for chance", _log_odds, _log_odds_slope)
ACCURACY_KEPT = Scale(
    "accuracy_kept", "accuracy kept, log", lambda error, _: -np.log1p(-error), lambda error, _: 1 / (1 - error)
)
SCALES = (POINTS, LOG_ERROR, LOG_ODDS, ACCURACY_KEPT)
