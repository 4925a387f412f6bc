"""Every table of a report that there is something to say in."""

import pandas as pd

from study.report.analysis import Analysis
from study.report.columns import Table
from study.report.tables import claims, per_cell, robustness, takeaway, top1


def every_table(analysis: Analysis, frame: pd.DataFrame) -> dict[str, Table]:
    """By name; ``frame`` is that of the cells."""
    datasets = analysis.datasets
    possible = [
        claims.hypotheses(analysis),
        claims.claims(analysis),
        claims.verdicts_of_all(analysis),
        *(claims.parts(analysis, finding) for finding in analysis.conclusions.findings if finding.parts),
        robustness.scales(analysis),
        robustness.sensitivity(analysis),
        takeaway.least(analysis),
        takeaway.equivalents(analysis),
        takeaway.exponents(analysis),
        *(takeaway.needs(analysis, dataset) for dataset in datasets),
        *(top1.by_fraction(analysis, dataset) for dataset in datasets),
        top1.harder(analysis),
        top1.beside_published(analysis),
        per_cell.variability(analysis),
    ]
    if analysis.measured_here:
        possible += [
            per_cell.balanced(analysis),
            *(per_cell.classes(analysis, dataset) for dataset in datasets),
            per_cell.metrics(analysis, frame),
            per_cell.provenance(analysis, frame),
        ]
    return {table.name: table for table in possible if table is not None}
