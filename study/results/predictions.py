"""What a cell says of each test image, and its metrics: data/predictions/<cell>/predictions.npz and metrics.json."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.base.atomic import write
from study.base.errors import UNREADABLE, StudyError, told
from study.design.cells import Cell

TOP = 5
FILE = "predictions.npz"
METRICS = "metrics.json"
LARGEST = 1 << 30  # bytes of an array that is read: a header can claim anything


@dataclass(frozen=True)
class Predictions:
    """What is known of each of N test images; the fields are those of predictions.npz.

    labels, predicted and rank are int16, int32 where there are more classes than that holds. ``cell`` and
    ``checkpoint_sha256`` say whose they are.
    """

    cell: str
    checkpoint_sha256: str
    labels: NDArray[np.signedinteger]
    predicted: NDArray[np.signedinteger]
    rank: NDArray[np.signedinteger]
    confidence: NDArray[np.float32]
    nll: NDArray[np.float32]
    classes: NDArray[np.str_]

    @classmethod
    def from_logits(
        cls,
        cell: Cell,
        checkpoint_sha256: str,
        logits: NDArray[np.float32],
        labels: NDArray[np.int64],
        classes: tuple[str, ...],
    ) -> "Predictions":
        """From ``logits`` (N, C), finite, and ``labels`` (N,) in [0, C); computed in float64.

        predicted is the first of the largest logits. rank is the place of the true label, 0 for the highest; equal
        logits count in favour of the lower class index. confidence is the softmax probability of ``predicted``, nll
        the negative logarithm of the softmax probability of the label.
        """
        whole = np.int16 if len(classes) <= np.iinfo(np.int16).max else np.int32
        exact = logits.astype(np.float64)
        rows = np.arange(len(labels))
        own = exact[rows, labels][:, None]
        before = np.arange(exact.shape[1]) < labels[:, None]
        rank = np.sum((exact > own) | ((exact == own) & before), axis=1)
        largest = exact.max(axis=1, keepdims=True)
        log_total = largest[:, 0] + np.log(np.sum(np.exp(exact - largest), axis=1))
        return cls(
            cell=str(cell),
            checkpoint_sha256=checkpoint_sha256,
            labels=labels.astype(whole),
            predicted=exact.argmax(axis=1).astype(whole),
            rank=rank.astype(whole),
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

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Which images the cell gets wrong, (images,)."""
        return np.asarray(self.predicted != self.labels)

    @property
    def top1_error(self) -> float:
        """Share of images whose label is not the largest logit."""
        return float(self.metrics()["top1_error"])

    @property
    def top5_error(self) -> float | None:
        """Share of images whose label is not among the five largest logits; None for five classes or fewer."""
        return self.metrics().get("top5_error")

    def save(self, folder: Path) -> None:
        """Write predictions.npz and metrics.json into ``folder``; the same predictions give the same bytes."""
        arrays = io.BytesIO()
        np.savez_compressed(arrays, **vars(self))
        write(folder / FILE, arrays.getvalue())
        write(folder / METRICS, (json.dumps(self.metrics(), indent=1) + "\n").encode())

    @classmethod
    def load(cls, folder: Path, cell: Cell) -> "Predictions":
        """The predictions of ``cell`` in ``folder``; StudyError where they are absent, damaged or not its own."""
        path = folder / FILE
        try:
            with np.load(path, allow_pickle=False) as file:
                too_large = [name for name in file.files if file.zip.getinfo(f"{name}.npy").file_size > LARGEST]
                arrays = {} if too_large else {name: file[name] for name in cls.__dataclass_fields__}
            if too_large:
                raise ValueError
            found = cls(**{**arrays, **{name: str(arrays[name][()]) for name in ("cell", "checkpoint_sha256")}})
            found._check()
            metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise StudyError(f"{error.filename} absent") from None
        except UNREADABLE:
            raise StudyError(f"{path} damaged") from None
        if found.cell != str(cell):
            raise StudyError(f"{path} is of another cell, {told(found.cell)}")
        if metrics != found.metrics():
            raise StudyError(f"{folder / METRICS} and {path} contradict each other")
        return found

    def _check(self) -> None:
        """Raise ValueError where the arrays cannot be what ``from_logits`` makes."""
        images = self.labels.shape
        whole, shares = (self.labels, self.predicted, self.rank), (self.confidence, self.nll)
        if len(images) != 1 or not images[0] or any(array.shape != images for array in (*whole, *shares)):
            raise ValueError
        if any(array.dtype.kind != "i" for array in whole) or any(array.dtype != np.float32 for array in shares):
            raise ValueError
        if self.classes.ndim != 1 or self.classes.dtype.kind != "U" or len(self.classes) < 2:
            raise ValueError
        if any(array.min() < 0 or array.max() >= len(self.classes) for array in whole):
            raise ValueError
        if not (
            np.isfinite(self.nll).all() and (self.nll >= 0).all() and ((self.confidence > 0) & (self.confidence <= 1)).all()
        ):
            raise ValueError
        if not np.array_equal(self.rank == 0, self.predicted == self.labels):
            raise ValueError
