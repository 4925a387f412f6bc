"""Learning curves: a panel for each model, a line for each train fraction and seed."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from study.report.analysis import Analysis
from study.report.figures.style import DASHES, label_ends, nothing, panels, style
from study.statistics.contrasts import Arm


def learning_curves(analysis: Analysis, dataset: str) -> Figure | None:
    """Validation error by epoch of every cell, the kept epoch ringed; None for published numbers."""
    if not analysis.measured_here:
        return None
    one_seed = len(analysis.grid.seeds) == 1
    lines = "train fraction" if one_seed else "train fraction and seed"
    title = f"Learning curves, {dataset}, a line for each {lines}\ncircles: the epoch that is kept"
    with panels(analysis, title, 2.1) as (figure, titled):
        highest, ends = 0.0, []
        for axes, model in titled:
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_ylabel("val. error, %")
            names, colour, width = [], style(analysis, model).colour, 1.3 if one_seed else 0.8
            for place, fraction in enumerate(analysis.grid.fractions):
                runs = analysis.arm_results(Arm(dataset, model.name, fraction))
                for result in runs:
                    epochs = np.array([line.epoch for line in result.history])
                    errors = np.array([100 * line.val_error for line in result.history])
                    axes.plot(epochs, errors, color=colour, linestyle=DASHES[place % len(DASHES)], linewidth=width)
                    best = np.flatnonzero(epochs == result.provenance.best_epoch)
                    axes.plot(epochs[best], errors[best], "o", color=colour, markerfacecolor="white", markersize=4)
                    highest = max(highest, float(errors.max()))
                if runs:
                    last = float(np.mean([100 * result.history[-1].val_error for result in runs]))
                    names.append((last, str(fraction), colour))
            if not names:
                nothing(axes, "missing")
            ends.append(names)
        for (axes, _), names in zip(titled, ends, strict=True):
            axes.set_ylim(0, 1.04 * highest or 1)
            label_ends(axes, names)
    return figure
