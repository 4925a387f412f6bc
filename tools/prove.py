"""Make cells of the committed studies again, from nothing, and compare checkpoints, histories and predictions with dvc.lock.

    python -m tools.prove                       # the cheapest cells of each kind, in minutes
    python -m tools.prove CELL [CELL ...]       # these
    python -m tools.prove --study cifar32       # every cell of a study that dvc.lock has, and its pre-training; in hours
    python -m tools.prove --record              # the same, and dvc.lock learns of code that was edited and changes no result

Without --record and --ledger nothing of the project changes. On an x86-64 processor with AVX2 all should be the same bytes. A
study may be stopped at any moment: the same command goes on. It makes no cell again that was proved, as long as its entry in
dvc.lock, its parameters, the code of train and evaluate, and the libraries are the same. To begin anew, remove .dvc/tmp/prove.
With --record all cells of a study are made, proved or not: a proof says nothing of the code that reads data and draws splits.
With --ledger FILE, that file is read and written in place of .dvc/tmp/prove/proved.json; docs/proved.json is for all machines.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from study.base import machine
from study.base.console import parser, run, say
from study.base.errors import StudyError
from study.design.cells import Cell
from study.pipeline import moved_code, proof, proved, standing
from study.pipeline.proof import Proof
from study.runtime.lifecycle import stoppable
from study.settings import at_work, studies
from study.settings.grid import ladder
from study.settings.params import Params

CHEAPEST = (
    "cifar10-cnn32_tiny-0.1-0",
    "cifar10-vit32_scratch-0.1-0",
    "digits-cnn_scratch-0.1-0",
    "digits-vit_glyphs-0.1-0",
)
PLACE = Path(".dvc/tmp/prove")  # of a study, which may be stopped: the trainings that are under way, and what was proved
LEDGER, LOCK = PLACE / "proved.json", PLACE / "lock"


def main() -> None:
    """Command line: python -m tools.prove [CELL ... | --study NAME [--ledger FILE]] [--jobs N] [--record]."""
    arguments = parser(__doc__, "prove", "tools")
    arguments.add_argument("cells", nargs="*", metavar="CELL", help="dataset-model-fraction-seed")
    arguments.add_argument("--study", metavar="NAME", help="a key of studies.yaml")
    arguments.add_argument("--ledger", type=Path, default=LEDGER, metavar="FILE", help=f"what was proved of it ({LEDGER})")
    arguments.add_argument("--jobs", type=int, default=machine.processors(), help="cells at a time (one per processor)")
    arguments.add_argument("--record", action="store_true", help="where all are the same bytes, record the code of today")
    given = arguments.parse_args()
    if given.study is not None and given.cells:
        arguments.error("give cells, or --study")
    if given.study is None and given.ledger != LEDGER:
        arguments.error("--ledger goes with --study")
    jobs = max(1, given.jobs)
    code = moved_code.today() if given.record else {}  # before anything is made: an edit from now on is not proved
    if given.study is not None:
        wanted = proved.cells_of(studies.named(given.study), Params.load(), standing.recorded())
        good = of_study(given.study, jobs, given.ledger, afresh=given.record)
    else:
        wanted = list(dict.fromkeys(map(Cell.parse, given.cells or CHEAPEST)))
        with stoppable(lambda: "nothing is kept of it."), tempfile.TemporaryDirectory(prefix="prove-") as folder:
            good = made(wanted, Path(folder), jobs, lambda _: None)
    if given.record:
        record(code, wanted, good)
    sys.exit(0 if good else 1)


def record(code: dict[str, moved_code.Dependencies], proven: list[Cell], good: bool) -> None:
    """Record ``code`` in dvc.lock where the ``proven`` cells are ``good``; say for which stages, and for which not."""
    if not good:
        raise StudyError("nothing was recorded, since not every cell came out the same; mend the code, or run dvc repro.")
    changed, left = moved_code.record(code, proven)
    say(f"dvc.lock: the code of today is recorded for {len(changed)} stages; commit it")
    if left:
        say(f"not for {', '.join(left)}, of which no cell was made; dvc repro makes them, or name a cell of each")


def of_study(name: str, jobs: int, file: Path = LEDGER, afresh: bool = False) -> bool:
    """Prove every recorded cell of the study ``name`` that is not in ``file`` yet, or all of them ``afresh``; whether all are
    the same bytes.
    """
    study, params, lock = studies.named(name), Params.load(), standing.recorded()
    cells = proved.cells_of(study, params, lock)
    of_it = [cell for cell in cells if cell.model in study.models and cell.dataset in study.datasets]
    if not of_it:
        raise StudyError(f"dvc.lock has no cell of study {name}; python -m tools.study names the studies.")
    grid = len(study.datasets) * len(study.models) * len(study.seeds) * len(ladder())
    absent = grid - sum(cell.fraction in ladder() for cell in of_it)
    elsewhere = "" if file == LEDGER else f" --ledger {file}"
    again = f"the same command (python -m tools.prove --study {name}{elsewhere}) goes on."
    kept = "cells that were proved, and epochs of those under way, are kept"
    with stoppable(lambda: f"{kept}; {again}"), at_work.alone(LOCK, "prove --study"):
        ledger = proved.Ledger(file, lock, params)
        left = [cell for cell in cells if afresh or not ledger.has(cell)]
        say(
            f"study {name}: {len(of_it)} cells and {len(cells) - len(of_it)} of its pre-training are in dvc.lock"
            f"{f', {absent} cells are not' if absent else ''}; {len(cells) - len(left)} were proved before"
        )

        def keep(result: Proof) -> None:
            if result.same:
                ledger.add(result.cell)

        good = made(left, PLACE, jobs, keep) if left else True
        if good:
            say(f"all {len(cells)} cells are the same bytes as dvc.lock has")
            for folder in ("data", "stages", "study"):
                shutil.rmtree(PLACE / folder, ignore_errors=True)
    return good


def made(wanted: list[Cell], folder: Path, jobs: int, keep: Callable[[Proof], None]) -> bool:
    """Make ``wanted`` in ``folder`` and say of each how it came out; whether all are the same bytes."""
    lock = standing.recorded()
    for cell in wanted:
        proof.recorded(lock, cell)  # before anything is made
    workshop = proof.Workshop(folder)
    lacking = workshop.prepare(wanted)
    makable = [cell for cell in wanted if cell not in lacking]
    for reason in dict.fromkeys(lacking.values()):
        names = [str(cell) for cell in wanted if lacking.get(cell) == reason]
        say(f"not made: {', '.join(names)}, since {reason}")
    say(f"{len(makable)} cells are made now, {jobs} at a time")

    def show(result: Proof) -> None:
        differs = f"differs: {', '.join(result.different)}" if result.different else "the same bytes"
        say(f"{result.cell}: {result.error or differs}")
        keep(result)

    proofs = workshop.make(makable, lock, jobs, show)
    same = sum(each.same for each in proofs)
    say(f"{same} of {len(wanted)} cells are the same bytes as dvc.lock has")
    return same == len(wanted)


if __name__ == "__main__":
    run(main)
