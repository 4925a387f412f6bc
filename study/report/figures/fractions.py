"""Figures over the train fraction: error, gain from pre-training, and the slope from 1.0 to the smallest."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from study.report.analysis import Analysis
from study.report.figures.style import Style, canvas, label_ends, log_fractions, nothing, shown, style
from study.statistics.effects import gain
from study.statistics.estimates import Contrast, Estimate, error

MISSING = "no cells to show"
SINGLE_RUNS = {"linestyle": "none", "markersize": 2.5, "markeredgewidth": 0.6, "alpha": 0.8}


def error_against_fraction(analysis: Analysis, dataset: str) -> Figure:
    """Top-1 error of every model, with its interval as a band, and single runs as dots where there are several."""
    fractions = analysis.grid.fractions
    with canvas(7.2, 4.2) as (figure, (axes,)):
        axes.set_title(f"Top-1 error against train fraction, {dataset}{shown(analysis, 'band')}")
        axes.set_ylabel("top-1 error, % of test images")
        log_fractions(axes, fractions)
        lines = [
            (style(analysis, model), analysis.labels.model(model), [error(dataset, model.name, f) for f in fractions])
            for model in analysis.grid.models
        ]
        _lines(analysis, axes, fractions, lines)
        axes.set_ylim(0, min(100, axes.get_ylim()[1]))  # an interval may reach further, an error not
    return figure


def gain_against_fraction(analysis: Analysis) -> Figure | None:
    """error(scratch) - error(pre-trained) of every architecture; None without pairs."""
    pairs, fractions = analysis.grid.pairs(), analysis.grid.fractions
    if not pairs:
        return None
    datasets = analysis.grid.datasets
    with canvas(0.6 + 5.0 * len(datasets), 3.8, columns=len(datasets)) as (figure, panels):
        title = f"Gain from pre-training, by train fraction{shown(analysis, 'band')}"
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        for axes, dataset in zip(panels, datasets, strict=True):
            axes.set_title(dataset)
            axes.set_ylabel("gain, points of top-1 error")
            axes.axhline(0, color="#888888", linewidth=0.8)
            log_fractions(axes, fractions)
            lines = [
                (style(analysis, pair[1]), analysis.labels.architecture(pair[1]), [gain(dataset, pair, f) for f in fractions])
                for pair in pairs
            ]
            _lines(analysis, axes, fractions, lines)
    return figure


def slope(analysis: Analysis) -> Figure | None:
    """Error at fraction 1.0 joined to error at the smallest; None where the ladder has no such step."""
    if 1.0 not in analysis.grid.ladder or not analysis.grid.reduced:
        return None
    ends = (1.0, analysis.grid.reduced[-1])
    datasets = analysis.grid.datasets
    with canvas(0.6 + 5.2 * len(datasets), 4.2, columns=len(datasets)) as (figure, panels):
        title = f"Degradation: top-1 error from fraction 1.0 to {ends[1]}{shown(analysis, 'bar')}"
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        for axes, dataset in zip(panels, datasets, strict=True):
            axes.set_title(dataset)
            axes.set_ylabel("top-1 error, % of test images")
            axes.set_xlim(-0.15, 1.15)
            axes.set_xticks([0, 1], [str(end) for end in ends])
            axes.set_xlabel("train fraction")
            names = []
            for place, model in enumerate(analysis.grid.models):
                estimates = [analysis.estimate(error(dataset, model.name, end)) for end in ends]
                if estimates[0] is None or estimates[1] is None:
                    continue
                look = style(analysis, model)
                heights = [100 * each.value for each in estimates if each]
                bars = [
                    [100 * (each.value - (each.value if each.low is None else each.low)) for each in estimates if each],
                    [100 * ((each.value if each.high is None else each.high) - each.value) for each in estimates if each],
                ]
                shift = 0.012 * (place - (len(analysis.grid.models) - 1) / 2)  # or bars would hide each other
                axes.errorbar([shift, 1 + shift], heights, yerr=bars, capsize=2, **look.line)
                change = f"{heights[1] - heights[0]:+.1f}".replace("-", "−")
                names.append((heights[1], f"{analysis.labels.model(model)} {change}", look.colour))
            _finish(axes, names)
            axes.set_ylim(0, min(100, axes.get_ylim()[1]))  # an interval may reach further, an error not
    return figure


def _lines(
    analysis: Analysis, axes: Axes, fractions: Sequence[float], lines: Sequence[tuple[Style, str, Sequence[Contrast]]]
) -> None:
    """Draw each line with its band where its cells are there, and its name at its end."""
    names = []
    for place, (look, name, contrasts) in enumerate(lines):
        estimates = [analysis.estimate(each) for each in contrasts]
        there = [estimate for estimate in estimates if estimate is not None]
        if not there:
            continue
        values, low, high = (_percents(estimates, end) for end in ("value", "low", "high"))
        axes.plot(fractions, values, **look.line)  # a gap where a cell is missing, not a line across it
        axes.fill_between(fractions, low, high, color=look.colour, alpha=0.18, linewidth=0)
        axes.vlines(fractions, low, high, color=look.colour, alpha=0.5, linewidth=0.8)
        if len(analysis.grid.seeds) > 1:
            beside = 0.92 ** ((place + 1) / len(lines))  # each line's single runs in a column of their own
            runs = [
                (beside * fraction, 100 * run)
                for fraction, estimate in zip(fractions, estimates, strict=True)
                for run in (estimate.runs if estimate else ())
            ]
            axes.plot(*zip(*runs, strict=True), **(look.line | SINGLE_RUNS))
        names.append((100 * there[-1].value, name, look.colour))
    _finish(axes, names)


def _percents(estimates: Sequence[Estimate | None], end: str) -> NDArray[np.float64]:
    """``value``, ``low`` or ``high`` of each estimate in percent, nan where there is none."""
    return np.array([np.nan if (value := getattr(each, end, None)) is None else 100 * value for each in estimates])


def _finish(axes: Axes, names: Sequence[tuple[float, str, str]]) -> None:
    if names:
        label_ends(axes, names)
    else:
        nothing(axes, MISSING)
