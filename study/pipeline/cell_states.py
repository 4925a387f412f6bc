"""The grid of a study as it stands: what each cell waits for, and how long that will take. Nothing is written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from study.base.errors import UNREADABLE, StudyError, one_line
from study.design import cells
from study.design.cells import Cell
from study.design.recipe import Recipe
from study.engine import resume
from study.pipeline import stage_names
from study.pipeline.standing import Pipeline, Standing, recorded
from study.pipeline.timing import Timing
from study.settings.at_work import held
from study.settings.grid import Grid
from study.settings.params import Params


class CellState(StrEnum):
    """What can be said of a cell, in one word."""

    DONE = "done"
    RUNNING = "running"
    FAILED = "failed"
    STOPPED = "stopped"
    STALE = "stale"
    UNSURE = "unsure"
    MISSING = "missing"
    TRAINED = "trained"
    RECORDED = "recorded"
    UNRECORDED = "unrecorded"


TO_TRAIN = (CellState.RUNNING, CellState.FAILED, CellState.STOPPED, CellState.STALE, CellState.MISSING)


@dataclass(frozen=True)
class Standings:
    """How a cell stands with DVC: its two stages, and the stages before them that `dvc repro` would run first."""

    train: Standing
    evaluate: Standing
    before: frozenset[str]


@dataclass(frozen=True)
class Saved:
    """What a training has put aside: finished epochs and the seconds that they took."""

    epoch: int
    seconds: float


@dataclass(frozen=True)
class CellStatus:
    """A cell and its state; ``epoch`` is the last one that an unfinished training saved, 0 before the first.

    ``seconds`` are those that its training will still take (an unsure, recorded or unrecorded cell's: if it is trained again).
    ``device`` is where their rate was measured, None where the training itself tells. ``before`` are the stages that make it
    unsure.
    """

    cell: Cell
    state: CellState
    epochs: int
    epoch: int | None = None
    error: str | None = None
    seconds: float | None = None
    device: str | None = None
    before: frozenset[str] = frozenset()


@dataclass(frozen=True)
class StudyStatus:
    """All cells of the grid; ``unknown`` says why staleness is not known, None where it is."""

    grid: Grid
    cells: tuple[CellStatus, ...]
    unknown: str | None


def read() -> StudyStatus:
    """The study of params.yaml as it stands in this workspace. Raises StudyError for mistakes in params.yaml and dvc.yaml."""
    params = Params.load()
    grid = Grid.load(params)
    timing = Timing(params)
    standings, lock, unknown = _standings(grid)
    return StudyStatus(grid, tuple(_cell(cell, params, timing, standings.get(cell), lock) for cell in grid.cells()), unknown)


def _standings(grid: Grid) -> tuple[Mapping[Cell, Standings], Mapping[str, Any], str | None]:
    """How the cells stand with DVC, what dvc.lock holds, and why the former is empty, if it is."""
    lock: Mapping[str, Any] = {}
    try:
        lock = recorded()
        with Pipeline(lock) as pipeline:
            return {cell: _standing(pipeline, cell) for cell in grid.cells()}, lock, None
    except StudyError as error:
        return {}, lock, str(error)
    except Exception as error:  # DVC's own errors, and its inner interfaces, which may change: the files still tell
        return {}, lock, f"DVC could not be asked: {type(error).__name__}: {one_line(error)}."


def _standing(pipeline: Pipeline, cell: Cell) -> Standings:
    train, evaluate = stage_names.own(cell)
    before = pipeline.unfinished_before(evaluate) - {train}
    return Standings(pipeline.standing(train), pipeline.standing(evaluate), before)


def _cell(cell: Cell, params: Params, timing: Timing, standings: Standings | None, lock: Mapping[str, Any]) -> CellStatus:
    recipe = params.recipe(cell.dataset, cell.model)
    here = held(resume.workspace_lock(cell))
    settled = None if here else _settled(cell, standings, lock)
    if settled in (CellState.UNSURE, CellState.RECORDED, CellState.UNRECORDED):
        before = standings.before if standings and settled is CellState.UNSURE else frozenset()
        return CellStatus(cell, settled, recipe.epochs, None, None, *_rest(cell, recipe, timing, None), before)
    if settled is not None:
        return CellStatus(cell, settled, recipe.epochs)
    saved = _saved(cell)
    state, error = _open(cell, standings, saved, recipe.epochs, here)
    if state in (CellState.STALE, CellState.MISSING):
        saved = None  # what is saved is of a training that is over
    epoch = min(saved.epoch, recipe.epochs) if saved else 0 if state is CellState.RUNNING else None
    return CellStatus(cell, state, recipe.epochs, epoch, error, *_rest(cell, recipe, timing, saved))


def seconds_left(cell: Cell, params: Params, timing: Timing) -> float | None:
    """The seconds that a training of ``cell``, running or to be started, will still take; None where no rate is known."""
    return _rest(cell, params.recipe(cell.dataset, cell.model), timing, _saved(cell))[0]


def _rest(cell: Cell, recipe: Recipe, timing: Timing, saved: Saved | None) -> tuple[float | None, str | None]:
    """The seconds that the training of ``cell`` will still take, by its own pace where it has one, else by a device's rate."""
    if saved and saved.epoch:
        return saved.seconds / saved.epoch * max(0, recipe.epochs - saved.epoch), None
    rate, images = timing.rate(cell, recipe), timing.images(cell, recipe)
    if rate is None or images is None:
        return None, None
    return images * recipe.epochs / rate.images_per_second, rate.device


def _settled(cell: Cell, standings: Standings | None, lock: Mapping[str, Any]) -> CellState | None:
    """The state of a cell that needs no training as far as can be told, None for all others."""
    trained = cells.runs(cell).is_dir() and cells.history(cell).is_dir()
    tested = cells.predictions(cell).is_dir()
    if standings is None:
        if trained and not cells.failed(cell).exists():
            return CellState.DONE if tested else CellState.TRAINED
        return CellState.RECORDED if set(stage_names.own(cell)) <= lock.keys() and not trained else None
    if standings.train is Standing.UNRECORDED and trained and not cells.failed(cell).exists():
        return CellState.UNRECORDED
    if standings.train not in (Standing.CURRENT, Standing.ABSENT):
        return None
    if standings.before:
        return CellState.UNSURE
    if standings.train is Standing.ABSENT:  # first of all the checkpoint has to come
        return CellState.RECORDED
    if standings.evaluate in (Standing.CHANGED, Standing.UNRECORDED):
        return CellState.TRAINED
    return CellState.RECORDED if standings.evaluate is Standing.ABSENT else CellState.DONE


def _open(
    cell: Cell, standings: Standings | None, saved: Saved | None, epochs: int, here: bool
) -> tuple[CellState, str | None]:
    """The state of a cell that needs training, and the sentence of one that failed."""
    # An experiment elsewhere has its own workspace, but keeps its state under this root.
    if here or any(map(held, sorted(resume.folder(cell).glob("*/lock")))):
        return CellState.RUNNING, None
    error = _error(cell)
    if error is not None:
        return CellState.FAILED, error
    written = saved is not None and saved.epoch >= epochs and cells.runs(cell).is_dir()  # its test was restored, not run
    if saved is not None and not written:
        return CellState.STOPPED, None
    return (CellState.STALE if standings and standings.train is Standing.CHANGED else CellState.MISSING), None


def _saved(cell: Cell) -> Saved | None:
    """The farthest state that trainings of ``cell`` have saved (engine/resume.py); that of the running one, if one runs."""
    found = []
    for folder in resume.folder(cell).glob("*"):
        running = held(folder / "lock")
        epoch, seconds = 0, 0.0
        for path in folder.glob("[0-9]*.json"):
            try:
                body = json.loads(path.read_bytes())["body"]
                epoch, seconds = max((epoch, seconds), (int(body["epoch"]), float(body["record"]["seconds"])))
            except UNREADABLE:
                continue  # dropped a moment ago, or damaged: the one before it serves
        if epoch or running:
            found.append((running, epoch, seconds))
    if not found:
        return None
    _, epoch, seconds = max(found)
    return Saved(epoch, seconds)


def _error(cell: Cell) -> str | None:
    """What went wrong in the last training of ``cell``, and in which epoch; None where nothing did."""
    try:
        record = json.loads(cells.failed(cell).read_text(encoding="utf-8"))
        return f"epoch {record['when_epoch']}: {record['error']}"
    except FileNotFoundError:
        return None
    except UNREADABLE:
        return f"{cells.failed(cell)} cannot be read."
