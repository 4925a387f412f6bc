"""The tables of a report, one function each. Nothing is rounded before it is subtracted."""

import math
from collections.abc import Iterable

from study.design.cells import Cell
from study.report.analysis import Analysis
from study.report.labels import kind
from study.report.table import (
    NONE,
    Table,
    Value,
    bounds,
    percent,
    percent_with_interval,
    points,
    points_with_interval,
    with_unit,
)
from study.settings.params import Model
from study.statistics.calibration import calibrate
from study.statistics.effects import Finding, penalty
from study.statistics.estimates import Arm, error, minus

COUNTED = ("supported", "refuted", "inconclusive", "not tested")


def errors(analysis: Analysis, dataset: str) -> Table:
    """Top-1 error per fraction: scratch, pre-trained, and Δ (pre-trained - scratch), for every architecture."""
    rows, data = [], []
    for scratch, pretrained in _rows(analysis):
        model = pretrained or scratch
        assert model is not None
        label = analysis.labels.architecture(model)
        for fraction in analysis.grid.fractions:
            before, after = (
                analysis.estimate(error(dataset, each.name, fraction)) if each else None for each in (scratch, pretrained)
            )
            change = (
                analysis.estimate(minus(error(dataset, pretrained.name, fraction), error(dataset, scratch.name, fraction)))
                if scratch and pretrained
                else None
            )
            if not analysis.measured_here and before is None and after is None:
                continue  # published at some fractions only
            rows.append(
                (
                    label,
                    str(fraction),
                    percent_with_interval(before),
                    percent_with_interval(after),
                    points_with_interval(change),
                )
            )
            data.append((label, fraction, *bounds(before), *bounds(after), *bounds(change)))
    return Table(
        f"errors_{dataset}",
        f"Top-1 error on {dataset}, % of test images",
        ("Architecture", "Train fraction", "Scratch", "Pre-trained", "Δ, points"),
        tuple(rows),
        ("architecture", "fraction", *_triple("scratch"), *_triple("pretrained"), *_triple("delta")),
        tuple(data),
        (
            "Δ is pre-trained − scratch: below 0, pre-training helps.",
            *_notes(analysis, [cell for cell in analysis.missing if cell.dataset == dataset]),
        ),
    )


def dataset_penalty(analysis: Analysis) -> Table | None:
    """Top-1 error on the easy and on the hard dataset, and their difference; None for other than two datasets."""
    if len(analysis.grid.datasets) != 2:
        return None
    easy, hard = analysis.grid.datasets
    rows, data = [], []
    for fraction in analysis.grid.fractions:
        for model in analysis.grid.models:
            each = [analysis.estimate(error(dataset, model.name, fraction)) for dataset in (easy, hard)]
            change = analysis.estimate(penalty((easy, hard), model, fraction))
            if not analysis.measured_here and change is None:
                continue  # published at some fractions only
            label = analysis.labels.model(model)
            rows.append((label, str(fraction), *map(percent_with_interval, each), points_with_interval(change)))
            data.append((model.name, fraction, *bounds(each[0]), *bounds(each[1]), *bounds(change)))
    return Table(
        "penalty",
        f"The penalty of the harder dataset: top-1 error, % of test images, {easy} then {hard}",
        ("Model", "Train fraction", easy, hard, "Δ, points"),
        tuple(rows),
        ("model", "fraction", *_triple(easy), *_triple(hard), *_triple("penalty")),
        tuple(data),
        (f"Δ is {hard} − {easy}.", *_notes(analysis, analysis.missing)),
    )


def verdicts(analysis: Analysis) -> Table:
    """Every hypothesis and claim with its verdict and how many parts say so."""
    rows: list[tuple[str, ...]] = []
    data: list[tuple[Value, ...]] = []
    for finding in analysis.findings:
        counts = [len(finding.with_verdict(verdict)) for verdict in COUNTED]
        rows.append((f"{finding.key}: {finding.claim}", f"**{finding.verdict}**", *map(str, counts)))
        data.append((finding.key, finding.claim, finding.verdict, *counts))
    return Table(
        "verdicts",
        "Verdicts",
        (
            "Hypothesis or claim",
            "Verdict" if analysis.measured_here else "Verdict, without intervals",
            *(f"Parts {verdict}" for verdict in COUNTED),
        ),
        tuple(rows),
        ("key", "claim", "verdict", *(verdict.replace(" ", "_") for verdict in COUNTED)),
        tuple(data),
        (
            "A hypothesis is supported or refuted if all its tested parts are, else mixed; not tested if no part is.",
            *_notes(analysis, analysis.missing),
        ),
    )


