"""How far a model's confidence can be believed: accuracy by bins of confidence, and the expected calibration error."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from study.statistics.estimate import half_width

BINS = 10


@dataclass(frozen=True)
class Calibration:
    """Per non-empty bin of equal width: images, mean confidence and accuracy; ``ece`` is in [0, 1]."""

    images: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    ece: float


def calibrate(confidence: NDArray[np.floating], right: NDArray[np.bool_]) -> Calibration:
    """``confidence`` (images,) in [0, 1] against whether the prediction is ``right`` (images,).

    Expected calibration error: the mean distance of accuracy from confidence over bins, weighted by their images
    (Guo et al., On Calibration of Modern Neural Networks, 2017, equation 3; bins are open on the left, as there).
    """
    bins = np.clip(np.ceil(confidence.astype(np.float64) * BINS).astype(np.int64) - 1, 0, BINS - 1)
    images = np.bincount(bins, minlength=BINS)
    filled = images > 0
    mean = np.bincount(bins, weights=confidence, minlength=BINS)[filled] / images[filled]
    accuracy = np.bincount(bins, weights=right, minlength=BINS)[filled] / images[filled]
    ece = float((images[filled] * np.abs(accuracy - mean)).sum() / images.sum())
    return Calibration(images[filled], mean, accuracy, ece)


def wilson(
    share: NDArray[np.float64], trials: NDArray[np.integer] | NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The 95 % interval of ``share`` in [0, 1] of ``trials`` above 0 (Wilson 1927): low and high.

    Seeds that were tested on the same images are no further trials: give the images, and the mean share over seeds.
    """
    z = half_width(1.0)
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return centre - half, centre + half
