"""The cells as one tidy frame, published as cells.csv: a row per cell and seed, every metric, the provenance that matters."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from study.report.analysis import Analysis, arm_of
from study.results.collected import Result
from study.statistics.calibration import calibrate


def frame(analysis: Analysis) -> pd.DataFrame:
    """Rows in the grid's order; cells that are missing have no row. Errors are shares in [0, 1]."""
    models = {model.name: model for model in analysis.grid.models}
    rows: list[dict[str, Any]] = []
    for cell in analysis.grid.cells():
        model = models[cell.model]
        row = {
            "cell": str(cell),
            "dataset": cell.dataset,
            "model": cell.model,
            "label": analysis.labels.model(model),
            "family": model.family,
            "pretrained": model.weights is not None,
            "fraction": cell.fraction,
            "seed": cell.seed,
        }
        if cell in analysis.results:
            rows.append(row | _measured(analysis.results[cell]))
        elif (arm := arm_of(cell)) in analysis.evidence.arms and not analysis.measured_here:
            rows.append(row | {"top1_error": analysis.evidence.error(arm)})
    return pd.DataFrame(rows)


def class_errors(result: Result) -> NDArray[np.float64]:
    """The error on each class, (classes,); nan for a class without test images."""
    images = np.bincount(result.labels, minlength=len(result.classes))
    wrong = np.bincount(result.labels, weights=result.wrong, minlength=len(result.classes))
    with np.errstate(invalid="ignore"):
        return np.asarray(wrong / images, dtype=np.float64)


def _measured(result: Result) -> dict[str, Any]:
    said, origin = result.predictions, result.provenance
    best, last = result.history[origin.best_epoch - 1], result.history[-1]
    return {
        "test_images": len(said.labels),
        "top1_accuracy": 1 - said.top1_error,
        "top1_error": said.top1_error,
        "top5_error": said.top5_error,
        "balanced_error": float(np.nanmean(class_errors(result))),
        "nll": float(said.nll.mean(dtype="float64")),
        "calibration_error": calibrate(said.confidence, ~said.wrong).ece,
        "epochs": len(result.history),
        "best_epoch": origin.best_epoch,
        "val_error_best": best.val_error,
        "val_error_last": last.val_error,
        "train_error_best": best.train_error,
        "train_error_last": last.train_error,
        "train_images": origin.train_images,
        "full_images": origin.full_images,
        "validation_images": origin.validation_images,
        "official_images": origin.official_images,
        "steps": _steps(result),
        "kernels": origin.kernels,
        "libraries": ", ".join(f"{name} {version}" for name, version in origin.libraries.items()),
        "weights_source": origin.weights.get("source"),
        "weights_sha256": origin.weights.get("sha256"),
        "checkpoint_sha256": origin.checkpoint_sha256,
    }


def _steps(result: Result) -> int:
    """Optimiser steps of the whole training."""
    origin = result.provenance
    images = origin.full_images if origin.recipe.get("budget") == "steps" else origin.train_images
    return len(result.history) * -(-images // int(origin.recipe["batch_size"]))
