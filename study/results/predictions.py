"""One cell's test metrics, and the arrays that they and their intervals are made from. numpy alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TOP = 5


@dataclass(frozen=True)
class Predictions:
    """What is known of each of N test images; the fields are those of predictions.npz."""

    labels: NDArray[np.int16]
    predicted: NDArray[np.int16]
    rank: NDArray[np.int16]
    confidence: NDArray[np.float32]
    nll: NDArray[np.float32]
    classes: NDArray[np.str_]

    @classmethod
    def from_logits(cls, logits: NDArray[np.float32], labels: NDArray[np.int64], classes: tuple[str, ...]) -> "Predictions":
        """From ``logits`` (N, C), finite, and ``labels`` (N,) in [0, C); computed in float64.

        predicted is the first of the largest logits. rank is the place of the true label, 0 for the highest; equal
        logits count in favour of the lower class index. confidence is the softmax probability of ``predicted``, nll
        the negative logarithm of the softmax probability of the label.
        """
        exact = logits.astype(np.float64)
        rows = np.arange(len(labels))
        own = exact[rows, labels][:, None]
        before = np.arange(exact.shape[1]) < labels[:, None]
        rank = np.sum((exact > own) | ((exact == own) & before), axis=1)
        largest = exact.max(axis=1, keepdims=True)
        log_total = largest[:, 0] + np.log(np.sum(np.exp(exact - largest), axis=1))
        return cls(
            labels=labels.astype(np.int16),
            predicted=exact.argmax(axis=1).astype(np.int16),
            rank=rank.astype(np.int16),
            confidence=np.exp(largest[:, 0] - log_total).astype(np.float32),
            nll=(log_total - own[:, 0]).astype(np.float32),
            classes=np.array(classes),
        )

    def metrics(self) -> dict[str, Any]:
        """images, top1_accuracy, top1_error and top5_error, fractions in [0, 1]; no top5_error for five classes or fewer."""
        images = len(self.labels)
        wrong = int(np.count_nonzero(self.rank > 0))
        metrics = {"images": images, "top1_accuracy": (images - wrong) / images, "top1_error": wrong / images}
        if len(self.classes) > TOP:
            metrics["top5_error"] = int(np.count_nonzero(self.rank >= TOP)) / images
        return metrics
