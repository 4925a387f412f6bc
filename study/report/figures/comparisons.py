"""Figures that set numbers side by side: the penalty per model, and ours beside the published."""

from matplotlib.figure import Figure

from study.report.analysis import Analysis
from study.report.figures.style import WIDTH, broken, canvas, legend, runs_legend, style
from study.report.numbers import points
from study.report.tables.top1 import shared_arms
from study.statistics.contrasts import error, penalty


def penalty_per_model(analysis: Analysis) -> Figure | None:
    """error(harder) - error(easier) of every model at fraction 1.0, with intervals; None where there is one dataset."""
    steps = analysis.conclusions.roles.harder
    if not steps or 1.0 not in analysis.grid.fractions:
        return None
    several = len(steps) > 1
    rows = [(step, model) for step in steps for model in analysis.grid.models]
    with canvas(WIDTH, 1.1 + 0.42 * len(rows)) as (figure, (axes,)):
        axes.set_title(f"Penalty of the harder dataset at fraction 1.0\n{legend(analysis, 'bar')}{runs_legend(analysis)}")
        hard, easy = ("the harder dataset", "the easier one") if several else steps[0][::-1]
        axes.set_xlabel(f"error on {hard} − error on {easy}, points")
        for place, (step, model) in enumerate(rows):
            estimate, look = analysis.estimate(penalty(step, model.name, 1.0)), style(analysis, model)
            if estimate is None:
                axes.text(0, place, " missing", va="center", color="#666666", fontsize=8)
                continue
            axes.hlines(place, 100 * estimate.low, 100 * estimate.high, color=look.colour, linewidth=1.6)
            if len(estimate.runs) > 1:
                axes.plot([100 * run for run in estimate.runs], [place + 0.22] * len(estimate.runs), ".", color=look.colour)
            axes.plot([100 * estimate.value], [place], **(look.line | {"linestyle": "none", "markersize": 7}))
            axes.annotate(
                points(estimate.value),
                (100 * estimate.value, place),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color=look.colour,
            )
        names = [broken(analysis.labels.model(model) + (f", {' → '.join(step)}" if several else "")) for step, model in rows]
        axes.set_yticks(range(len(rows)), names)
        axes.set_ylim(len(rows) - 0.5, -0.7)
        axes.axvline(0, color="#888888", linewidth=0.8)
    return figure


def ours_beside_published(analysis: Analysis) -> Figure | None:
    """Published errors as crosses, ours with intervals, a row for each cell; None where no cell of ours is published."""
    arms = shared_arms(analysis)
    if not arms:
        return None
    names = {model.name: model for model in analysis.grid.models}
    with canvas(WIDTH, 1.2 + 0.24 * len(arms)) as (figure, (axes,)):
        axes.set_title(f"Published (×) and ours ({legend(analysis, 'bar')})")
        axes.set_xlabel("top-1 error, % of test images")
        for place, arm in enumerate(arms):
            look, ours = style(analysis, names[arm.model]), analysis.estimate(error(arm.dataset, arm.model, arm.fraction))
            theirs = 100 * analysis.published.errors[arm]
            if ours is not None:
                axes.plot([100 * ours.value, theirs], [place, place], color="#bbbbbb", linewidth=0.8)
                axes.hlines(place, 100 * ours.low, 100 * ours.high, color=look.colour, linewidth=1.6)
                axes.plot([100 * ours.value], [place], **(look.line | {"linestyle": "none"}))
            axes.plot([theirs], [place], "x", color="black", markersize=6)
        rows = [f"{arm.dataset}, {analysis.labels.model(names[arm.model])}, {arm.fraction}" for arm in arms]
        rows = [row if arm in analysis.evidence.arms else f"{row} (missing)" for row, arm in zip(rows, arms, strict=True)]
        axes.set_yticks(range(len(arms)), rows, fontsize=7)
        axes.set_ylim(len(arms) - 0.4, -0.6)
        axes.set_xlim(left=0)
    return figure
