"""What changes how the verdicts are read, one line each."""

from collections.abc import Iterator

from study.base.errors import listed
from study.report.absent import absent
from study.report.analysis import Analysis
from study.report.numbers import between, percent
from study.report.part_names import called_safely
from study.report.text import code, escaped
from study.results.collected import ABSENT
from study.statistics import verdicts
from study.statistics.contrasts import error, minus, penalty
from study.statistics.doubtful import LISTS

# Caveats of a dataset's format. LEAKS change how numbers are read, so they stand near the top.
LEAKS = {
    "digits100": (
        "validation leaks. Its train and validation pairs share single digits, so validation errors lie far below test errors. "
        "Its test pairs are made of the test images of digits, while intervals take the two test sets as independent."
    ),
}
NOTES = {
    "cifar100": (
        "the official test set has 10 images that stand pixel for pixel in the training set too, 6 of them under another "
        "label. The official sets are kept as they are."
    ),
}


def warnings(analysis: Analysis) -> tuple[str, ...]:
    """One line each, the one that concerns most numbers first."""
    return tuple(_all(analysis))


def _all(analysis: Analysis) -> Iterator[str]:
    if not analysis.measured_here:
        yield "**Nothing on this page was measured by this project.** These are published numbers, one run of each cell."
    elif analysis.missing:
        yield _incomplete(analysis)
    seeds = len(analysis.grid.seeds)
    if analysis.evidence.over_trainings:
        yield (
            f"**{seeds} seeds.** Verdicts hold for other trainings by the same recipe, from the same pre-trained weights where "
            "there are any. Intervals are over trainings and test images. Few seeds make them wide."
        )
    elif analysis.measured_here and seeds == 1:
        yield "**One seed.** Verdicts hold for these trained models and say nothing of another training."
    elif analysis.measured_here:
        yield "**Two seeds.** Intervals are over test images alone: two trainings are too few for an interval over trainings."
    yield from _guessing(analysis)
    yield from _untellable(analysis)
    yield from _errors_alone(analysis)
    yield from _steps(analysis)
    yield from _recipes(analysis)
    for dataset in analysis.grid.datasets:
        if (format_ := analysis.formats.get(dataset, "")) in LEAKS:
            yield f"**{escaped(dataset)}:** {LEAKS[format_]}"
    yield from _scales(analysis)
    for kind in analysis.conclusions.sensitivities:
        changed = kind.changed(analysis.conclusions.findings)
        if changed:
            parts = f"{len(changed)} part{'s change' if len(changed) > 1 else ' changes'}"
            names = listed([f"{key}, {called_safely(analysis, key, part)}" for key, part, _ in changed], 2, "; ")
            yield f"**Doubtful test images:** {LISTS[kind.kind]}, {parts} verdict: {names}."
    yield from _order(analysis)
    for dataset in analysis.grid.datasets:
        if analysis.imbalanced(dataset):
            sizes = f"those of {escaped(dataset)} differ in size twofold or more"
            yield f"**Imbalanced classes:** {sizes}. Errors count images; balanced errors stand below."
    kernels = sorted({result.provenance.kernels for result in analysis.results.values()})
    if len(kernels) > 1:
        yield f"**Several kernels** ({listed([escaped(each) for each in kernels], 3)}): cells may differ by rounding, too."


def _incomplete(analysis: Analysis) -> str:
    reasons = [f"{code(cell)}: {escaped(why)}" for cell, why in analysis.missing.items() if why != ABSENT]
    sentences = ["**This report is incomplete.**", *absent(analysis, analysis.missing)]
    if len(analysis.grid.seeds) > 1:
        sentences.append("A mean is given only where all its seeds are there.")
    if reasons:
        sentences.append(f"Reasons: {listed(reasons, 3, '; ')}.")
    return " ".join(sentences)


def _guessing(analysis: Analysis) -> Iterator[str]:
    arms = analysis.conclusions.near_guessing
    if arms:
        names = listed([code(arm) for arm in arms], 6)
        err, left = ("errs", "It has") if len(arms) == 1 else ("err", "They have")
        yield f"**Near guessing:** {names} {err} at least nine tenths as often as guessing. {left} little left to lose."


def _untellable(analysis: Analysis) -> Iterator[str]:
    """Which parts of the hypotheses have no say, and why."""
    found = analysis.conclusions.hypotheses
    parts = [(finding.key, part) for finding in found for part in finding.with_verdict(verdicts.UNTELLABLE)]
    if parts:
        names = [
            f"{key}, {called_safely(analysis, key, part)} (could have come out: {between(part.attainable)} points)"
            for key, part in parts
        ]
        yield (
            f"**Cannot be told**, and so without a say in the verdicts: {listed(names, 3, '; ')}. No error of the model named "
            "first at the smaller fraction, or on the harder dataset, could have changed the sign, with all others as they are."
        )


