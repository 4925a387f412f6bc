"""The files of a report."""

import json
from pathlib import Path
from typing import Any

from study.report.analysis import Analysis
from study.report.columns import digits
from study.report.document import Heading, Paragraph, markdown
from study.report.frame import frame
from study.report.page import page
from study.report.plots import all_plots
from study.report.tables.every import every_table
from study.report.webpage import webpage
from study.statistics.contrasts import Arm

# What stands beside the page on a Git host; the HTML file travels alone, and so does not name them.
FILES = (
    Heading(2, "Files"),
    Paragraph(
        "Every cell with all its numbers: [cells.csv](cells.csv). Every table, as CSV with twelve digits and as Markdown: "
        "[tables](tables). Every figure, as SVG and PNG: [figures](figures). What `dvc metrics` and `dvc plots` show: "
        "[summary.json](summary.json), [plots](plots). This page as one HTML file that needs no network: "
        "[report.html](report.html)."
    ),
)


def write_report(analysis: Analysis, folder: Path) -> None:
    """Fill ``folder`` (there, empty): cells.csv, tables/, figures/, plots/, summary.json, README.md and report.html."""
    from study.report.figures.drawn import all_figures  # matplotlib takes a second that a refusal need not cost
    from study.report.figures.style import save

    for name in ("tables", "figures", "plots"):
        (folder / name).mkdir()
    cells = frame(analysis)
    _write(folder / "cells.csv", cells.to_csv(index=False, lineterminator="\n", float_format=digits))
    tables = every_table(analysis, cells)
    for name, table in tables.items():
        _write(folder / "tables" / f"{name}.md", f"**{table.title}**\n\n{table.markdown()}")
        _write(folder / "tables" / f"{name}.csv", table.csv())
    for name, text in all_plots(analysis):
        _write(folder / "plots" / f"{name}.csv", text)
    figures = {}
    for name, description, figure in all_figures(analysis):
        save(figure, folder / "figures", name)
        figures[name] = description
    _write(folder / "summary.json", json.dumps(summary(analysis), indent=2) + "\n")
    blocks = page(analysis, tables, figures)
    _write(folder / "README.md", markdown([*blocks, *FILES]))
    drawn = {name: (folder / "figures" / f"{name}.svg").read_bytes() for name in figures}
    _write(folder / "report.html", webpage(blocks, drawn))


def summary(analysis: Analysis) -> dict[str, Any]:
    """For ``dvc metrics``: each model's top-1 error at the operating point (mean over seeds), and the words of all verdicts."""
    grid = analysis.grid
    content: dict[str, Any] = {}
    for dataset in grid.datasets:
        arms = [Arm(dataset, model.name, grid.fraction) for model in grid.models]
        here = [arm for arm in arms if not analysis.evidence.missing([arm])]
        content[dataset] = {arm.model: {"top1_error": round(analysis.evidence.error(arm), 12)} for arm in here}
    content["verdicts"] = {finding.key: finding.verdict for finding in analysis.conclusions.findings}
    return content


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
