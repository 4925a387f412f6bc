"""Train the study's missing cells several at a time: on this machine's GPUs or processors, or on a Slurm cluster.

    python -m tools.fanout                      one cell per GPU at a time (per processor, where there is no GPU)
    python -m tools.fanout --jobs 4 --gpus 0,1  two cells per GPU
    python -m tools.fanout --executor slurm --partition gpu --slurm time=480
    python -m tools.fanout --dry-run            what would run where, and how long that takes

Shared stages run first, then a worker per cell runs its stages, then the report is made, all as `dvc repro` would do.
Cells that fail do not stop the others; what was stopped or killed goes on from its last epoch when the same command runs
again. It is no stage of the pipeline. docs/scale.md has more.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from study.base.console import parser, run, say
from study.base.errors import StudyError, counted
from study.design.cells import Cell
from study.fanout import paths, plan
from study.fanout.driver import Driver
from study.fanout.jobs import Executor
from study.fanout.local import Local, gpus_of, slots
from study.fanout.slurm import Slurm, parameters, task_gpus
from study.fanout.view import tail
from study.pipeline import process, stage_names
from study.pipeline.cell_states import CellState, CellStatus, StudyStatus
from study.pipeline.timing import duration
from study.runtime.lifecycle import stoppable
from study.settings import at_work
from study.settings.params import Params

SHOWN = 5  # last lines of a failed cell's log
QUESTION = (Path("params.yaml"), Path("dvc.yaml"))  # what the study is
GO_ON = "every finished epoch is kept; the same command goes on from there."


def main() -> None:
    arguments = parser(__doc__, "fanout", "tools")
    arguments.add_argument("--executor", choices=("local", "slurm"), default="local", help="where jobs run (local)")
    arguments.add_argument("--jobs", type=int, metavar="N", help="cells at a time (one per GPU or processor; slurm: no limit)")
    arguments.add_argument("--gpus", type=_gpus, metavar="0,1", help="GPUs of this machine that take turns (all)")
    arguments.add_argument("--partition", metavar="NAME", help="for slurm: short for --slurm partition=NAME")
    arguments.add_argument(
        "--slurm", action="append", default=[], metavar="KEY=VALUE", help="an option of submitit or sbatch; time is in minutes"
    )
    arguments.add_argument(
        "--dry-run", action="store_true", help="print the plan, the expected time and GPU-hours; run nothing"
    )
    given = arguments.parse_args()
    options = _options(given)
    places = slots(given.jobs, gpus_of(given.gpus)) if given.executor == "local" else None
    if given.dry_run:
        gpus = int(any(places)) if places is not None else task_gpus(options)
        say("\n".join(describe(plan.read(), places, given.jobs, gpus)))
        return
    executor: Executor = Slurm(given.jobs, options) if places is None else Local(places)
    with at_work.alone(at_work.FANOUT, "fan-out"), stoppable(lambda: GO_ON):
        failed = fan_out(executor, 1 if places is None else len(places))
        if failed:
            say("\n" + "\n".join(summary(failed)))
            raise StudyError(
                f"{counted(len(failed), 'cell')} failed, so there is no report yet; "
                "put it right and run the same command: cells that are done stay done."
            )
        say("every cell is done; the report:")
        _run([_report(Params.load().study().name)])


def fan_out(executor: Executor, processes: int) -> dict[Cell, str]:
    """Bring every cell up to date; those that failed, and how. Stages that cells share run in ``processes`` here."""
    asked = [path.read_bytes() for path in QUESTION]
    for names in plan.shared_to_run():
        kinds = Counter(name.partition("@")[0] for name in names)
        say(f"shared stages: {', '.join(f'{count} {kind}' for kind, count in kinds.items())}")
        _run([process.repro("--single-item", *names[place::processes]) for place in range(min(processes, len(names)))])
    open_cells = [each.cell for each in plan.to_run(plan.read())]
    if not open_cells:
        return {}
    failed = Driver(executor, open_cells).run()
    left = [each for each in plan.to_run(plan.read()) if each.cell not in failed]
    if asked != [path.read_bytes() for path in QUESTION] or any(each.cell not in open_cells for each in left):
        # DVC reads parameters and code once more when a stage ends, and records what it finds then.
        raise StudyError(
            "params.yaml, dvc.yaml or code was edited while cells were trained; run the same command again. Trainings that saw "
            "the edit refused to be recorded; dvc repro -s -f train@CELL makes one anew that ended in the very seconds of it."
        )
    return failed | {each.cell: f"is {each.state} although its job ended well" for each in left}


def describe(study: StudyStatus, places: Sequence[str | None] | None, jobs: int | None, gpus: int) -> Iterator[str]:
    """The plan for people: shared stages, cells in order, expected time, and hours of GPUs (``gpus`` a cell) or processors."""
    cells = plan.to_run(study)
    at_a_time = min(len(cells), len(places) if places is not None else jobs or len(cells))
    counts = f"{len(study.cells)} cells, {len(cells)} to run, {at_a_time} at a time"
    yield f"study {study.grid.name}: {counts} on {_where(places, gpus)}"
    if not cells:
        yield "nothing to train; dvc repro makes the report if it is not up to date"
        return
    first = cells[0].cell
    yield f"1. {_shown(process.repro('--single-item', 'STAGE'))}, for each download, weights and split that is not up to date"
    yield f"2. {_shown(process.repro('--single-item', *stage_names.own(first))).replace(str(first), 'CELL')}, for each of:"
    width = max(len(str(each.cell)) for each in cells)
    for each in cells:
        yield f"   {str(each.cell).ljust(width)}  {str(each.state).ljust(10)}  {_expected(each)}".rstrip()
    yield f"3. {_shown(_report(study.grid.name))}"
    yield from _time(cells, at_a_time, gpus)
    if any(each.state is CellState.RECORDED for each in cells):
        yield "recorded: dvc.lock has these cells, but files are not here. dvc pull brings them from a remote that has them;"
        yield "dvc repro --allow-missing does without them; this command trains the cells again."


def summary(failed: dict[Cell, str]) -> Iterator[str]:
    """A paragraph for each cell that failed: its name, its log and the last lines of it."""
    for cell, reason in failed.items():
        yield f"{cell} {reason}; {paths.log(cell)} ends with:"
        yield from (f"    {line}" for line in tail(paths.log(cell), SHOWN))


def _time(cells: Sequence[CellStatus], at_a_time: int, gpus: int) -> Iterator[str]:
    to_train = [each for each in cells if each.state is not CellState.TRAINED]
    known = [each.seconds for each in to_train if each.seconds is not None]
    devices = sorted({each.device for each in to_train if each.device})
    if known:
        rates = f"by rates measured on {', '.join(devices)}" if devices else "by their own pace"
        hours = f"{sum(known) * (gpus or 1) / 3600:.2f} {'GPU' if gpus else 'processor'}-hours"
        yield f"expected for the training of {len(known)}: {duration(plan.makespan(known, at_a_time))}, {hours}, {rates};"
        yield "   the start of dvc and of two stages per cell comes on top"
    if len(known) < len(to_train):
        yield f"not known for {len(to_train) - len(known)}: no finished training of that size tells a rate here"


def _expected(each: CellStatus) -> str:
    return "" if each.state is CellState.TRAINED or each.seconds is None else duration(each.seconds)


def _where(places: Sequence[str | None] | None, gpus: int) -> str:
    if places is None:
        return "Slurm, with GPUs" if gpus else "Slurm, without GPUs"
    return f"GPU {', '.join(sorted(set(filter(None, places))))}" if gpus else "the processor"


def _gpus(text: str) -> list[str]:
    """Names of GPUs with commas between them. An empty one would be the processor."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} has an empty name; write numbers or names with commas between, such as 0,1")
    return names


