"""What a fan-out keeps under .dvc/tmp, where neither git nor any DVC command looks."""

from pathlib import Path

from study.design.cells import Cell
from study.settings.at_work import FANOUT

FOLDER = FANOUT.parent
JOBS = FOLDER / "jobs"  # submitit's: what each job is to do, what came of it


def log(cell: Cell) -> Path:
    """All that dvc and the stages of ``cell`` said, the latest try last."""
    return FOLDER / f"{cell}.log"


def lock(cell: Cell) -> Path:
    """Held while a worker of ``cell``, or the dvc that it started, is alive (study.fanout.turn)."""
    return FOLDER / f"{cell}.lock"
