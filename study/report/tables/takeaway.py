"""What a reader takes home: which model errs least, what pre-training is worth in data, how much data a target needs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from study.report.absent import absent
from study.report.analysis import Analysis
from study.report.columns import Column, Table, estimate
from study.report.numbers import NONE, percent, signed, two_digits, with_interval, yes
from study.report.text import escaped
from study.statistics.contrasts import Arm
from study.statistics.equivalents import Equivalent
from study.statistics.estimate import Estimate
from study.statistics.requirements import FARTHEST, Requirement

NICE = (0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005)
TARGETS = 3


@dataclass(frozen=True)
class Needs:
    """How much data a model needs for each of some target errors."""

    model: str
    each: tuple[Requirement, ...]


@dataclass(frozen=True)
class Least:
    """The arm with the lowest error of its dataset and fraction, and the models that err as little, for all that is known."""

    arm: Arm
    error: Estimate | None
    rivals: tuple[str, ...]


def least(analysis: Analysis) -> Table | None:
    """Which model errs least, on each dataset at each fraction of the ladder; None where there are no two to compare."""
    rows: list[Least] = []
    missing: set[Arm] = set()
    for dataset in analysis.grid.datasets:
        for fraction in analysis.grid.ladder:
            asked = [Arm(dataset, model.name, fraction) for model in analysis.grid.models]
            gone = analysis.evidence.missing(asked)
            arms = [arm for arm in asked if arm not in gone]
            if len(arms) > 1:
                rows.append(_least(analysis, arms))
                missing.update(gone)
    if not rows:
        return None

    def labels(models: Sequence[str]) -> str:
        return "; ".join(escaped(analysis.labels.of(model)) for model in models) or NONE

    return Table(
        "least",
        "Which model errs least",
        (
            Column("Dataset", "dataset", lambda row: row.arm.dataset),
            Column("Train fraction", "fraction", lambda row: row.arm.fraction),
            Column("Model", "", lambda row: analysis.labels.of(row.arm.model), escaped),
            Column("", "model", lambda row: row.arm.model),
            estimate("Error, %", "top1_error", lambda row: row.error),
            Column("Not told apart from it", "", lambda row: row.rivals, labels),
            Column("", "rivals", lambda row: " ".join(row.rivals)),
        ),
        tuple(rows),
        (
            "The last column has the models whose difference from it may be 0, by its 95 % interval. A model that is chosen "
            "from several by its error on a test set errs a little more elsewhere.",
            *absent(analysis, analysis.lacking(missing)),
        ),
    )


def equivalents(analysis: Analysis) -> Table | None:
    """The data equivalent of pre-training; None without pairs."""
    if not analysis.conclusions.equivalents:
        return None
    return Table(
        "equivalents",
        "What pre-training is worth in data",
        (
            Column("Dataset", "dataset", lambda each: each.dataset),
            Column("Architecture", "", lambda each: analysis.labels.architecture_of(each.pretrained), escaped),
            Column("", "model", lambda each: each.pretrained),
            Column("Train fraction", "fraction", lambda each: each.fraction),
            Column("Worth how many times the data", "", lambda each: each, times),
            Column("", "times", lambda each: each.times),
            Column("", "times_low", lambda each: each.low),
            Column("", "times_high", lambda each: each.high),
        ),
        analysis.conclusions.equivalents,
        (
            "With so many times the data, the model from scratch errs as little. It is read from that model's curve, "
            "interpolated linearly on log-log axes between the fractions. “More than” stands where the curve ends.",
        ),
    )


def exponents(analysis: Analysis) -> Table | None:
    """How fast errors fall with data; None below three fractions."""
    if not analysis.conclusions.exponents:
        return None
    return Table(
        "exponents",
        "How fast the error falls with data",
        (
            Column("Dataset", "dataset", lambda each: each.dataset),
            Column("Model", "", lambda each: analysis.labels.of(each.model), escaped),
            Column("", "model", lambda each: each.model),
            estimate("Exponent b", "exponent", lambda each: each.exponent, lambda b: with_interval(b, lambda v: signed(v, 2))),
            Column("Twice the data divides the error by", "", lambda each: 2**each.exponent.value, lambda v: f"{v:.2f}"),
            Column("Largest miss of the fit, % of the error", "worst", lambda each: each.worst, percent),
            Column("Misses may be chance", "fits", lambda each: each.fits, yes),
        ),
        analysis.conclusions.exponents,
        (
            "The error is fitted as n to the power of −b, n being the number of train images. “No”: a miss of this power law "
            "is more than chance, by its interval. Each fraction has its own 95 %, so chance alone gives some “no”. A large "
            "test set shows small misses, a small one hides large ones.",
        ),
    )


def needs(analysis: Analysis, dataset: str, targets: Sequence[float] = ()) -> Table | None:
    """How many labelled images a few target errors need on ``dataset``; None where no curve has three fractions."""
    found: dict[str, list[Requirement]] = {}
    for target in targets or nice_targets(analysis, dataset):
        for each in analysis.conclusions.requirements(target, dataset):
            found.setdefault(each.model, []).append(each)
    if not found:
        return None
    images = analysis.full_images(dataset)
    first = next(iter(found.values()))
    unit = "labelled train images" if images else "shares of the train images"
    return Table(
        f"needs_{dataset}",
        f"How much data does a target error need on {escaped(dataset)}? In {unit}",
        (
            Column("Model", "", lambda row: analysis.labels.of(row.model), escaped),
            Column("", "model", lambda row: row.model),
            *(column for place, each in enumerate(first) for column in _target(place, each.target, images)),
            Column("Forecast was off by, %", "", lambda row: row.each[0].backtest_percent, lambda value: signed(value, 0)),
            Column("", "backtest_percent", lambda row: row.each[0].backtest_percent),
        ),
        tuple(Needs(model, tuple(each)) for model, each in found.items()),
        (
            "By the power law through all fractions. * marks what lies beyond the fractions measured, where the law may not "
            "hold. “Under” stands where the whole interval lies below the smallest fraction. The last column tests the law: "
            "fitted without the largest fraction, it forecasts the error there. Above 0, the forecast was too high. Intervals "
            "are wide enough to hold that miss.",
            *(["Labelled images for validation come on top."] if images else []),
        ),
    )


def nice_targets(analysis: Analysis, dataset: str) -> list[float]:
    """At most three round errors, from half of the smallest error measured to the largest."""
    errors = [analysis.evidence.error(arm) for arm in analysis.evidence.arms if arm.dataset == dataset]
    if not errors:
        return []
    fit = [target for target in NICE if min(errors) / 2 <= target <= max(errors)]
    steps = range(min(TARGETS, len(fit)))
    return [fit[round(step * (len(fit) - 1) / max(1, len(steps) - 1))] for step in steps]


def amount(fraction: float, images: int | None) -> str:
    """A share of the train images as their number, where that is known; two digits are honest enough."""
    return two_digits(fraction * (images or 1))


def required(each: Requirement, images: int | None) -> str:
    """``1,300 [1,100, 1,700]``, with * where it lies beyond what was measured; ``under 130`` where the least was enough;
    ``over 100 times all* [2,600,000, ∞]``.
    """
    if each.under:
        return f"under {amount(each.smallest, images)}"
    if math.isinf(each.fraction):
        value = f"over {two_digits(FARTHEST * each.largest)} times all*"
    else:
        value = f"{amount(each.fraction, images)}{'*' if each.beyond else ''}"
    if math.isinf(each.low):
        return value
    return f"{value} [{amount(each.low, images)}, {'∞' if math.isinf(each.high) else amount(each.high, images)}]"


def times(each: Equivalent) -> str:
    """``2.8 [2.6, 3.1]``, ``more than 10``, ``less than 1``."""

    def text(value: float) -> str:
        return f"more than {most:g}" if math.isinf(value) else "less than 1" if value == 0 else f"{value:.1f}"

    most = math.floor(round(10 * each.most, 9)) / 10  # rounded down: the curve does not reach farther
    ends = [text(value) for value in (each.times, each.low, each.high)]
    return ends[0] if ends[0] == ends[1] == ends[2] else f"{ends[0]} [{ends[1]}, {ends[2]}]"


def _least(analysis: Analysis, arms: Sequence[Arm]) -> Least:
    best = min(arms, key=analysis.evidence.error)
    effects = {arm.model: analysis.estimate({arm: 1, best: -1}) for arm in arms if arm != best}
    rivals = tuple(model for model, effect in effects.items() if effect is None or effect.sign == 0)
    return Least(best, analysis.estimate({best: 1}), rivals)


def _target(place: int, target: float, images: int | None) -> list[Column]:
    """A target's column for people, and its three for machines, which are shares of the train images."""
    name = f"fraction_for_{target:g}".replace(".", "_")
    return [
        Column(f"{100 * target:g} % error", "", lambda row: row.each[place], lambda each: required(each, images)),
        Column("", name, lambda row: row.each[place].fraction),
        Column("", f"{name}_low", lambda row: row.each[place].low),
        Column("", f"{name}_high", lambda row: row.each[place].high),
    ]