def parts(analysis: Analysis, finding: Finding) -> Table:
    """The parts of one hypothesis or claim: estimate, interval, verdict."""
    rows, data = [], []
    near_chance = analysis.near_chance
    bounded = [not near_chance.isdisjoint(part.arms) for part in finding.parts]
    for part, mark in zip(finding.parts, bounded, strict=True):
        rows.append((f"{part.label}{' †' * mark}", with_unit(part.estimate, part.unit), part.verdict))
        data.append((part.label, part.unit, *bounds(part.estimate), part.verdict, " ".join(map(str, part.missing))))
    lacking = {arm for part in finding.parts for arm in part.missing}
    return Table(
        f"parts_{finding.key.lower()}",
        f"{finding.key}: {finding.claim}",
        ("Part", f"Effect, {finding.parts[0].unit if finding.parts else 'points'}", "Verdict"),
        tuple(rows),
        ("part", "unit", *_triple("effect"), "verdict", "missing"),
        tuple(data),
        (
            "Supported where the interval lies above 0, refuted below; each part has its own 95 %, not corrected for their "
            "number."
            if analysis.measured_here
            else "Supported where the effect is above 0, refuted below: without intervals.",
            *(["† A model near chance takes part, whose loss is bounded by the error of guessing."] if any(bounded) else []),
            *_notes(analysis, [cell for cell in analysis.missing if Arm(cell.dataset, cell.model, cell.fraction) in lacking]),
        ),
    )


def relative(analysis: Analysis) -> Table | None:
    """Points against growth of error by a factor, for the parts that compare two losses; None where there are none."""
    if not analysis.relatives:
        return None
    rows, data = [], []
    for each in analysis.relatives:
        ratio = each.log_ratio
        factors = [None if value is None else math.exp(value) for value in (ratio.value, ratio.low, ratio.high)]
        interval = "" if None in factors else f" [{factors[1]:.2f}, {factors[2]:.2f}]"
        rows.append(
            (
                f"{each.key}: {each.part.label}",
                points_with_interval(each.part.estimate),
                f"{each.growths[0]:.2f}",
                f"{each.growths[1]:.2f}",
                f"{factors[0]:.2f}{interval}",
                "**no**" if each.disagrees else "yes",
            )
        )
        data.append((each.key, each.part.label, *bounds(each.part.estimate), *each.growths, *factors, not each.disagrees))
    return Table(
        "relative",
        "Absolute and relative: the same parts as points lost, and as the factor by which error grows",
        ("Part", "Points, first − second", "Growth, first", "Growth, second", "Ratio of growths", "Do they agree?"),
        tuple(rows),
        ("key", "part", *_triple("points"), "growth_first", "growth_second", *_triple("ratio"), "agree"),
        tuple(data),
        (
            "First and second are scratch and pre-trained in H1, ViT and CNN in H2 and H3. Growth is error after ÷ error "
            "before; a ratio above 1 says that the first grows by the larger factor. The verdicts rest on points.",
            *(
                [
                    "Where an interval holds 0 points, or a ratio of 1, the side is not settled. A ratio has no interval where "
                    "a resampled test set has no error at all."
                ]
                if analysis.measured_here
                else []
            ),
            *_notes(analysis, analysis.missing),
        ),
    )


def beside_published(analysis: Analysis) -> Table | None:
    """Ours and published, cell by cell; None where no cell of ours is published."""
    shared = shared_arms(analysis)
    if not shared:
        return None
    names = {model.name: model for model in analysis.grid.models}
    rows, data = [], []
    for arm in shared:
        ours, theirs = analysis.estimate(error(arm.dataset, arm.model, arm.fraction)), analysis.published.errors[arm]
        difference = None if ours is None else round(ours.value - theirs, 12)
        inside = None if ours is None or ours.low is None or ours.high is None else ours.low <= theirs <= ours.high
        rows.append(
            (
                f"{arm.dataset}, {analysis.labels.model(names[arm.model])}",
                str(arm.fraction),
                f"{100 * theirs:.1f}",
                percent_with_interval(ours),
                NONE if difference is None else points(difference),
                NONE if inside is None else "yes" if inside else "no",
            )
        )
        data.append((arm.dataset, arm.model, arm.fraction, theirs, *bounds(ours), difference, inside))
    return Table(
        "beside_published",
        "Top-1 error, % of test images: published and ours",
        ("Model", "Train fraction", "Published", "Ours", "Ours − published, points", "Published inside our interval"),
        tuple(rows),
        ("dataset", "model", "fraction", "published", *_triple("ours"), "difference", "inside"),
        tuple(data),
        (
            f"Published: {'; '.join(analysis.published.sources)}. Single runs, given to three decimals.",
            *_notes(analysis, [cell for cell in analysis.missing if Arm(cell.dataset, cell.model, cell.fraction) in shared]),
        ),
    )


def shared_arms(analysis: Analysis) -> list[Arm]:
    """The arms of the grid that are published too, in the grid's order; empty unless one of them was trained."""
    arms = [Arm(cell.dataset, cell.model, cell.fraction) for cell in analysis.grid.cells()]
    shared = [arm for arm in dict.fromkeys(arms) if arm in analysis.published.errors]
    return shared if analysis.measured_here and any(arm in analysis.errors for arm in shared) else []


