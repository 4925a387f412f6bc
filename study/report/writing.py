"""The files of a report."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from study.report.analysis import Analysis
from study.report.document import Heading, Paragraph, markdown
from study.report.page import page
from study.report.plots import all_plots
from study.report.table import to_csv
from study.report.tables import all_tables
from study.report.webpage import webpage
from study.statistics.effects import HYPOTHESES
from study.statistics.estimates import Arm

# What stands beside the page on a Git host; the HTML file travels alone, and so does not name them.
FILES = (
    Heading(2, "Files"),
    Paragraph(
        "Every table, as CSV with all digits and as Markdown: [tables](tables). Every figure, as SVG and PNG: "
        "[figures](figures). What `dvc metrics` and `dvc plots` show: [summary.json](summary.json), [plots](plots). This page "
        "as one HTML file that needs no network: [report.html](report.html)."
    ),
)


def write(analysis: Analysis, folder: Path, formats: Mapping[str, str], strangers: Sequence[str] = ()) -> None:
    """Fill ``folder`` (there, empty) with tables/, figures/, plots/, summary.json, README.md and report.html."""
    from study.report.figures.drawn import all_figures  # matplotlib takes a second that a refusal need not cost
    from study.report.figures.style import save

    for name in ("tables", "figures", "plots"):
        (folder / name).mkdir()
    tables = all_tables(analysis)
    for table in tables:
        _write(folder / "tables" / f"{table.name}.md", f"**{table.title}**\n\n{table.markdown()}")
        _write(folder / "tables" / f"{table.name}.csv", table.csv())
    for name, columns, rows in all_plots(analysis):
        _write(folder / "plots" / f"{name}.csv", to_csv(columns, rows))
    figures = []
    for name, description, figure in all_figures(analysis):
        save(figure, folder / "figures", name)
        figures.append((name, description))
    _write(folder / "summary.json", json.dumps(summary(analysis), indent=2) + "\n")
    blocks = page(analysis, tables, figures, formats, strangers)
    _write(folder / "README.md", markdown([*blocks, *FILES]))
    drawn = {name: (folder / "figures" / f"{name}.svg").read_bytes() for name, _ in figures}
    _write(folder / "report.html", webpage(blocks, drawn))


def summary(analysis: Analysis) -> dict[str, Any]:
    """For ``dvc metrics``: top-1 error of each model at the operating point (mean over seeds), and the verdicts."""
    grid = analysis.grid
    content: dict[str, Any] = {}
    for dataset in grid.datasets:
        arms = {model.name: Arm(dataset, model.name, grid.fraction) for model in grid.models}
        content[dataset] = {
            name: {"top1_error": round(float(analysis.errors.runs(arm).mean()), 12)}
            for name, arm in arms.items()
            if arm in analysis.errors
        }
    content["verdicts"] = {finding.key: finding.verdict for finding in analysis.findings if finding.key in HYPOTHESES}
    return content


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
