"""The page of a report: what was found, in sentences made from the numbers, then tables, figures and how it was made."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from study.report.analysis import Analysis
from study.report.document import Block, Bullets, Details, Heading, Paragraph, Picture
from study.report.table import Table, with_unit
from study.results.collected import ABSENT
from study.results.provenance import Provenance
from study.statistics.effects import HYPOTHESES, INCONCLUSIVE, NOT_TESTED, REFUTED, SUPPORTED, Finding, Part, penalty

DUPLICATES = (
    "CIFAR-100's official test set has 10 images that stand pixel for pixel in its training set too, 6 of them under "
    "another label. The official sets are kept as they are."
)
PAIRS = (
    "digits100 is made of the images of digits. Its test pairs are the test images of digits, while intervals take the two "
    "test sets as independent; its train and validation pairs share single digits, so that its validation error is far "
    "below its test error."
)


def page(
    analysis: Analysis,
    tables: Sequence[Table],
    figures: Sequence[tuple[str, str]],
    formats: Mapping[str, str],
    strangers: Sequence[str],
) -> list[Block]:
    """The blocks of README.md. ``figures`` are (name, description); ``formats`` the source format of each dataset;
    ``strangers`` names of measured cells that are no part of this grid."""
    by_name = {table.name: table for table in tables}
    pictures = {name: Picture(name, description) for name, description in figures}
    blocks: list[Block] = [Heading(1, _title(analysis))]
    if not analysis.measured_here:
        blocks.append(Paragraph(analysis.intervals))
    elif analysis.missing:
        blocks.append(Paragraph(_incomplete(analysis)))
    blocks += [
        Heading(2, "What was found" if analysis.measured_here else "What the published numbers say"),
        Bullets(tuple(sentence(each, analysis.measured_here) for each in _keyed(analysis, HYPOTHESES))),
    ]
    blocks += [
        Paragraph(text) for text in (_order(analysis), _further(analysis), _relative(analysis), _near_chance(analysis)) if text
    ]
    if analysis.measured_here:
        blocks.append(Paragraph(analysis.intervals))
    blocks += [Heading(2, "What was compared"), Paragraph(_about(analysis))]
    blocks.append(Heading(2, "Error by train fraction"))
    for dataset in analysis.grid.datasets:
        blocks += _present(by_name, f"errors_{dataset}") + _present(pictures, f"error_{dataset}")
    blocks += _present(pictures, "gain") + _present(pictures, "slope")
    if len(analysis.grid.datasets) == 2:
        blocks += [Heading(2, "The harder dataset"), *_present(by_name, "penalty"), *_present(pictures, "penalty")]
    blocks += [Heading(2, "Verdicts, part by part"), *_present(by_name, "verdicts")]
    for finding in analysis.findings:
        table = by_name.get(f"parts_{finding.key.lower()}")
        if table:
            blocks.append(table if finding.key in HYPOTHESES else Details(sentence(finding, analysis.measured_here), (table,)))
        elif finding.key not in HYPOTHESES:
            blocks.append(Paragraph(sentence(finding, analysis.measured_here)))
    blocks += _present(by_name, "relative")
    blocks += _present(by_name, "variability")
    if "beside_published" in by_name:
        blocks += [
            Heading(2, "Beside the published numbers"),
            by_name["beside_published"],
            *_present(pictures, "beside_published"),
        ]
    if analysis.measured_here:
        blocks += _closer(analysis, by_name, pictures) + _made(analysis, by_name, formats, strangers)
    else:
        blocks += [
            Heading(2, "Where the numbers come from"),
            Paragraph(f"Errors from: {'; '.join(analysis.published.sources)}."),
        ]
    return blocks


def sentence(finding: Finding, measured_here: bool = True) -> str:
    """The verdict on a hypothesis or claim in one sentence, with its numbers; published numbers have no intervals."""
    untested = [part for part in finding.parts if part.verdict == NOT_TESTED]
    tested = [part for part in finding.parts if part.verdict != NOT_TESTED]
    mark = "" if measured_here or not tested else ", without intervals"
    head, claim = f"**{finding.key}: {finding.verdict}{mark}.**", f"“{finding.claim}”"
    lacking = "cells are missing" if measured_here else "cells were not published"
    if not finding.parts:
        return f"{head} To test {claim}, the study would need {finding.without}."
    if not tested:
        return f"{head} {claim} is not tested, because {lacking}."
    found = [(verdict, parts) for verdict in (SUPPORTED, REFUTED, INCONCLUSIVE) if (parts := finding.with_verdict(verdict))]
    shares = [
        _share(len(found[0][1]), len(tested), "tested part" if untested else "part"),
        *(str(len(parts)) for _, parts in found[1:]),
    ]
    said = [f"{verdict} in {share} ({_range(parts)})" for (verdict, parts), share in zip(found, shares, strict=True)]
    if untested:
        said.append(f"not tested in {len(untested)} more, whose {lacking}")
    return f"{head} {claim} is {', '.join(said[:-1])}{' and ' if said[:-1] else ''}{said[-1]}."


def _share(count: int, total: int, part: str) -> str:
    if total == 1:
        return f"the one {part}"
    if count < total:
        return f"{count} of {total} {part}s"
    return f"both {part}s" if total == 2 else f"all {total} {part}s"


def _range(parts: Sequence[Part]) -> str:
    """The parts, or where there are more than two those with the smallest and the largest effect."""
    if len(parts) <= 2:
        return "; ".join(map(_number, parts))
    ordered = sorted(parts, key=lambda part: part.estimate.value if part.estimate else 0.0)
    return f"lowest: {_number(ordered[0])}; highest: {_number(ordered[-1])}"


def _number(part: Part) -> str:
    return f"{part.label}: {with_unit(part.estimate, part.unit)} {'points' if part.unit == 'points' else 'in log ratio'}"


def _further(analysis: Analysis) -> str:
    """The further claims with their verdicts, in one line."""
    claims = [f"{each.key} {each.claim[0].lower()}{each.claim[1:]}: **{each.verdict}**" for each in analysis.findings]
    return f"Further claims. {'; '.join(claims[len(HYPOTHESES) :])}."


def _title(analysis: Analysis) -> str:
    return {"published": "The published numbers", "measured": "Cells measured by hand"}.get(
        analysis.grid.name, f"Report of the study {analysis.grid.name}"
    )


def _about(analysis: Analysis) -> str:
    grid = analysis.grid
    models = "; ".join(f"{analysis.labels.model(model)} (`{model.name}`)" for model in grid.models)
    order = " (easy, then hard)" if len(grid.datasets) == 2 else ""
    sentences = [
        f"{len(grid.cells()) - len(analysis.missing)} of {len(grid.cells())} cells.",
        f"Datasets: {', '.join(grid.datasets)}{order}.",
        f"Models: {models}.",
        f"Train fractions: {', '.join(map(str, grid.fractions))}.",
    ]
    if analysis.measured_here:
        sentences.append(f"Seed{'s' if len(grid.seeds) > 1 else ''}: {', '.join(map(str, grid.seeds))}.")
        sentences.append(f"Classes and calibration are shown at the operating point, fraction {grid.fraction}.")
    else:
        sentences.append(analysis.absent(analysis.missing))
    return " ".join(sentences)


def _incomplete(analysis: Analysis) -> str:
    reasons = [f"`{cell}`: {why}" for cell, why in analysis.missing.items() if why != ABSENT]
    tail = f" Reasons: {'; '.join(reasons)}." if reasons else ""
    return f"**This report is incomplete.** {analysis.absent(analysis.missing)}{tail}"


def _relative(analysis: Analysis) -> str:
    """Where points and factors disagree; empty where nothing compares two losses."""
    if not analysis.relatives:
        return ""
    count = len(analysis.relatives)
    split = [each for each in analysis.relatives if each.disagrees]
    if not split:
        share = _share(count, count, "part")
        return f"Points lost and the factor by which error grows point the same way in {share} comparing losses."
    names = "; ".join(f"{each.key} {each.part.label}" for each in split)
    settled = f", by both intervals in {sum(each.settled for each in split)} of them" if analysis.measured_here else ""
    return (
        f"Points lost and the factor by which error grows point to different sides in {_share(len(split), count, 'part')} "
        f"comparing losses ({names}){settled}: the verdicts rest on points, and the table of both is below."
    )


def _near_chance(analysis: Analysis) -> str:
    """Names the arms that hardly beat guessing: a bounded error hides how much more such a model would have lost."""
    arms = analysis.near_chance
    if not arms:
        return ""
    tested = [part for finding in _keyed(analysis, HYPOTHESES) for part in finding.parts if part.verdict != NOT_TESTED]
    bounded = [part for part in tested if not arms.isdisjoint(part.arms)]
    return (
        f"Near chance: {', '.join(f'`{arm}`' for arm in sorted(arms))} make at least nine tenths of the errors of guessing. "
        "What they lose with less or harder data is bounded by that, and so are the effects that they enter: "
        f"{_share(len(bounded), len(tested), 'tested part')} of the hypotheses, marked † below."
    )


def _order(analysis: Analysis) -> str:
    """Says where the second dataset turns out to be the easier one; penalties would have the wrong sign."""
    if len(analysis.grid.datasets) != 2:
        return ""
    penalties = [
        analysis.estimate(penalty(analysis.grid.datasets, model, analysis.grid.fraction)) for model in analysis.grid.models
    ]
    known = [each.value for each in penalties if each]
    if not known or max(known) > 0:
        return ""
    easy, hard = analysis.grid.datasets
    return f"**No model errs more on {hard} than on {easy}:** `study.datasets` should name the easy dataset first."


def _closer(analysis: Analysis, tables: Mapping[str, Table], pictures: Mapping[str, Picture]) -> list[Block]:
    """Learning curves, calibration, classes."""
    blocks: list[Block] = [Heading(2, "A closer look")]
    for dataset in analysis.grid.datasets:
        blocks += _present(pictures, f"learning_{dataset}")
        inside = [
            pictures[name] for kind in ("calibration", "hardest", "confusion") if (name := f"{kind}_{dataset}") in pictures
        ]
        if inside:
            blocks.append(Details(f"Calibration, hardest classes and confusion on {dataset}", tuple(inside)))
    return [*blocks, Details("Every cell on the test set", (tables["cells"],))]


def _made(analysis: Analysis, tables: Mapping[str, Table], formats: Mapping[str, str], strangers: Sequence[str]) -> list[Block]:
    """How it was made, from the cells' own records."""
    records = [result.provenance for result in analysis.results.values()]
    items = [
        f"{len(records)} trainings. Kernels: {_different(record.kernels for record in records)}. "
        f"Versions: {_different(map(_versions, records))}."
    ]
    items += [f"Recipe of {names}: {recipe}." for recipe, names in _recipes(analysis).items()]
    items += [f"Weights of `{model}`: {text}." for model, text in _weights(analysis).items()]
    items += [f"Data of {dataset}, md5: {text}." for dataset, text in _md5s(analysis).items()]
    notes = {"cifar100": DUPLICATES, "digits100": PAIRS}
    items += [notes[formats[name]] for name in analysis.grid.datasets if formats.get(name) in notes]
    if strangers:
        items.append(f"Measured cells that are no part of this grid: {', '.join(f'`{name}`' for name in strangers)}.")
    return [
        Heading(2, "How it was made"),
        Bullets(tuple(items)),
        Details("Kernels, versions, images and checkpoint of every cell", (tables["provenance"],)),
    ]


