"""The page of a report: what was found, what changes how it is read, what a reader takes home, and then the details."""

from collections.abc import Mapping, Sequence

from study.report.analysis import Analysis
from study.report.columns import Table
from study.report.document import Block, Bullets, Details, Heading, Paragraph, Picture, Row
from study.report.sections.intervals import WORDS, intervals
from study.report.sections.made import compared, made
from study.report.sections.warnings import warnings
from study.report.text import escaped
from study.statistics.hypotheses import Finding

TITLES = {"published": "The published numbers", "measured": "Cells measured by hand"}


def page(analysis: Analysis, tables: Mapping[str, Table], figures: Mapping[str, str]) -> list[Block]:
    """The blocks of README.md; ``figures`` are descriptions by name."""
    pictures = {name: Picture(name, description) for name, description in figures.items()}
    title = TITLES.get(analysis.grid.name, f"Report of the study {escaped(analysis.grid.name)}")
    return [
        Heading(1, title),
        *_found(analysis, tables, pictures),
        *_home(analysis, tables),
        *_errors(analysis, tables, pictures),
        *_parts(analysis, tables),
        *_closer(analysis, tables, pictures),
        *_made(analysis, tables),
    ]


def _found(analysis: Analysis, tables: Mapping[str, Table], pictures: Mapping[str, Picture]) -> list[Block]:
    read = warnings(analysis)
    before: list[Block] = [Heading(2, "Before you read on"), Bullets(read)] if read else []
    return [
        Heading(2, "What was found" if analysis.measured_here else "What the published numbers say"),
        tables["hypotheses"],
        Paragraph(
            "The columns count the parts of each hypothesis, with the smallest and the largest effect in points of error."
        ),
        *_present(pictures, "forest"),
        *before,
    ]


def _home(analysis: Analysis, tables: Mapping[str, Table]) -> list[Block]:
    needs = [f"needs_{dataset}" for dataset in analysis.grid.datasets]
    inside = _present(tables, "least", "equivalents", "exponents", *needs)
    return [Heading(2, "What to take home"), *inside] if inside else []


def _errors(analysis: Analysis, tables: Mapping[str, Table], pictures: Mapping[str, Picture]) -> list[Block]:
    datasets = analysis.grid.datasets
    blocks: list[Block] = [Heading(2, "Error by train fraction"), Paragraph(compared(analysis))]
    for dataset in datasets:
        blocks += [*_present(tables, f"errors_{dataset}"), *_present(pictures, f"error_{dataset}")]
    blocks += _present(tables, "balanced")
    blocks += _row(pictures, [f"gain_{dataset}" for dataset in datasets])
    blocks += _row(pictures, [f"slope_{dataset}" for dataset in datasets])
    if "penalty" in tables:
        blocks += [Heading(2, "The harder dataset"), tables["penalty"], *_present(pictures, "penalty")]
    if "beside_published" in tables:
        blocks += [Heading(2, "Beside the published numbers"), tables["beside_published"]]
        blocks += _present(pictures, "beside_published")
    return blocks


def _parts(analysis: Analysis, tables: Mapping[str, Table]) -> list[Block]:
    return [
        Heading(2, "The hypotheses, part by part"),
        Paragraph(intervals(analysis)),
        Paragraph(WORDS),
        *(_folded(finding, tables) for finding in analysis.conclusions.hypotheses),
        Heading(2, "Further claims"),
        tables["claims"],
        *(_folded(finding, tables) for finding in sorted(analysis.conclusions.claims, key=lambda claim: not claim.parts)),
        *_present(tables, "variability"),
        *([Heading(2, "Other scales, other test images")] if {"scales", "sensitivity"} & set(tables) else []),
        *_present(tables, "scales", "sensitivity"),
    ]


def _folded(finding: Finding, tables: Mapping[str, Table]) -> Block:
    if not finding.parts:
        return Paragraph(f"{finding.key} is not tested: it needs {escaped(finding.needs)}.")
    return Details(f"**{finding.key}: {finding.verdict}.** {escaped(finding.claim)}", (tables[f"parts_{finding.key.lower()}"],))


def _closer(analysis: Analysis, tables: Mapping[str, Table], pictures: Mapping[str, Picture]) -> list[Block]:
    """Learning curves, calibration, classes."""
    if not analysis.measured_here:
        return []
    blocks: list[Block] = [Heading(2, "Curves, calibration, classes")]
    for dataset in analysis.grid.datasets:
        blocks += _present(pictures, f"learning_{dataset}")
        inside = [
            *_present(pictures, f"calibration_{dataset}", f"hardest_{dataset}", f"confusion_{dataset}"),
            *_present(tables, f"classes_{dataset}"),
        ]
        if inside:
            blocks.append(Details(f"Calibration, hardest classes and confusion on {escaped(dataset)}", tuple(inside)))
    return [*blocks, Details("Every cell", (tables["cells"],))]


def _made(analysis: Analysis, tables: Mapping[str, Table]) -> list[Block]:
    if not analysis.measured_here:
        sources = "; ".join(map(escaped, analysis.published.sources))
        return [Heading(2, "Where the numbers come from"), Paragraph(f"Errors from: {sources}.")]
    folded = Details("Kernels, versions, images and checkpoint of every cell", (tables["provenance"],))
    return [Heading(2, "How it was made"), Bullets(made(analysis)), folded]


def _row(pictures: Mapping[str, Picture], names: Sequence[str]) -> list[Block]:
    here = tuple(pictures[name] for name in names if name in pictures)
    return [Row(here)] if here else []


def _present(blocks: Mapping[str, Table] | Mapping[str, Picture], *names: str) -> list[Table | Picture]:
    return [blocks[name] for name in names if name in blocks]
