"""Tables of errors: by fraction for each dataset, the penalty of the harder dataset, and ours beside the published."""

from dataclasses import dataclass

from study.report.absent import absent
from study.report.analysis import Analysis, arm_of
from study.report.columns import Column, Table, estimate
from study.report.labels import start
from study.report.numbers import percent, points, points_with_interval, yes
from study.report.text import escaped
from study.statistics.contrasts import Arm, error, gain, penalty
from study.statistics.estimate import Estimate


@dataclass(frozen=True)
class Change:
    """A row: two errors at a train fraction, and their difference. ``step`` names the two datasets where there are two."""

    label: str
    model: str
    fraction: float
    step: str
    first: Estimate | None
    second: Estimate | None
    change: Estimate | None


def by_fraction(analysis: Analysis, dataset: str) -> Table:
    """Top-1 error per fraction: scratch, pre-trained, and what pre-training takes off, for every architecture."""
    rows = []
    for scratch, pretrained in _pairs(analysis):
        for fraction in analysis.grid.fractions:
            first = analysis.estimate(error(dataset, scratch, fraction)) if scratch else None
            second = analysis.estimate(error(dataset, pretrained, fraction)) if pretrained else None
            both = scratch and pretrained
            change = analysis.estimate(gain(dataset, scratch, pretrained, fraction)) if both else None
            if analysis.measured_here or first or second:  # published at some fractions only
                name = pretrained or scratch
                rows.append(Change(analysis.labels.architecture_of(name), name, fraction, "", first, second, change))
    cells = [cell for cell in analysis.missing if cell.dataset == dataset]
    guess = "Always answering the largest class" if analysis.imbalanced(dataset) else "Guessing"
    return Table(
        f"errors_{dataset}",
        f"Top-1 error on {escaped(dataset)}, % of test images",
        (
            Column("Architecture", "architecture", lambda row: row.label, escaped),
            Column("Train fraction", "fraction", lambda row: row.fraction),
            estimate("Scratch", "scratch", lambda row: row.first),
            estimate("Pre-trained", "pretrained", lambda row: row.second),
            estimate("Gain, points", "gain", lambda row: row.change, points_with_interval),
            Column("", "guessing", lambda _: analysis.evidence.guessing(dataset)),
        ),
        tuple(rows),
        (
            f"Gain is the error from scratch less the error with pre-training. "
            f"{guess} errs on {percent(analysis.evidence.guessing(dataset))} %.",
            *absent(analysis, cells),
        ),
    )


def harder(analysis: Analysis) -> Table | None:
    """Top-1 error on a dataset and on the next harder one, and their difference; None where there is one dataset."""
    steps = analysis.conclusions.roles.harder
    if not steps:
        return None
    rows = []
    for step in steps:
        for fraction in analysis.grid.fractions:
            for model in analysis.grid.models:
                first, second = (analysis.estimate(error(dataset, model.name, fraction)) for dataset in step)
                change = analysis.estimate(penalty(step, model.name, fraction))
                if analysis.measured_here or change:
                    label = analysis.labels.model(model)
                    rows.append(Change(label, model.name, fraction, " → ".join(step), first, second, change))
    shown = tuple(row for row in rows if row.fraction in (analysis.grid.fractions[0], analysis.grid.fractions[-1]))
    several = len(steps) > 1
    easy, hard = ("easier", "harder") if several else steps[0]
    return Table(
        "penalty",
        "The penalty of the harder dataset: top-1 error, % of test images, "
        + ("for each step" if several else f"{escaped(easy)} then {escaped(hard)}"),
        (
            *([Column("Step", "step", lambda row: row.step, escaped)] if several else []),
            Column("Model", "", lambda row: row.label, escaped),
            Column("", "model", lambda row: row.model),
            Column("Train fraction", "fraction", lambda row: row.fraction),
            estimate(easy.capitalize() if several else easy, easy, lambda row: row.first),
            estimate(hard.capitalize() if several else hard, hard, lambda row: row.second),
            estimate("Penalty, points", "penalty", lambda row: row.change, points_with_interval),
        ),
        tuple(rows),
        (
            f"The penalty is the error on {'the harder dataset' if several else hard} less the error on "
            f"{'the easier one' if several else easy}.",
            *(["The largest and the smallest fraction; the CSV has all."] if len(shown) < len(rows) else []),
            *absent(analysis, analysis.missing),
        ),
        shown,
    )


def beside_published(analysis: Analysis) -> Table | None:
    """Ours and published, cell by cell; None where no cell of ours is published."""
    shared = shared_arms(analysis)
    if not shared:
        return None

    def ours(arm: Arm) -> Estimate | None:
        return analysis.estimate(error(arm.dataset, arm.model, arm.fraction))

    def difference(arm: Arm) -> float | None:
        return None if (own := ours(arm)) is None else round(own.value - analysis.published.errors[arm], 12)

    def inside(arm: Arm) -> bool | None:
        return None if (own := ours(arm)) is None else own.low <= analysis.published.errors[arm] <= own.high

    return Table(
        "beside_published",
        "Top-1 error, % of test images: published and ours",
        (
            Column("Dataset", "dataset", lambda arm: arm.dataset),
            Column("Model", "", lambda arm: analysis.labels.of(arm.model), escaped),
            Column("", "model", lambda arm: arm.model),
            Column("Train fraction", "fraction", lambda arm: arm.fraction),
            Column("Published", "published", lambda arm: analysis.published.errors[arm], percent),
            estimate("Ours", "ours", ours),
            Column("Ours − published, points", "difference", difference, points),
            Column("Published inside our interval", "inside", inside, yes),
        ),
        tuple(shared),
        (
            f"Published: {'; '.join(map(escaped, analysis.published.sources))}. Single runs, given to three decimals.",
            *absent(analysis, analysis.lacking(shared)),
        ),
    )


def shared_arms(analysis: Analysis) -> list[Arm]:
    """The arms of the grid that are published too, in the grid's order; empty unless one of them was trained."""
    shared = [arm for arm in dict.fromkeys(map(arm_of, analysis.grid.cells())) if arm in analysis.published.errors]
    return shared if analysis.measured_here and set(shared) & set(analysis.evidence.arms) else []


def _pairs(analysis: Analysis) -> list[tuple[str, str]]:
    """(scratch, pre-trained) pairs, and every model without a partner with "" in the other place; in params' order."""
    pairs = analysis.conclusions.roles.pairs()
    paired = {name for pair in pairs for name in pair}
    alone = [model for model in analysis.grid.models if model.name not in paired]
    return pairs + [(model.name, "") if start(model) == "scratch" else ("", model.name) for model in alone]