def _different(texts: Iterable[str]) -> str:
    return "; ".join(sorted(set(texts)))


def _versions(record: Provenance) -> str:
    return ", ".join(f"{name} {each}" for name, each in record.libraries.items())


def _recipes(analysis: Analysis) -> dict[str, str]:
    """Each recipe that was used, with the datasets and models that it was used for."""
    users: dict[str, dict[str, None]] = {}
    for cell, result in analysis.results.items():
        recipe = ", ".join(f"{key} {value}" for key, value in result.provenance.recipe.items())
        users.setdefault(recipe, {})[f"{cell.dataset} {cell.model}"] = None
    if len(users) == 1:
        return dict.fromkeys(users, "every cell")
    return {recipe: ", ".join(names) for recipe, names in users.items()}


def _weights(analysis: Analysis) -> dict[str, str]:
    found: dict[str, dict[str, None]] = {}
    for cell, result in analysis.results.items():
        record = result.provenance.weights
        if record.get("source"):
            revision = f", revision {record['revision']}" if record.get("revision") else ""
            found.setdefault(cell.model, {})[f"{record['source']}{revision}, sha256 `{record.get('sha256')}`"] = None
    return {model: "; ".join(texts) for model, texts in found.items()}


def _md5s(analysis: Analysis) -> dict[str, str]:
    found: dict[str, dict[str, None]] = {}
    for cell, result in analysis.results.items():
        files = result.provenance.data_md5
        found.setdefault(cell.dataset, {})[", ".join(f"{name} `{md5}`" for name, md5 in sorted(files.items()))] = None
    return {dataset: "; or ".join(texts) for dataset, texts in found.items() if any(texts)}


def _keyed(analysis: Analysis, keys: Sequence[str]) -> list[Finding]:
    return [finding for finding in analysis.findings if finding.key in keys]


def _present(blocks: Mapping[str, Any], name: str) -> list[Any]:
    return [blocks[name]] if name in blocks else []
