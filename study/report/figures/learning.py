"""Learning curves: a panel for each model, a line for each train fraction."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from study.report.analysis import Analysis
from study.report.figures.style import DASHES, WIDTH, canvas, label_ends, nothing, style
from study.statistics.contrasts import Arm


def learning_curves(analysis: Analysis, dataset: str) -> Figure | None:
    """Validation error by epoch of every cell, the kept epoch ringed; None for published numbers."""
    if not analysis.measured_here:
        return None
    models, fractions = analysis.grid.models, analysis.grid.fractions
    columns = min(2, len(models))
    rows = -(-len(models) // columns)
    with canvas(WIDTH, 0.6 + 2.1 * rows, columns, rows) as (figure, panels):
        title = f"Learning curves, {dataset}, a line for each train fraction\ncircles: the epoch that is kept"
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        highest, ends = 0.0, []
        for axes, model in zip(panels, models, strict=False):
            axes.set_title(analysis.labels.model(model), fontsize=9)
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_ylabel("val. error, %")
            names, colour, width = [], style(analysis, model).colour, 1.3 if len(analysis.grid.seeds) == 1 else 0.8
            for place, fraction in enumerate(fractions):
                for number, result in enumerate(analysis.arm_results(Arm(dataset, model.name, fraction))):
                    epochs = np.array([line.epoch for line in result.history])
                    errors = np.array([100 * line.val_error for line in result.history])
                    axes.plot(epochs, errors, color=colour, linestyle=DASHES[place % len(DASHES)], linewidth=width)
                    best = np.flatnonzero(epochs == result.provenance.best_epoch)
                    axes.plot(epochs[best], errors[best], "o", color=colour, markerfacecolor="white", markersize=4)
                    highest = max(highest, float(errors.max()))
                    if number == 0:
                        names.append((float(errors[-1]), str(fraction), colour))
            if not names:
                nothing(axes, "missing")
            ends.append(names)
        for axes in panels[len(models) :]:
            axes.set_axis_off()
        for axes in panels[: len(models)]:
            axes.set_ylim(0, 1.04 * highest or 1)
        for axes, names in zip(panels, ends, strict=False):
            label_ends(axes, names)
    return figure
