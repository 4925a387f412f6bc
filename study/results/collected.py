"""What cells leave behind: predictions, history and provenance, read back and checked.

From DVC's folders data/predictions and data/history, or from data/measured, where a cell's files lie together.
"""

import csv
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from study.base.errors import StudyError
from study.design import cells
from study.design.cells import Cell

ABSENT = "absent"
COLUMNS = ("epoch", "learning_rate", "train_loss", "train_error", "val_loss", "val_error")
ARRAYS = ("labels", "predicted", "rank", "confidence", "nll")
PROVENANCE = ("recipe", "best_epoch", "train_images", "code_sha256", "libraries", "device", "wall_seconds", "images_per_second")


@dataclass(frozen=True)
class Result:
    """One cell's test predictions (images,), its curves (epochs,) and its provenance, as CONTRIBUTING.md lists them."""

    labels: NDArray[np.int16]
    predicted: NDArray[np.int16]
    rank: NDArray[np.int16]
    confidence: NDArray[np.float32]
    nll: NDArray[np.float32]
    classes: tuple[str, ...]
    history: Mapping[str, NDArray[np.float64]]
    provenance: Mapping[str, Any]

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Which images the cell gets wrong, (images,)."""
        return np.asarray(self.predicted != self.labels)

    @property
    def top1_error(self) -> float:
        """Share of images whose label is not the largest logit."""
        return float(np.count_nonzero(self.wrong)) / len(self.labels)

    @property
    def top5_error(self) -> float | None:
        """Share of images whose label is not among the five largest logits; None for five classes or fewer."""
        return float(np.count_nonzero(self.rank >= 5)) / len(self.labels) if len(self.classes) > 5 else None


@dataclass(frozen=True)
class Results:
    """The cells that are there, and for each that is not why it is not."""

    present: Mapping[Cell, Result]
    missing: Mapping[Cell, str]


def load(wanted: Iterable[Cell], measured: bool = False) -> Results:
    """Read ``wanted`` from DVC's folders, or from data/measured; damaged cells count as missing and say what is wrong."""
    present: dict[Cell, Result] = {}
    missing: dict[Cell, str] = {}
    first: dict[str, tuple[Cell, Result]] = {}
    for cell in wanted:
        folders = (cells.measured(cell), cells.measured(cell)) if measured else (cells.predictions(cell), cells.history(cell))
        try:
            result = read(cell, *folders)
            other, reference = first.setdefault(cell.dataset, (cell, result))
            if result.classes != reference.classes or not np.array_equal(result.labels, reference.labels):
                raise StudyError(f"its test images are not those of {other}")
        except StudyError as error:
            missing[cell] = str(error)
        else:
            present[cell] = result
    return Results(present, missing)


def read(cell: Cell, predictions: Path, history: Path) -> Result:
    """One cell from its two folders; StudyError says in a few words what is absent or damaged."""
    paths = [
        predictions / "predictions.npz",
        predictions / "metrics.json",
        history / "history.csv",
        history / "provenance.json",
    ]
    absent = [path for path in paths if not path.is_file()]
    if len(absent) == len(paths):
        raise StudyError(ABSENT + _failure(cell))
    if absent:
        raise StudyError(f"{' and '.join(map(str, absent))} absent")
    arrays, metrics, curves, provenance = (
        _reading(path, reader) for path, reader in zip(paths, (_predictions, _mapping, _history, _mapping), strict=True)
    )
    result = Result(**arrays, history=curves, provenance=provenance)
    if provenance.get("cell") != str(cell):
        raise StudyError(f"{paths[3]} is of another cell, {provenance.get('cell')}")
    if any(key not in provenance for key in PROVENANCE):
        raise StudyError(f"{paths[3]} lacks {', '.join(key for key in PROVENANCE if key not in provenance)}")
    if metrics.get("images") != len(result.labels) or abs(metrics.get("top1_error", 2.0) - result.top1_error) > 1e-9:
        raise StudyError(f"{paths[1]} and {paths[0]} contradict each other")
    return result


def measured_cells() -> list[str]:
    """Names of the folders in data/measured, sorted."""
    folder = cells.DATA / "measured"
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _reading(path: Path, reader: Any) -> Any:
    try:
        return reader(path)
    except (ValueError, KeyError, TypeError, EOFError, BadZipFile, zlib.error, csv.Error):
        raise StudyError(f"{path} damaged") from None


def _predictions(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in ARRAYS}
        classes = tuple(str(name) for name in file["classes"])
    labels, predicted = arrays["labels"], arrays["predicted"]
    if not len(labels) or any(array.shape != labels.shape or array.ndim != 1 for array in arrays.values()):
        raise ValueError
    if min(labels.min(), predicted.min()) < 0 or max(labels.max(), predicted.max()) >= len(classes):
        raise ValueError
    return {**arrays, "classes": classes}


def _history(path: Path) -> dict[str, NDArray[np.float64]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise ValueError
    return {column: np.array([float(row[column]) for row in rows]) for column in COLUMNS}


def _mapping(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError
    return content


def _failure(cell: Cell) -> str:
    """What the record of a failed training says, where this machine has one."""
    try:
        record = _mapping(cells.failed(cell))
    except (OSError, ValueError):
        return ""
    return f"; its training failed: {str(record.get('error', '')).rstrip('.')}"
