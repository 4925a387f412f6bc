"""Every figure of a report, with the words that say what it shows to whoever cannot see it."""

from collections.abc import Iterator

from matplotlib.figure import Figure

from study.report.analysis import Analysis
from study.report.figures import classes, comparisons, forest, fractions, learning


def all_figures(analysis: Analysis) -> Iterator[tuple[str, str, Figure]]:
    """(file name without suffix, description, figure) of each that there are cells for."""
    operating = f"at train fraction {analysis.grid.fraction}"
    possible: list[tuple[str, str, Figure | None]] = [
        ("forest", "Every part of the hypotheses: effect, interval, and what could have come out", forest.forest(analysis)),
        ("penalty", "Penalty of the harder dataset for each model", comparisons.penalty_per_model(analysis)),
        ("beside_published", "Our errors beside the published ones", comparisons.ours_beside_published(analysis)),
    ]
    for name in analysis.datasets:
        possible += [
            (f"error_{name}", f"Error by train fraction, {name}", fractions.error_against_fraction(analysis, name)),
            (f"gain_{name}", f"Gain from pre-training, {name}", fractions.gain_against_fraction(analysis, name)),
            (f"slope_{name}", f"Error at 1.0 and at the smallest fraction, {name}", fractions.slope(analysis, name)),
            (f"learning_{name}", f"Learning curves, {name}", learning.learning_curves(analysis, name)),
            (f"calibration_{name}", f"Calibration, {name} {operating}", classes.calibration(analysis, name)),
            (f"hardest_{name}", f"Hardest classes, {name} {operating}", classes.hardest_classes(analysis, name)),
            (f"confusion_{name}", f"Confusion matrices, {name} {operating}", classes.confusion(analysis, name)),
        ]
    yield from ((name, text, figure) for name, text, figure in possible if figure is not None)
