"""Make the report of a study from its cells: tables, figures, verdicts, summary and a page, in reports/<study>/.

python -m stages.aggregate STUDY               the study of params.yaml; every cell must be there
python -m stages.aggregate --incomplete STUDY  the same with missing cells, which the page then names
python -m stages.aggregate --measured          reports/measured from data/measured, the cells trained by hand
python -m stages.aggregate --published         reports/published from the published numbers of data/reference alone
"""

import gc
import os
from pathlib import Path

from study.base.console import parser, run, say
from study.base.errors import StudyError
from study.base.folders import replaced
from study.design import cells
from study.report import gather
from study.report.writing import write_report
from study.runtime import code, edits, housekeeping
from study.settings.grid import Grid, check_ladder, ladder
from study.settings.params import Params


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
    under_dvc = "DVC_STAGE" in os.environ
    if given.incomplete and under_dvc:
        raise StudyError("an incomplete report is made by hand, not by DVC: python -m stages.aggregate --incomplete.")

    params = Params.load()
    params.check_all()
    check_ladder(given.ladder)

    def inputs() -> object:
        read = [cells.DATA / "reference"]
        if given.measured:
            read.append(cells.DATA / "measured")
        elif not (given.published or given.incomplete):  # cells may end while an incomplete report is made
            read += [folder(cell) for cell in Grid.load(Params.load()).cells() for folder in (cells.history, cells.predictions)]
        return code.digest("stages.aggregate"), Path("params.yaml").read_bytes(), ladder(), edits.contents(read)

    target = cells.report("published" if given.published else "measured" if given.measured else Grid.load(params).name)
    with replaced(target) as draft, edits.refused(str(target), inputs):
        if given.published:
            analysis = gather.of_published(params)
        elif given.measured:
            analysis = gather.of_measured(params)
        else:
            analysis = gather.of_study(params, given.study, given.incomplete)
            if under_dvc:
                housekeeping.clear(housekeeping.off_grid(analysis.grid.cells()))
        write_report(analysis, draft)
    for finding in analysis.conclusions.findings:
        say(f"{finding.key} {finding.verdict}: {finding.claim}")
    wanted = len(analysis.grid.cells())
    say(f"{target / 'README.md'}: {wanted - len(analysis.missing)} of {wanted} cells")


if __name__ == "__main__":
    gc.disable()  # figures are circles of references: looking for dead ones takes a tenth of the time, and finds few
    run(main)
