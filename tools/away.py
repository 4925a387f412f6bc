"""Train cells on machines that share nothing but a DVC remote. It is no stage of the pipeline.

python -m tools.away collect                       on the head: brings what is finished, trains nothing, says what is missing
python -m tools.away work --at COMMIT CELL ...     on a worker: trains these cells, and sends each one when it is done
python -m tools.away work --at COMMIT --share 2/3  on a worker: the second of three shares, each of all models

COMMIT is the head's, as `collect` prints it: a worker with other code or other parameters makes results that fit nowhere.
"""

import argparse
import tempfile
from collections.abc import Iterable
from contextlib import suppress

from study.away import remote, revision, run_cache
from study.base.console import parser, run, say
from study.base.errors import StudyError
from study.design.cells import Cell
from study.pipeline import outputs, process, stage_names
from study.pipeline.standing import Pipeline, Standing, recorded
from study.runtime.lifecycle import stoppable
from study.settings.grid import Grid
from study.settings.params import Params

GO_ON = "what is finished is kept, of the cell under way every finished epoch; the same command goes on."


def main() -> None:
    arguments = parser(__doc__, "away", "tools")
    commands = arguments.add_subparsers(dest="command", required=True)
    commands.add_parser("collect", help="bring what the workers finished; train nothing")
    worker = commands.add_parser("work", help="train cells and send each one when it is done")
    worker.add_argument("--at", required=True, metavar="COMMIT", help="the head's commit, as collect prints it")
    which = worker.add_mutually_exclusive_group(required=True)
    which.add_argument("--share", type=_share, metavar="K/N", help="the Kth of N equal shares of the study")
    which.add_argument("cells", nargs="*", default=[], metavar="CELL")
    given = arguments.parse_args()
    grid = Grid.load(Params.load())
    with stoppable(lambda: GO_ON):
        if given.command == "collect":
            collect(grid)
        else:
            work(share(grid, *given.share) if given.share else chosen(grid, given.cells), given.at)


def _share(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts):
        return int(part), int(parts)
    raise argparse.ArgumentTypeError(f"{text} is no share; write 1/3, 2/3 or 3/3 for three workers")


def share(grid: Grid, part: int, parts: int) -> list[Cell]:
    """The ``part``-th of ``parts`` shares of the study, counted from 1; its large fractions come first.

    A cell goes to the share that has the fewest of its model, then of its dataset and fraction, then the least to train: so
    none of these is trained on one machine alone, whose hardware would be taken for an effect of it. Raises StudyError
    where there are fewer cells than shares.
    """
    if parts > len(grid.cells()):
        raise StudyError(f"--share {part}/{parts} is too fine: study {grid.name} has {len(grid.cells())} cells.")
    shares: list[list[Cell]] = [[] for _ in range(parts)]
    for cell in sorted(grid.cells(), key=lambda cell: -cell.fraction):

        def load(taken: list[Cell], cell: Cell = cell) -> tuple[int, int, float]:
            of_model = sum(each.model == cell.model for each in taken)
            alike = sum((each.dataset == cell.dataset) + (each.fraction == cell.fraction) for each in taken)
            return of_model, alike, sum(each.fraction for each in taken)

        min(shares, key=load).append(cell)
    return shares[part - 1]


def chosen(grid: Grid, names: Iterable[str]) -> list[Cell]:
    """The cells called ``names``; StudyError for one that is not in the study."""
    wanted = [Cell.parse(name) for name in dict.fromkeys(names)]
    for cell in wanted:
        if cell not in grid.cells():
            raise StudyError(f"{cell} is no cell of study {grid.name}; python -m tools.status shows them.")
    return wanted


def work(wanted: list[Cell], at: str) -> None:
    """Train and evaluate ``wanted`` one after another, and send each; after a cell that fails it goes on with the next."""
    commit = revision.check(at)
    store = remote.checked(writing=True)
    say(f"{len(wanted)} cells at commit {commit[:10]}, shared by the remote {store}")
    failed: list[Cell] = []
    unsent: list[Cell] = []
    for number, cell in enumerate(wanted, 1):
        say(f"\n[{number}/{len(wanted)}] {cell}")
        # What another worker has sent is pulled, not trained again.
        if not _dvc("repro", "--pull", f"evaluate@{cell}"):
            failed.append(cell)
        elif not send(cell):
            unsent.append(cell)
    unsent = [cell for cell in unsent if not send(cell)]  # the network may be back
    problems = [
        *([f"{_names(failed)} failed, see above"] if failed else []),
        *([f"{_names(unsent)} could not be sent to {store}"] if unsent else []),
    ]
    if problems:
        raise StudyError(f"{'; '.join(problems)}; put it right and run the same command: what is done is not done again.")
    say(f"\nall {len(wanted)} cells are on {store}; on the head: python -m tools.away collect")


