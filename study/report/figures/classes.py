"""Figures at the operating point, a panel for each model: calibration, hardest classes, confusion."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from study.report.analysis import Analysis
from study.report.figures.style import INTERVAL, Style, drawable, nothing, panels, style
from study.results.collected import Result
from study.statistics.calibration import calibrate, wilson
from study.statistics.contrasts import Arm

HARDEST = 10


def calibration(analysis: Analysis, dataset: str) -> Figure | None:
    """Accuracy against confidence in ten bins, with Wilson intervals, and the distribution of confidence below."""

    def draw(axes: Axes, look: Style, runs: list[Result]) -> None:
        confidence = np.concatenate([run.predictions.confidence for run in runs])
        right = np.concatenate([~run.wrong for run in runs])
        found = calibrate(confidence, right)
        low, high = wilson(found.accuracy, found.images / len(runs))
        axes.plot([0, 100], [0, 100], color="#888888", linewidth=0.8)
        axes.bar(100 * found.confidence, 100 * found.images / found.images.sum(), width=3, color="#cccccc", zorder=1)
        axes.vlines(100 * found.confidence, 100 * low, 100 * high, color=look.colour, linewidth=1.2)
        axes.plot(100 * found.confidence, 100 * found.accuracy, **look.line)
        axes.set_title(f"{axes.get_title(loc='left')}\nECE {100 * found.ece:.1f} %", fontsize=9)
        axes.set_xlim(-3, 103)  # or markers at the ends are cut in half
        axes.set_ylim(-3, 103)
        axes.set_xlabel("confidence, %")
        axes.set_ylabel("accuracy, %")

    bars = f"ECE: expected calibration error; lines: {INTERVAL}\ngrey bars: share of images"
    title = f"Calibration, {dataset}, fraction {analysis.grid.fraction}\n{bars}"
    return _panels(analysis, dataset, title, 2.5, draw)


def hardest_classes(analysis: Analysis, dataset: str) -> Figure | None:
    """The classes with the highest error of each model, with Wilson intervals."""

    def draw(axes: Axes, look: Style, runs: list[Result]) -> None:
        classes = drawable(runs[0].classes)
        labels = np.concatenate([run.labels for run in runs])
        wrong = np.concatenate([run.wrong for run in runs])
        images = np.bincount(labels, minlength=len(classes))
        errors = np.bincount(labels, weights=wrong, minlength=len(classes)).astype(np.int64)
        share = errors / np.maximum(images, 1)
        worst = np.argsort(-share, kind="stable")[: min(HARDEST, np.count_nonzero(errors))]
        if not len(worst):
            nothing(axes, "no errors")
            return
        low, high = wilson(share[worst], np.maximum(images[worst], 1) / len(runs))
        places = np.arange(len(worst))
        axes.hlines(places, 100 * low, 100 * high, color=look.colour, linewidth=1.2)
        axes.plot(100 * share[worst], places, **(look.line | {"linestyle": "none"}))
        axes.set_yticks(places, [classes[each] for each in worst], fontsize=7)
        axes.set_ylim(len(worst) - 0.5, -0.5)
        axes.set_xlim(-3, 103)  # or markers at the ends are cut in half
        axes.set_xlabel("class error, %")

    title = f"Hardest classes, {dataset}, fraction {analysis.grid.fraction}\nten at most; bars: {INTERVAL}"
    return _panels(analysis, dataset, title, 2.4, draw)


def confusion(analysis: Analysis, dataset: str) -> Figure | None:
    """What the images of each class (row) were taken for (column), in percent of the row; darker is more."""

    def draw(axes: Axes, look: Style, runs: list[Result]) -> None:
        classes = drawable(runs[0].classes)
        size = len(classes)
        pairs = np.concatenate([run.labels.astype(np.int64) * size + run.predictions.predicted for run in runs])
        counts = np.bincount(pairs, minlength=size * size).reshape(size, size)
        shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.grid(False)
        axes.imshow(np.sqrt(shares), cmap="Greys", vmin=0, vmax=10, interpolation="nearest")
        step = 1 if size <= 20 else 10
        axes.set_xticks(range(0, size, step), classes[::step], rotation=90, fontsize=6)
        axes.set_yticks(range(0, size, step), classes[::step], fontsize=6)
        axes.set_xlabel("taken for")
        axes.set_ylabel("class")
        if size <= 12:
            for (row, column), share in np.ndenumerate(shares):
                if round(share) >= 1:
                    colour = "white" if share > 35 else "black"
                    axes.text(column, row, f"{share:.0f}", ha="center", va="center", fontsize=5.5, color=colour)

    title = f"Confusion, {dataset}, fraction {analysis.grid.fraction}\n% of each class, grey by the square root"
    return _panels(analysis, dataset, title, 2.6, draw)


def _panels(
    analysis: Analysis,
    dataset: str,
    title: str,
    height: float,
    draw: Callable[[Axes, Style, list[Result]], None],
) -> Figure | None:
    """``draw`` in the panel of each model; None where no cell of the operating point is there."""
    found = [analysis.arm_results(Arm(dataset, model.name, analysis.grid.fraction)) for model in analysis.grid.models]
    if not any(found):
        return None
    with panels(analysis, title, height) as (figure, titled):
        for (axes, model), runs in zip(titled, found, strict=True):
            if runs:
                draw(axes, style(analysis, model), runs)
            else:
                nothing(axes, "missing")
    return figure
