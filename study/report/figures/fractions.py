"""Figures over the train fraction: error, gain from pre-training, and the slope from 1.0 to the smallest."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from study.report.analysis import Analysis
from study.report.figures.style import WIDTH, Style, canvas, label_ends, legend, log_fractions, nothing, runs_legend, style
from study.report.numbers import signed
from study.statistics.contrasts import Contrast, error, gain

MISSING = "no cells to show"
SINGLE_RUNS = {"linestyle": "none", "markersize": 2.5, "markeredgewidth": 0.6, "alpha": 0.8}


def error_against_fraction(analysis: Analysis, dataset: str) -> Figure:
    """Top-1 error of every model, with its interval as a band, single runs as dots where there are several, and guessing."""
    fractions = analysis.grid.fractions
    with canvas(WIDTH, 3.9) as (figure, (axes,)):
        shown = f"{legend(analysis, 'band')}; grey line: guessing{runs_legend(analysis)}"
        axes.set_title(f"Top-1 error against train fraction, {dataset}\n{shown}")
        axes.set_ylabel("top-1 error, % of test images")
        log_fractions(axes, fractions)
        lines = [
            (style(analysis, model), analysis.labels.model(model), [error(dataset, model.name, f) for f in fractions])
            for model in analysis.grid.models
        ]
        names = _lines(analysis, axes, fractions, lines)
        axes.axhline(100 * analysis.evidence.guessing(dataset), color="#888888", linewidth=1, linestyle=(0, (2, 2)))
        axes.set_ylim(0, min(102, axes.get_ylim()[1] + 2))
        _finish(axes, names)  # last: how far names are moved apart depends on the axis
    return figure


def gain_against_fraction(analysis: Analysis, dataset: str) -> Figure | None:
    """error(scratch) - error(pre-trained) of every architecture; None without pairs."""
    pairs, fractions = analysis.conclusions.roles.pairs(), analysis.grid.fractions
    if not pairs:
        return None
    models = {model.name: model for model in analysis.grid.models}
    with canvas(WIDTH, 3.4) as (figure, (axes,)):
        axes.set_title(f"Gain from pre-training, {dataset}\n{legend(analysis, 'band')}{runs_legend(analysis)}")
        axes.set_ylabel("gain, points of top-1 error")
        axes.axhline(0, color="#888888", linewidth=0.8)
        log_fractions(axes, fractions)
        lines = [
            (
                style(analysis, models[pretrained]),
                analysis.labels.architecture_of(pretrained),
                [gain(dataset, scratch, pretrained, f) for f in fractions],
            )
            for scratch, pretrained in pairs
        ]
        _finish(axes, _lines(analysis, axes, fractions, lines))
    return figure


def slope(analysis: Analysis, dataset: str) -> Figure | None:
    """Error at fraction 1.0 joined to error at the smallest; None where the ladder has no such step."""
    if not analysis.conclusions.roles.smallest:
        return None
    ends = (1.0, *analysis.conclusions.roles.smallest)
    with canvas(WIDTH, 3.6) as (figure, (axes,)):
        axes.set_title(f"Top-1 error from fraction 1.0 to {ends[1]}, {dataset}\n{legend(analysis, 'bar')}")
        axes.set_ylabel("top-1 error, % of test images")
        axes.set_xlim(-0.15, 1.15)
        axes.set_xticks([0, 1], [str(end) for end in ends])
        axes.set_xlabel("train fraction")
        names = []
        for place, model in enumerate(analysis.grid.models):
            pair = [each for end in ends if (each := analysis.estimate(error(dataset, model.name, end)))]
            if len(pair) < 2:
                continue
            look = style(analysis, model)
            heights = [100 * each.value for each in pair]
            bars = [[100 * (each.value - each.low) for each in pair], [100 * (each.high - each.value) for each in pair]]
            shift = 0.012 * (place - (len(analysis.grid.models) - 1) / 2)  # or bars would hide each other
            axes.errorbar([shift, 1 + shift], heights, yerr=bars, capsize=2, **look.line)
            change = signed(heights[1] - heights[0])
            names.append((heights[1], f"{analysis.labels.model(model)} {change}", look.colour))
        axes.set_ylim(0, min(102, axes.get_ylim()[1]))
        _finish(axes, names)
    return figure


def _lines(
    analysis: Analysis, axes: Axes, fractions: Sequence[float], lines: Sequence[tuple[Style, str, Sequence[Contrast]]]
) -> list[tuple[float, str, str]]:
    """Draw each line with its band where its cells are there; the names that belong at the lines' ends."""
    names = []
    for place, (look, name, contrasts) in enumerate(lines):
        estimates = [analysis.estimate(each) for each in contrasts]
        there = [estimate for estimate in estimates if estimate is not None]
        if not there:
            continue
        ends = [(each.value, each.low, each.high) if each else (np.nan,) * 3 for each in estimates]
        values, low, high = 100 * np.array(ends).T
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
    return names


def _finish(axes: Axes, names: Sequence[tuple[float, str, str]]) -> None:
    if names:
        label_ends(axes, names)
    else:
        nothing(axes, MISSING)
