"""Tables that are views of the frame of cells: metrics, epochs, provenance, spread over seeds, classes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from study.report.absent import absent
from study.report.analysis import Analysis
from study.report.columns import Column, Table
from study.report.frame import class_errors
from study.report.numbers import percent
from study.report.text import code, escaped
from study.statistics.contrasts import Arm
from study.statistics.sample import Sample
from study.statistics.variability import spread

CLASSES = 20  # rows that pages show


def metrics(analysis: Analysis, cells: pd.DataFrame) -> Table:
    """Every cell's test metrics, and its validation errors at the best and at the last epoch side by side."""
    return Table(
        "cells",
        "Every cell: test metrics, and validation errors at the best and at the last epoch",
        (
            _column("Cell", "cell", code),
            _column("Top-1 error, %", "top1_error", percent),
            _column("Balanced error, %", "balanced_error", percent),
            _column("Top-5 error, %", "top5_error", percent),
            _column("NLL", "nll", lambda value: f"{value:.3f}"),
            _column("Calibration error, %", "calibration_error", percent),
            _column("Best epoch", "best_epoch"),
            _column("of", "epochs"),
            _column("Validation error, best epoch, %", "val_error_best", percent),
            _column("Validation error, last epoch, %", "val_error_last", percent),
        ),
        _records(cells),
        (
            "The balanced error is the mean of the errors of the classes. NLL is the mean negative log likelihood. The "
            "calibration error is the expected one, over ten bins. The best epoch has the lowest validation error, and of "
            "equal ones the lowest validation loss; the test metrics are of that epoch.",
            *absent(analysis, analysis.missing),
        ),
    )


def provenance(analysis: Analysis, cells: pd.DataFrame) -> Table:
    """From what every cell was trained, and with which kernels."""
    return Table(
        "provenance",
        "Provenance of every cell",
        (
            _column("Cell", "cell", code),
            _column("Kernels", "kernels", escaped),
            _column("Libraries", "libraries", escaped),
            _column("Train images", "train_images"),
            _column("Steps", "steps"),
            _column("Checkpoint sha256", "checkpoint_sha256", lambda text: code(text[:12])),
        ),
        _records(cells),
        absent(analysis, analysis.missing),
    )


def variability(analysis: Analysis) -> Table | None:
    """Standard deviation of the error between trainings, scratch and pre-trained; None below three seeds."""
    claim = analysis.conclusions.finding("C5")
    sample = analysis.evidence
    parts = [part for part in claim.parts if not part.missing]
    if not parts or not isinstance(sample, Sample):
        return None

    def deviation(place: int) -> Callable[[Any], float]:
        def of(part: Any) -> float:
            arms = [arm for arm in part.arms if arm.model == part.where.models[place]]
            return spread(sample, arms).deviation

        return of

    return Table(
        "variability",
        "How much trainings of one model differ: standard deviation of top-1 error over seeds, points",
        (
            Column("Dataset", "dataset", lambda part: part.where.datasets[0]),
            Column("Architecture", "", lambda part: analysis.labels.architecture_of(part.where.models[1]), escaped),
            Column("", "model", lambda part: part.where.models[1]),
            Column("Scratch", "sd_scratch", deviation(0), lambda value: percent(value, 2)),
            Column("Pre-trained", "sd_pretrained", deviation(1), lambda value: percent(value, 2)),
        ),
        tuple(parts),
        (
            "Pooled over fractions. What single test images add to the spread by chance is taken off. 0.00 stands where that "
            "is all of it.",
        ),
    )


def classes(analysis: Analysis, dataset: str) -> Table | None:
    """The error on every class at the operating point, where classes are imbalanced; else None."""
    result = analysis.one_result(dataset)
    if result is None or not analysis.imbalanced(dataset):
        return None
    errors = {}
    for model in analysis.grid.models:
        runs = analysis.arm_results(Arm(dataset, model.name, analysis.grid.fraction))
        if runs:
            errors[model.name] = np.mean([class_errors(run) for run in runs], axis=0)
    if not errors:
        return None
    images = np.bincount(result.labels, minlength=len(result.classes))
    mean = np.nan_to_num(np.mean(list(errors.values()), axis=0))
    places = tuple(range(len(images)))
    worst = tuple(sorted(places, key=lambda place: -mean[place])[:CLASSES])

    def of(model: str) -> Callable[[int], float | None]:
        return lambda place: float(errors[model][place]) if images[place] else None

    return Table(
        f"classes_{dataset}",
        f"Error of each class of {escaped(dataset)}, %, at train fraction {analysis.grid.fraction}",
        (
            Column("Class", "class", lambda place: result.classes[place], escaped),
            Column("Test images", "images", lambda place: int(images[place])),
            *(Column(escaped(analysis.labels.of(model)), model, of(model), percent) for model in errors),
        ),
        places,
        (f"The {CLASSES} classes with the highest mean error; the CSV has all.",) if len(worst) < len(places) else (),
        worst if len(worst) < len(places) else None,
    )


def balanced(analysis: Analysis) -> Table | None:
    """Error over images beside the mean error over classes at the operating point, for imbalanced datasets; else None."""
    fraction, datasets = analysis.grid.fraction, filter(analysis.imbalanced, analysis.grid.datasets)
    possible = [Arm(dataset, model.name, fraction) for dataset in datasets for model in analysis.grid.models]
    arms = [arm for arm in possible if not analysis.evidence.missing([arm])]
    if not arms:
        return None

    def balanced_error(arm: Arm) -> float:
        return float(np.mean([np.nanmean(class_errors(run)) for run in analysis.arm_results(arm)]))

    return Table(
        "balanced",
        f"Imbalanced classes: error over images and over classes, %, at train fraction {fraction}",
        (
            Column("Dataset", "dataset", lambda arm: arm.dataset, escaped),
            Column("Model", "model", lambda arm: arm.model, lambda name: escaped(analysis.labels.of(name))),
            Column("Error over images", "top1_error", analysis.evidence.error, percent),
            Column("Balanced accuracy", "", lambda arm: 1 - balanced_error(arm), percent),
            Column("Balanced error", "balanced_error", balanced_error, percent),
        ),
        tuple(arms),
    )


def _records(frame: pd.DataFrame) -> tuple[dict[str, Any], ...]:
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return tuple({str(key): value for key, value in row.items()} for row in rows)


def _column(title: str, name: str, form: Callable[[Any], str] = str) -> Column:
    return Column(title, name, lambda row: row[name], form)
