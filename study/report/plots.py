"""CSVs for ``dvc plots`` and other plotters: a column for each model, values in percent; and the forest plot's numbers."""

from collections.abc import Iterator

import numpy as np

from study.report.analysis import Analysis
from study.report.columns import Value, to_csv
from study.report.part_names import called
from study.statistics.contrasts import Arm, error


def all_plots(analysis: Analysis) -> Iterator[tuple[str, str]]:
    """(file name without suffix, CSV) of each: error by fraction, validation error by epoch, and the forest plot."""
    for dataset in analysis.datasets:
        yield f"error_{dataset}", error_by_fraction(analysis, dataset)
        if analysis.measured_here:
            yield f"learning_{dataset}", learning(analysis, dataset)
    yield "forest", forest(analysis)


def error_by_fraction(analysis: Analysis, dataset: str) -> str:
    """Top-1 test error of each model, mean over seeds, fractions ascending; empty where cells are missing."""
    models = [model.name for model in analysis.grid.models]
    rows: list[list[Value]] = []
    for fraction in sorted(analysis.grid.fractions):
        found = [analysis.estimate(error(dataset, model, fraction)) for model in models]
        rows.append([fraction, *(None if each is None else _percent(each.value) for each in found)])
    return to_csv(("fraction", *models), rows)


def learning(analysis: Analysis, dataset: str) -> str:
    """Validation error of each model at the operating point by epoch, mean over seeds."""
    models = [model.name for model in analysis.grid.models]
    curves = []
    for model in models:
        runs = analysis.arm_results(Arm(dataset, model, analysis.grid.fraction))
        shortest = min((len(run.history) for run in runs), default=0)
        curves.append([_percent(float(np.mean([run.history[epoch].val_error for run in runs]))) for epoch in range(shortest)])
    longest = max(map(len, curves))
    rows: list[list[Value]] = [
        [epoch + 1, *(curve[epoch] if epoch < len(curve) else None for curve in curves)] for epoch in range(longest)
    ]
    return to_csv(("epoch", *models), rows)


def forest(analysis: Analysis) -> str:
    """Every part of H1 to H3: effect with its interval and attainable range, in points, and its verdict."""
    rows: list[list[Value]] = []
    for finding in analysis.conclusions.hypotheses:
        for part in finding.parts:
            effect, range_ = part.estimate, part.attainable
            numbers = (effect.value, effect.low, effect.high) if effect else (None, None, None)
            shares = (*numbers, *(range_ or (None, None)))
            points = [each if each is None else _percent(each) for each in shares]
            rows.append([finding.key, called(analysis, finding.key, part), *points, part.verdict])
    return to_csv(("hypothesis", "part", "effect", "low", "high", "attainable_low", "attainable_high", "verdict"), rows)


def _percent(share: float) -> float:
    return round(100 * share, 10)
