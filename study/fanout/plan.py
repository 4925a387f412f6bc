"""Which cells are to be run, the longest first, and how long that will take by the rates that were measured."""

import heapq
import math
from collections.abc import Iterable, Sequence

from study.base.errors import StudyError
from study.fanout import paths
from study.pipeline import cell_states
from study.pipeline.cell_states import CellState, CellStatus, StudyStatus
from study.pipeline.standing import Pipeline, Standing, recorded
from study.settings.at_work import held

SHARED = (("download", "weights"), ("split",))  # stages that cells share; those of a group need nothing of each other


def read() -> StudyStatus:
    """The study as it stands. Raises StudyError where DVC cannot tell what is to be run."""
    study = cell_states.read()
    if study.unknown:
        raise StudyError(f"which cells are to be run is unknown: {study.unknown}")
    return study


def to_run(study: StudyStatus) -> list[CellStatus]:
    """The cells that `dvc repro` would train or test: those at work already first, then the longest, else the largest."""
    open_cells = [each for each in study.cells if each.state is not CellState.DONE]
    return sorted(open_cells, key=_order)


def shared_to_run() -> list[list[str]]:
    """The stages that cells share, group by group, from the first group on that is not all up to date.

    Where none is open, dvc is not called: it would be refused while the training of a cell reads what they made.
    """
    with Pipeline(recorded()) as pipeline:
        groups = [[name for name in pipeline.stages() if name.partition("@")[0] in kinds] for kinds in SHARED]
        for place, names in enumerate(groups):
            if any(pipeline.standing(name) is not Standing.CURRENT for name in names):
                return groups[place:]
    return []


def _order(each: CellStatus) -> tuple[bool, float, float]:
    # A worker of a driver that was killed holds its cell's lock, also while nothing is trained between two of its tries.
    at_work = each.state is CellState.RUNNING or held(paths.lock(each.cell))
    known = 0.0 if each.state is CellState.TRAINED else each.seconds
    return not at_work, -(math.inf if known is None else known), -each.cell.fraction


def makespan(seconds: Iterable[float], slots: int, started: Sequence[float] = ()) -> float:
    """Seconds until all is done, where each free slot takes the next of ``seconds``; ``started`` is what runs already."""
    busy = [*started, *([0.0] * (slots - len(started)))]
    heapq.heapify(busy)
    for each in seconds:
        heapq.heapreplace(busy, busy[0] + each)
    return max(busy)
