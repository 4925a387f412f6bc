"""Make the report of a study from its cells: tables, figures, verdicts, summary and a page, in reports/<study>/.

python -m stages.aggregate STUDY               the study of params.yaml; every cell must be there
python -m stages.aggregate --incomplete STUDY  the same with missing cells, which every table then names
python -m stages.aggregate --measured          reports/measured from data/measured, the cells trained by hand
python -m stages.aggregate --published         reports/published from data/published.csv alone
"""

import os
from dataclasses import replace

from study.base.console import parser, run, say
from study.base.errors import StudyError
from study.base.folders import replaced
from study.design import cells
from study.report.analysis import Analysis
from study.report.writing import write
from study.results import collected as results
from study.runtime import housekeeping
from study.runtime import measured as measured_cells
from study.settings.grid import Grid, ladder
from study.settings.params import Params
from study.statistics.published import Published


def main() -> None:
    arguments = parser(__doc__, "aggregate")
    what = arguments.add_mutually_exclusive_group()
    what.add_argument("--incomplete", action="store_true", help="report on the cells that are there")
    what.add_argument("--measured", action="store_true", help="report on data/measured")
    what.add_argument("--published", action="store_true", help="report on the published numbers")
    arguments.add_argument("study", nargs="?", metavar="STUDY", help="study.name of params.yaml")
    arguments.add_argument("--ladder", metavar="F,F,...", help="the ladder of dvc.yaml, so that DVC sees when it changes")
    given = arguments.parse_args()
    if (given.study is None) != (given.measured or given.published):
        arguments.error("give STUDY, or one of --measured and --published")

    params = Params.load()
    params.check_all()
    if given.ladder is not None and given.ladder != ",".join(map(str, ladder())):
        raise StudyError(
            f"dvc.yaml: aggregate's command has --ladder {given.ladder}, the matrix has {','.join(map(str, ladder()))}; "
            "write the same fractions in both, descending."
        )
    published = Published.read()
    strangers: list[str] = []
    under_dvc = "DVC_STAGE" in os.environ
    if given.published:
        analysis = Analysis.of_published(published.grid(params), published)
    elif given.measured:
        analysis, strangers = _measured(Grid.load(params), published)
    else:
        grid = Grid.load(params)
        if given.study != grid.name:
            raise StudyError(f"the study of params.yaml is {grid.name}, not {given.study}; set study.name, or name that one.")
        if given.incomplete and under_dvc:
            raise StudyError("an incomplete report is made by hand, not by DVC: python -m stages.aggregate --incomplete.")
        analysis = _study(grid, published, given.incomplete, under_dvc)

    target = cells.report(analysis.grid.name)
    formats = {dataset: params.source(dataset).format for dataset in analysis.grid.datasets}
    with replaced(target) as folder:
        write(analysis, folder, formats, strangers)
    for finding in analysis.findings:
        say(f"{finding.key} {finding.verdict}: {finding.claim}")
    say(f"{target / 'README.md'}: {len(analysis.grid.cells()) - len(analysis.missing)} of {len(analysis.grid.cells())} cells")


def _study(grid: Grid, published: Published, incomplete: bool, under_dvc: bool) -> Analysis:
    """The study's own cells; cells that left it are cleared away under DVC, and ignored by hand."""
    _check_names(grid)
    wanted = grid.cells()
    found = results.load(wanted)
    if found.missing and not incomplete:
        names = ", ".join(f"{cell} ({why})" for cell, why in found.missing.items())
        raise StudyError(
            f"{len(found.missing)} of {len(wanted)} cells are missing or damaged: {names}; dvc pull fetches them, "
            "dvc repro trains them."
        )
    if not found.present:
        raise StudyError(f"not one cell of study {grid.name} is here; dvc pull fetches them, dvc repro trains them.")
    if under_dvc:
        housekeeping.clear(housekeeping.off_grid(wanted))
    return Analysis.of_cells(grid, found, published)


def _measured(study: Grid, published: Published) -> tuple[Analysis, list[str]]:
    """The cells of the study's grid that were trained by hand, and the names of others that lie beside them."""
    grid = replace(study, name="measured")
    _check_names(grid)
    wanted = grid.cells()
    found = results.load(wanted, measured=True)
    names = {str(cell) for cell in wanted}
    strangers = [name for name in measured_cells.names() if name not in names]
    if not found.present:
        others = f"it has {', '.join(strangers[:3])}: set study.datasets and study.models to theirs" if strangers else ""
        raise StudyError(
            f"data/measured holds no whole cell of study {study.name}; "
            f"{others or 'python -m stages.evaluate CELL --measured puts one there'}."
        )
    return Analysis.of_cells(grid, found, published), strangers


def _check_names(grid: Grid) -> None:
    if "verdicts" in grid.datasets:
        raise StudyError("a dataset called verdicts would collide with the verdicts in summary.json; give it another name.")


if __name__ == "__main__":
    run(main)