def _options(given: argparse.Namespace) -> dict[str, str]:
    """What --partition and --slurm say. Raises StudyError for what is not KEY=VALUE, and for options of the other executor."""
    if given.jobs is not None and given.jobs < 1:
        raise StudyError(f"--jobs is {given.jobs}; it must be 1 or more.")
    pairs = [*given.slurm, *([f"partition={given.partition}"] if given.partition is not None else [])]
    if pairs and given.executor != "slurm":
        raise StudyError(f"{pairs[0]} is for Slurm; add --executor slurm, or leave it out.")
    if given.gpus and given.executor != "local":
        raise StudyError("--gpus is for this machine; on Slurm each task gets one GPU (--slurm gpus_per_node=0 for none).")
    for pair in pairs:
        if not re.fullmatch(r"[\w-]+=.+", pair):
            raise StudyError(f"--slurm {pair} is not of the form KEY=VALUE, such as time=480 (minutes) or account=mine.")
    # sbatch spells its options with dashes, submitit with underscores.
    options = {key.replace("-", "_"): value for key, value in (pair.split("=", 1) for pair in pairs)}
    if len(options) < len(pairs):
        raise StudyError(f"an option of Slurm is given twice: {', '.join(pairs)}; give each once.")
    parameters(given.jobs, options, tuple(options))  # raises where a value is wrong: a plan is refused as the run would be
    return options


def _shown(line: Sequence[str]) -> str:
    return " ".join(line).replace(sys.executable, "python")


def _report(study: str) -> list[str]:
    """The command that makes the report; all before it was found up to date, which `dvc repro` would take seconds to see."""
    return process.repro("--single-item", f"aggregate@{study}")


def _run(lines: Sequence[Sequence[str]]) -> None:
    """Run commands at once before the user's eyes. Raises StudyError if one fails."""
    for line, code in zip(lines, process.run_at_once(lines), strict=True):
        if code:
            raise StudyError(f"{_shown(line)} failed, see above; put it right and run the same command.")


if __name__ == "__main__":
    run(main)
