"""The small remote that ships with the repository: predictions, histories and splits of the committed studies.

    python -m tools.shipped pull      # take those of the study in params.yaml, and make its report again from them
    python -m tools.shipped push      # add those of the study in params.yaml, to be committed

It lies in .dvc/shipped and needs no server. Checkpoints are not in it; `dvc repro --allow-missing` trains nothing for want of
them.
"""

import subprocess
import sys
from pathlib import Path

from study.base.console import parser, run, say
from study.base.errors import StudyError, plain
from study.design import cells
from study.design.cells import Cell
from study.pipeline import outputs, process, stage_names, standing
from study.settings.grid import Grid
from study.settings.params import Params

REMOTE = "shipped"


def main() -> None:
    """Command line: python -m tools.shipped pull|push."""
    arguments = parser(__doc__, "shipped", "tools")
    arguments.add_argument("way", choices=("pull", "push"))
    given = arguments.parse_args()
    grid = Grid.load(Params.load())
    lock = standing.recorded()
    recorded = [cell for cell in grid.cells() if outputs_of(cell).keys() <= lock.keys()]
    if not recorded:
        raise StudyError(f"dvc.lock has no cell of study {grid.name}; python -m tools.study names the studies.")
    transfer = outputs.pull if given.way == "pull" else outputs.push
    wanted = {stage: path for cell in recorded for stage, path in outputs_of(cell).items()}
    # DVC's experiments look up the files of a dataset in its list, even where --allow-missing does without them.
    listed = {f"download@{cell.dataset}": cells.raw(cell.dataset) for cell in recorded}
    transfer(REMOTE, lock, wanted, listed)
    say(f"{given.way}: predictions, histories and splits of {len(recorded)} of {len(grid.cells())} cells of study {grid.name}")
    if given.way == "pull":
        rebuild(grid, whole=len(recorded) == len(grid.cells()))


def outputs_of(cell: Cell) -> dict[str, Path]:
    """What ships of ``cell``, by the stage that makes it; cells of one fraction and seed share their split."""
    *_, split, train, evaluate = stage_names.every(cell)
    folder = cells.split(cell.dataset, cell.fraction, cell.seed)
    return {split: folder, train: cells.history(cell), evaluate: cells.predictions(cell)}


def rebuild(grid: Grid, whole: bool) -> None:
    """Make the report from what was pulled, and say whether it is the committed one."""
    ladder = ",".join(map(str, grid.ladder))
    incomplete = [] if whole else ["--incomplete"]
    if process.run([sys.executable, "-m", "stages.aggregate", *incomplete, grid.name, "--ladder", ladder]):
        raise StudyError(f"the report of {grid.name} was not made; the reason stands above.")
    folder = str(cells.report(grid.name))
    status = subprocess.run(["git", "status", "--porcelain", folder], capture_output=True, text=True, check=False)
    if status.returncode:
        raise StudyError(
            f"{folder} is made, but git cannot tell whether it is what is committed ({plain(status.stderr)}); "
            f"put that right, then git status {folder}."
        )
    changed = status.stdout
    say(f"{folder} differs from what is committed:\n{changed}" if changed else f"{folder} is what is committed, byte for byte")


if __name__ == "__main__":
    run(main)
