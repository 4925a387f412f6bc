"""Every figure of a report, with the words that say what it shows to whoever cannot see it."""

from collections.abc import Iterator

from matplotlib.figure import Figure

from study.report.analysis import Analysis
from study.report.figures import classes, comparisons, curves, fractions


def all_figures(analysis: Analysis) -> Iterator[tuple[str, str, Figure]]:
    """(file name without suffix, description, figure) of each that there are cells for."""
    datasets, operating = analysis.grid.datasets, f"at train fraction {analysis.grid.fraction}"
    for dataset in datasets:
        yield (
            f"error_{dataset}",
            f"Top-1 error against train fraction on {dataset}",
            fractions.error_against_fraction(analysis, dataset),
        )
    rest = [
        ("gain", "Gain from pre-training against train fraction", fractions.gain_against_fraction(analysis)),
        ("slope", "Top-1 error at fraction 1.0 and at the smallest", fractions.slope(analysis)),
        ("penalty", "Penalty of the harder dataset for each model", comparisons.penalty_per_model(analysis)),
        ("beside_published", "Our errors beside the published ones", comparisons.ours_beside_published(analysis)),
    ]
    for dataset in datasets:
        rest += [
            (f"learning_{dataset}", f"Learning curves on {dataset}", curves.learning_curves(analysis, dataset)),
            (f"calibration_{dataset}", f"Calibration on {dataset} {operating}", classes.calibration(analysis, dataset)),
            (f"hardest_{dataset}", f"Hardest classes of {dataset} {operating}", classes.hardest_classes(analysis, dataset)),
            (f"confusion_{dataset}", f"Confusion matrices on {dataset} {operating}", classes.confusion(analysis, dataset)),
        ]
    yield from ((name, text, figure) for name, text, figure in rest if figure is not None)
