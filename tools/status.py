"""Show how far the study of params.yaml is: a word for each cell, and the time that is left by the measured rates.

Reads files, writes nothing, and can be called while `dvc repro` runs. It is no stage of the pipeline.
"""

import json
import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import Any

from study.base.console import hush, parser, run, say
from study.base.errors import counted, listed
from study.design.cells import Cell
from study.pipeline import cell_states, moved_sources
from study.pipeline.cell_states import TO_TRAIN, CellState, CellStatus, StudyStatus
from study.pipeline.timing import duration
from study.runtime import detached, worktree

WIDTH = 100
MEANINGS = {
    CellState.STOPPED: "a state is saved after that epoch; the training goes on from it, unless what determines it has changed",
    CellState.STALE: "code, parameters or data changed since it was recorded; dvc repro trains it again",
    CellState.UNSURE: "an earlier stage has to run first, and may leave this as it is or make it stale",
    CellState.TRAINED: "but not tested yet, or to be tested again: evaluate has to run",
    CellState.RECORDED: "dvc.lock has it, but files, such as checkpoints, are not in this workspace or in DVC's cache; "
    "dvc pull brings them from a remote that has them; dvc repro --allow-missing does without them",
    CellState.UNRECORDED: "files are here that dvc.lock does not have: dvc repro records them if its run cache knows them, "
    "else it trains again; dvc commit keeps them as they are",
}


def main() -> None:
    arguments = parser(__doc__, "status", "tools")
    arguments.add_argument("--json", action="store_true", help="for scripts: every cell with its state, epochs and seconds")
    given = arguments.parse_args()
    study = cell_states.read()
    try:
        say(json.dumps(as_data(study), indent=1) if given.json else "\n".join(lines(study)))
    except BrokenPipeError:  # no failure here: there is nothing left to do
        hush()


def as_data(study: StudyStatus) -> dict[str, Any]:
    """The status as plain data; ``seconds`` is null where nothing is left or no rate was measured."""
    return {
        "study": study.grid.name,
        "staleness_unknown": study.unknown,
        "counts": dict(Counter(str(each.state) for each in study.cells)),
        "cells": [
            {
                "cell": str(each.cell),
                "state": str(each.state),
                "epoch": each.epoch,
                "epochs": each.epochs,
                "error": each.error,
                "seconds": None if each.seconds is None else round(each.seconds, 1),
                "measured_on": each.device,
                "waits_for": sorted(each.before),
            }
            for each in study.cells
        ],
    }


def lines(study: StudyStatus) -> Iterator[str]:
    """The status for a terminal, without colour."""
    counts = Counter(each.state for each in study.cells)
    shown = ", ".join(f"{counts[state]} {state}" for state in CellState if counts[state])
    yield f"study {study.grid.name}: {len(study.cells)} cells: {shown}"
    yield ""
    yield from table(study)
    failed = [each for each in study.cells if each.state is CellState.FAILED]
    meanings = {state: MEANINGS[state] for state in CellState if counts[state] and state in MEANINGS}
    if failed or meanings or study.unknown:
        yield ""
    for each in failed:
        yield from wrapped(f"failed: {each.cell}, {each.error}")
    for state, meaning in meanings.items():
        yield from wrapped(f"{state}: {meaning}")
    before = sorted(frozenset().union(*(each.before for each in study.cells)))
    if before:
        yield from wrapped(f"earlier stages to run: {listed(before, 3)}")
    for note in filter(None, (worktree.advice(), detached.advice(), moved_sources.advice(study.grid.models))):
        yield from wrapped(note)
    if study.unknown:
        yield from wrapped(f"Whether cells are stale is unknown: {study.unknown} done means that outputs are here.")
    yield ""
    yield from time_left(study)


def table(study: StudyStatus) -> Iterator[str]:
    """A row for each dataset, model and seed, a column for each fraction."""
    grid = study.grid
    seeds = len(grid.seeds) > 1
    words = {each.cell: word(each) for each in study.cells}
    rows = [["dataset", "model", *(["seed"] if seeds else []), *map(str, grid.fractions)]]
    before = None
    for dataset in grid.datasets:
        for model in grid.models:
            for seed in grid.seeds:
                row = [words[Cell(dataset, model.name, fraction, seed)] for fraction in grid.fractions]
                rows.append([dataset if dataset != before else "", model.name, *([str(seed)] if seeds else []), *row])
                before = dataset
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def word(each: CellStatus) -> str:
    """``done``, ``running 7/20``."""
    return (
        f"{each.state} {each.epoch}/{each.epochs}" if each.state in (CellState.RUNNING, CellState.STOPPED) else str(each.state)
    )


def time_left(study: StudyStatus) -> Iterator[str]:
    """Sentences on the time that trainings will take, and on those of which that is not known."""
    to_train = [each for each in study.cells if each.state in TO_TRAIN]
    unsure = [each for each in study.cells if each.state is CellState.UNSURE]
    if not to_train and not unsure:
        yield "time left: no cell needs training"
        return
    for label, group in (("time left", to_train), ("if all unsure cells turn out stale", unsure)):
        known = [each for each in group if each.seconds is not None]
        unknown = [each for each in group if each.seconds is None]
        if known:
            devices = sorted({each.device for each in known if each.device})
            where = f", by rates measured on {', '.join(devices)}" if devices else ""
            total = duration(sum(each.seconds or 0.0 for each in known))
            yield from wrapped(f"{label}: {total} for the training of {counted(len(known), 'cell')}, one after another{where}")
        if unknown:
            which = ", ".join(sorted({each.cell.model for each in unknown}))
            reason = "no finished training of that size tells a rate, or the dataset is not here"
            yield from wrapped(f"{label}: not known for {counted(len(unknown), 'cell')} of {which}: {reason}")


def wrapped(text: str) -> list[str]:
    """``text`` in lines of at most 100 characters, all but the first indented."""
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    run(main)