def send(cell: Cell) -> bool:
    """Push the outputs of a cell and of all stages before it, then the records; whether all of it arrived.

    In this order, for a record without its outputs would be taken for a finished run.
    """
    stage = f"evaluate@{cell}"
    return _dvc("push", "--with-deps", stage) and _with_records("push", stage)


def collect(grid: Grid) -> None:
    """Bring every finished cell into this workspace; when none is missing, make the report."""
    commit = revision.committed()
    store = remote.checked(writing=False)
    found, incomplete = fetched(grid, store)
    whole = [name for name in found.entries if name not in incomplete]
    if elsewhere := _not_as_recorded(whole):
        outputs.checkout(recorded(), elsewhere)
    for cell, same in found.twice.items():
        what = "the checkpoints are the same bytes" if same else "the checkpoints differ (other hardware or libraries)"
        say(f"{cell} was trained more than once: {what}; dvc.lock has one of them")
    for name, lost in incomplete.items():
        say(f"{name}: {', '.join(lost)} is not on {store}, or not as its record says")
    missing = [cell for cell in grid.cells() if not set(stage_names.own(cell)) <= set(whole)]
    say(f"\n{len(grid.cells()) - len(missing)} of {len(grid.cells())} cells are here, at commit {commit[:10]}")
    if missing:
        raise StudyError(
            f"missing: {_names(missing)}; on a worker, git checkout {commit[:10]} and python -m tools.away work --at "
            f"{commit[:10]} with these cells or --share K/N (a report without them: python -m stages.aggregate --incomplete "
            f"{grid.name})."
        )
    if unfinished := _not_as_recorded(found.entries):
        raise StudyError(f"{unfinished[0]} is not as it was recorded, so that dvc repro would train; dvc status says why.")
    if not _dvc("repro", "--pull"):
        raise StudyError("dvc repro failed, see above.")


def fetched(grid: Grid, store: str) -> tuple[run_cache.Fitting, dict[str, list[str]]]:
    """The runs that the remote ``store`` has of the study, recorded in dvc.lock; and what those lack that are not whole."""
    lock = recorded()
    if not _with_records("fetch", f"aggregate@{grid.name}"):  # a stage that has nothing in the cache: the records alone
        raise StudyError(f"the records of runs could not be fetched from {store}, see above; try again.")
    with Pipeline(lock) as pipeline:
        found = run_cache.find(pipeline, lock, pipeline.cache.parent.parent / "runs")
        changed = {name: entry for name, entry in found.entries.items() if lock.get(name) != entry}
        run_cache.write(changed)
        try:
            if lacking := [name for name, entry in found.entries.items() if run_cache.broken(pipeline, entry)]:
                outputs.fetch(store, recorded(), lacking)
        finally:  # also where it is stopped: dvc.lock keeps no entry whose files did not arrive
            incomplete = {name: lost for name, entry in found.entries.items() if (lost := run_cache.broken(pipeline, entry))}
            run_cache.write({name: lock.get(name) for name in incomplete.keys() & changed.keys()})
    return found, incomplete


def _not_as_recorded(names: Iterable[str]) -> list[str]:
    """Those of the stages called ``names`` whose files here are not what dvc.lock says."""
    with Pipeline(recorded()) as pipeline:
        return [name for name in names if pipeline.standing(name) is not Standing.CURRENT]


def _names(cells: Iterable[Cell]) -> str:
    return ", ".join(map(str, cells))


def _dvc(*arguments: str) -> bool:
    """Run dvc in the open; whether it succeeded."""
    return process.run(process.command(*arguments)) == 0


def _with_records(action: str, stage: str) -> bool:
    """``dvc push`` or ``dvc fetch`` with the records of all runs; whether it succeeded.

    DVC only logs a record that could not be transferred, and ends with 0 all the same.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        code = process.run(process.command(action, "--run-cache", stage), errors)
        errors.seek(0)
        said = errors.read()
    with suppress(BrokenPipeError):
        print(said, end="", flush=True)
    return code == 0 and "failed to transfer" not in said


if __name__ == "__main__":
    run(main)
