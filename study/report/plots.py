"""Wide CSVs for ``dvc plots``: a column for each model, values in percent."""

from collections.abc import Iterator

import numpy as np

from study.report.analysis import Analysis
from study.report.table import Value
from study.statistics.estimates import Arm

Plot = tuple[str, tuple[str, ...], list[tuple[Value, ...]]]


def all_plots(analysis: Analysis) -> Iterator[Plot]:
    """(file name without suffix, columns, rows) of each: error by fraction, and validation error by epoch."""
    for dataset in analysis.grid.datasets:
        yield error_by_fraction(analysis, dataset)
        if any(cell.dataset == dataset for cell in analysis.results):
            yield learning(analysis, dataset)


def error_by_fraction(analysis: Analysis, dataset: str) -> Plot:
    """Top-1 test error of each model, mean over seeds, fractions ascending; empty where cells are missing."""
    models = [model.name for model in analysis.grid.models]
    rows: list[tuple[Value, ...]] = []
    for fraction in sorted(analysis.grid.fractions):
        arms = [Arm(dataset, model, fraction) for model in models]
        rows.append((fraction, *(_percent(analysis.errors.runs(arm)) if arm in analysis.errors else None for arm in arms)))
    return f"error_{dataset}", ("fraction", *models), rows


def learning(analysis: Analysis, dataset: str) -> Plot:
    """Validation error of each model at the operating point by epoch, mean over seeds."""
    models = [model.name for model in analysis.grid.models]
    curves = []
    for model in models:
        runs = analysis.arm_results(Arm(dataset, model, analysis.grid.fraction))
        shortest = min((len(run.history) for run in runs), default=0)
        curves.append([_percent(np.array([run.history[epoch].val_error for run in runs])) for epoch in range(shortest)])
    longest = max(map(len, curves))
    rows: list[tuple[Value, ...]] = [
        (epoch + 1, *(curve[epoch] if epoch < len(curve) else None for curve in curves)) for epoch in range(longest)
    ]
    return f"learning_{dataset}", ("epoch", *models), rows


def _percent(runs: "np.typing.NDArray[np.float64]") -> float:
    return round(100 * float(runs.mean()), 10)