def cells(analysis: Analysis) -> Table | None:
    """Every cell's test metrics; None for the published numbers."""
    if not analysis.measured_here:
        return None
    rows: list[tuple[str, ...]] = []
    data: list[tuple[Value, ...]] = []
    for cell in analysis.grid.cells():
        result = analysis.results.get(cell)
        if result is None:
            rows.append((f"`{cell}`", "missing", *[NONE] * 5))
            data.append((str(cell), *[None] * 6))
            continue
        said = result.predictions
        top1, top5, best = said.top1_error, said.top5_error, result.provenance.best_epoch
        ece, nll = calibrate(said.confidence, ~said.wrong).ece, float(said.nll.mean(dtype="float64"))
        rows.append(
            (
                f"`{cell}`",
                percent(1 - top1),
                percent(top1),
                NONE if top5 is None else percent(top5),
                f"{nll:.3f}",
                percent(ece),
                str(best),
            )
        )
        data.append((str(cell), 1 - top1, top1, top5, nll, ece, best))
    return Table(
        "cells",
        "Every cell on the test set",
        ("Cell", "Top-1 accuracy, %", "Top-1 error, %", "Top-5 error, %", "NLL", "Calibration error, %", "Best epoch"),
        tuple(rows),
        ("cell", "top1_accuracy", "top1_error", "top5_error", "nll", "calibration_error", "best_epoch"),
        tuple(data),
        (
            "NLL is the mean negative log likelihood. Calibration error is the expected one, over ten bins. The best epoch "
            "has the lowest validation error. No top-5 for five classes or fewer.",
            *_missing(analysis, analysis.missing),
        ),
    )


def provenance(analysis: Analysis) -> Table | None:
    """From what every cell was trained, and with which kernels; None for the published numbers."""
    if not analysis.measured_here:
        return None
    rows, data = [], []
    for cell in analysis.grid.cells():
        if cell not in analysis.results:
            rows.append((f"`{cell}`", f"missing: {analysis.missing[cell]}", *[NONE] * 4))
            continue
        record = analysis.results[cell].provenance
        versions = ", ".join(f"{name} {version}" for name, version in record.libraries.items())
        counts = record.train_images, record.validation_images
        rows.append((f"`{cell}`", record.kernels, versions, *map(str, counts), record.checkpoint_sha256[:12]))
        data.append((str(cell), record.kernels, versions, *counts, record.checkpoint_sha256))
    return Table(
        "provenance",
        "Provenance of every cell",
        ("Cell", "Kernels", "Libraries", "Train images", "Validation images", "Checkpoint sha256"),
        tuple(rows),
        ("cell", "kernels", "libraries", "train_images", "validation_images", "checkpoint_sha256"),
        tuple(data),
        tuple(_missing(analysis, analysis.missing)),
    )


def variability(analysis: Analysis) -> Table | None:
    """Standard deviation of the error over seeds, scratch and pre-trained; None below three seeds."""
    claim = next(finding for finding in analysis.findings if finding.key == "C5")
    if not claim.parts:
        return None
    rows, data = [], []
    for part in claim.parts:
        spreads = [None if arm not in analysis.errors else float(analysis.errors.runs(arm).std(ddof=1)) for arm in part.arms]
        shown = [NONE if spread is None else f"{100 * spread:.2f}" for spread in spreads]
        ratio = part.estimate and math.exp(part.estimate.value)
        rows.append((part.label, *shown, with_unit(part.estimate, part.unit), NONE if ratio is None else f"{ratio:.2f}"))
        data.append((part.label, *spreads, *bounds(part.estimate)))
    return Table(
        "variability",
        "Standard deviation of top-1 error over seeds, points",
        ("Part", "Scratch", "Pre-trained", "Log ratio", "Ratio"),
        tuple(rows),
        ("part", "sd_scratch", "sd_pretrained", *_triple("log_ratio")),
        tuple(data),
        (
            "The interval of the log ratio is that of a ratio of two normal variances (F).",
            *_missing(analysis, analysis.missing),
        ),
    )


def all_tables(analysis: Analysis) -> list[Table]:
    """Every table that there is something to say in."""
    possible = [
        *(errors(analysis, dataset) for dataset in analysis.grid.datasets),
        dataset_penalty(analysis),
        verdicts(analysis),
        *(parts(analysis, finding) for finding in analysis.findings if finding.parts),
        relative(analysis),
        beside_published(analysis),
        variability(analysis),
        cells(analysis),
        provenance(analysis),
    ]
    return [table for table in possible if table is not None]


def _rows(analysis: Analysis) -> list[tuple[Model | None, Model | None]]:
    """(scratch, pre-trained) pairs, and every model without a partner with None in the other place; in params' order."""
    pairs: list[tuple[Model | None, Model | None]] = list(analysis.grid.pairs())
    paired = {model.name for pair in pairs for model in pair if model}
    alone = [model for model in analysis.grid.models if model.name not in paired]
    return pairs + [(model, None) if kind(model) == "scratch" else (None, model) for model in alone]


def _triple(name: str) -> tuple[str, str, str]:
    return name, f"{name}_low", f"{name}_high"


def _notes(analysis: Analysis, missing: Iterable[Cell]) -> tuple[str, ...]:
    return (analysis.interval_note, *_missing(analysis, missing))


def _missing(analysis: Analysis, missing: Iterable[Cell]) -> tuple[str, ...]:
    return tuple(filter(None, [analysis.absent(missing)]))