def _errors_alone(analysis: Analysis) -> Iterator[str]:
    """Where errors support H2 and losses do not: the model that errs more with less data does so with all data already."""
    parts = analysis.conclusions.finding("H2").parts
    words: dict[tuple[str, ...], set[str]] = {}  # models and dataset: the verdicts of errors
    for part in parts:
        if part.where.step == "a":
            words.setdefault(part.where.models + part.where.datasets, set()).add(part.verdict)
    told = (verdicts.SUPPORTED, verdicts.UNTELLABLE)
    supported = {where for where, found in words.items() if verdicts.SUPPORTED in found and found <= set(told)}
    gaps = []
    for part in parts:
        models, datasets = part.where.models, part.where.datasets
        if part.where.step == "b" and part.verdict in (verdicts.TOO_SMALL, verdicts.REFUTED) and models + datasets in supported:
            second, first = (error(datasets[0], name, 1.0) for name in models)
            gap = analysis.estimate(minus(second, first))
            if gap is not None and gap.sign > 0:
                more, less = (escaped(analysis.labels.architecture_of(name)) for name in models)
                place = f"on {escaped(datasets[0])}"
                gaps.append(
                    f"{place}, {more} from scratch errs {percent(gap.value)} points more than {less} with all data already"
                )
    if gaps:
        yield (
            f"**H2 holds by errors, not by losses:** {listed(gaps, 3, '; ')}. Parts that say “errs more” do not say that less "
            "data cost it more."
        )


def _recipes(analysis: Analysis) -> Iterator[str]:
    """In which keys of the recipe models differ on the same dataset."""
    values: dict[str, dict[str, dict[str, dict[str, None]]]] = {}  # key: dataset: value: models
    for cell, result in analysis.results.items():
        for key, value in result.provenance.recipe.items():
            models = values.setdefault(key, {}).setdefault(cell.dataset, {})
            models.setdefault(escaped("none" if value is None else value), {})[code(cell.model)] = None
    for key, datasets in values.items():
        differing = {
            dataset: "; ".join(f"{text} for {listed(list(models), 4)}" for text, models in found.items())
            for dataset, found in datasets.items()
            if len(found) > 1
        }
        alike = len(differing) == len(datasets) and len(set(differing.values())) == 1
        for dataset, named in list(differing.items())[: 1 if alike else None]:
            where = code(key) if alike else f"On {escaped(dataset)}, {code(key)}"
            yield f"**Recipes differ.** {where} is {named}. A difference between such models may come from it."


def _steps(analysis: Analysis) -> Iterator[str]:
    """Where smaller fractions were trained for fewer optimiser steps."""
    recipes = [result.provenance.recipe for result in analysis.results.values()]
    by_epochs = [recipe.get("budget", "epochs") == "epochs" for recipe in recipes]
    largest, smallest = analysis.grid.fractions[0], analysis.grid.fractions[-1]
    if any(by_epochs) and smallest < largest:
        mixed = not all(by_epochs)
        took = f"raction {smallest} took about {smallest / largest:.2g} of the optimiser steps of {largest}"
        yield (
            f"**Fewer steps with less data.** {'Where `budget` is epochs, f' if mixed else 'F'}{took}. What less data costs "
            "and what less training costs are not told apart."
        )


def _scales(analysis: Analysis) -> Iterator[str]:
    apart = [each for each in analysis.conclusions.disagreeing if each.part.verdict != verdicts.UNTELLABLE]
    if apart:
        names = [f"{each.key}, {called_safely(analysis, each.key, each.part)}" for each in apart]
        count = f"{len(apart)} of {len(analysis.conclusions.readings)} parts"
        named = listed(names, 2, "; ")
        yield f"**Scales disagree** in {count}, by their intervals: {named}. Verdicts are in points; all scales are below."


def _order(analysis: Analysis) -> Iterator[str]:
    """Where a dataset turns out to be easier than the one before it; penalties would have the wrong sign."""
    models, fraction = analysis.grid.models, analysis.grid.fraction
    for step in analysis.conclusions.roles.harder:
        penalties = [analysis.estimate(penalty(step, model.name, fraction)) for model in models]
        known = [each for each in penalties if each]
        if any(each.sign < 0 for each in known) and all(each.value <= 0 for each in known):
            easy, hard = map(escaped, step)
            yield f"**No model errs more on {hard} than on {easy}:** `study.datasets` should name the easy dataset first."
