"""Every table of a report that there is something to say in."""

import pandas as pd

from study.report.analysis import Analysis
from study.report.table import Table
from study.report.tables import cells, claims, errors, takeaway


def every_table(analysis: Analysis, frame: pd.DataFrame) -> dict[str, Table]:
    """By name; ``frame`` is that of the cells."""
    datasets = analysis.grid.datasets
    possible = [
        claims.hypotheses(analysis),
        claims.claims(analysis),
        claims.verdicts_of_all(analysis),
        *(claims.parts(analysis, finding) for finding in analysis.conclusions.findings if finding.parts),
        claims.scales(analysis),
        claims.sensitivity(analysis),
        takeaway.equivalents(analysis),
        takeaway.exponents(analysis),
        *(takeaway.needs(analysis, dataset) for dataset in datasets),
        *(errors.by_fraction(analysis, dataset) for dataset in datasets),
        errors.harder(analysis),
        errors.beside_published(analysis),
        cells.variability(analysis),
    ]
    if analysis.measured_here:
        possible += [
            cells.balanced(analysis, frame),
            *(cells.classes(analysis, dataset) for dataset in datasets),
            cells.metrics(analysis, frame),
            cells.provenance(analysis, frame),
        ]
    return {table.name: table for table in possible if table is not None}
