"""What DVC itself takes of a study of many cells: every stage is a stub that writes tiny files at once.

    python -m benchmarks.dvc_overhead --cells 32 128 512 --seconds 240

The study is that of benchmarks/stubbed.py, in a temporary folder. Times are seconds on the clock, with the processor's in
brackets: on a busy machine compare the latter. `--seconds` bounds each measurement: what would take longer is measured on a
part, in a lock of full size, and marked with ~.

no-op      `dvc repro` when nothing changed
stage      what one more stage costs in `dvc repro`, in a lock of full size: run, hash, cache, read and write dvc.lock
full       `dvc repro` from nothing; ~ is stages x the mean of a stage's cost in an empty and in a full lock
by repro   `python -m tools.repro` from nothing
by dvc     every cell again after a change of recipe, four workers at a time, as `dvc --wait-for-lock repro -s train@ evaluate@`
fan-out    the same as `python -m tools.repro -s train@ evaluate@`
pull       in a fresh clone with a remote that is a folder: `dvc pull`, then `dvc repro`
repro pull in a fresh clone: `dvc repro --pull`
"""

import argparse
import os
import re
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.stubbed import OURS, Stubbed
from tests.clones import commit

WORKERS = 4


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock and of the processors; ``part`` where it was extrapolated."""

    wall: float
    cpu: float
    part: bool = False

    def times(self, factor: float) -> "Cost":
        return Cost(self.wall * factor, self.cpu * factor, self.part or factor != 1)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.wall + other.wall, self.cpu + other.cpu, self.part or other.part)

    def __str__(self) -> str:
        digits = 0 if self.wall >= 20 else 1
        cpu = f" ({self.cpu:.{digits}f})" if self.cpu >= 0.05 else ""  # unknown of a process that was killed
        return f"{'~' if self.part else ''}{self.wall:.{digits}f}{cpu}"


def measure(action: Callable[[], object]) -> Cost:
    """What ``action`` costs, with the processes that it starts and waits for."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    action()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(time.monotonic() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def no_op(study: Stubbed) -> Cost:
    return measure(lambda: _nothing_runs(study))


def _nothing_runs(study: Stubbed) -> None:
    output = study.run("dvc", "repro")
    assert "Running stage" not in output, output


def one_stage(study: Stubbed) -> Cost:
    """A stage more in one call of dvc repro: all fractions less one, by their number less one."""
    dataset, model, _, seed = study.cells[0].split("-")
    one = measure(lambda: study.run("dvc", "repro", "-s", "-f", "--glob", f"evaluate@{dataset}-{model}-1.0-{seed}"))
    four = measure(lambda: study.run("dvc", "repro", "-s", "-f", "--glob", f"evaluate@{dataset}-{model}-*-{seed}"))
    more = len({cell.split("-")[2] for cell in study.cells}) - 1
    return Cost((four.wall - one.wall) / more, (four.cpu - one.cpu) / more)


def bounded(study: Stubbed, seconds: float, counted: str, *command: str) -> Cost:
    """``command``, killed after ``seconds``: then stages that it came to (lines that begin as ``counted``) stand for all."""
    log = study.folder / ".dvc" / "tmp" / "log"
    log.parent.mkdir(exist_ok=True)
    cost = measure(
        lambda: study.run("sh", "-c", f'timeout --signal=KILL {seconds} "$@" > "{log}" 2>&1 || test $? = 137', "sh", *command)
    )
    came_to = len(re.findall(f"^({counted})", log.read_text(), re.MULTILINE))
    assert came_to, log.read_text()[-2000:]
    return cost.times(len(study.commands) / came_to) if cost.wall >= seconds else cost


def by_repro(study: Stubbed, seconds: float) -> Cost:
    return bounded(study, seconds, "Running stage", *OURS)


def full(study: Stubbed, empty: Cost, full_size: Cost, seconds: float) -> Cost:
    """Plain dvc repro from nothing; where that takes too long, from a stage's cost in an empty and in a full lock."""
    guess = (empty + full_size).times(len(study.commands) / 2)
    return guess if guess.wall > seconds else measure(lambda: study.run("dvc", "repro"))


def fan_out(study: Stubbed, work: Callable[[str], object], seconds: float) -> Cost:
    """Cells through ``work``, four at a time, in rounds, until all are done or half of ``seconds`` has passed."""
    done, spent = 0, Cost(0, 0)
    with ThreadPoolExecutor(WORKERS) as pool:
        while done < len(study.cells) and spent.wall < seconds / 2:
            cells = study.cells[done : done + 4 * WORKERS if spent.wall < seconds / 8 and done else done + WORKERS]
            spent += measure(lambda cells=cells: list(pool.map(work, cells)))  # type: ignore[misc]
            done += len(cells)
    return spent.times(len(study.cells) / done)


def again(study: Stubbed) -> None:
    """Another recipe: every training is stale."""
    study.params["train"]["epochs"] += 1
    study.write_params()


def plain_worker(study: Stubbed, cell: str) -> None:
    study.run("dvc", "--wait-for-lock", "repro", "--single-item", f"train@{cell}", f"evaluate@{cell}")


def our_worker(study: Stubbed, cell: str) -> None:
    study.run(*OURS, f"train@{cell}", f"evaluate@{cell}")


def pull(fresh: Stubbed) -> Cost:
    def both() -> None:
        fresh.run("dvc", "pull")
        output = fresh.run("dvc", "repro")
        assert set(re.findall(r"Running stage '(\w+)@", output)) <= {"aggregate"}, output

    return measure(both)


def repro_pull(fresh: Stubbed, seconds: float) -> Cost:
    return bounded(fresh, seconds, "Pulling data for|Running stage", "dvc", "repro", "--pull")


def runs(study: Stubbed, folder: Path, seconds: float) -> Iterator[tuple[str, Cost]]:
    yield "no-op", no_op(study)
    stage = one_stage(study)
    yield "stage", stage
    count = len(study.cells)
    many = by_repro(Stubbed(folder / "by_repro", count), seconds)
    yield "full", full(Stubbed(folder / "full", count), many.times(1 / len(study.commands)), stage, seconds)
    yield "by repro", many


def remote(study: Stubbed, folder: Path, seconds: float) -> Iterator[tuple[str, Cost]]:
    study.run("dvc", "remote", "add", "--default", "store", str(folder / "remote"))
    commit(study.folder, "remote")
    study.run("dvc", "push")
    yield "pull", pull(study.clone(folder / "pull"))
    yield "repro pull", repro_pull(study.clone(folder / "repro_pull"), seconds)


def workers(study: Stubbed, folder: Path, seconds: float) -> Iterator[tuple[str, Cost]]:
    again(study)
    yield "by dvc", fan_out(study, lambda cell: plain_worker(study, cell), seconds)


def ours(study: Stubbed, folder: Path, seconds: float) -> Iterator[tuple[str, Cost]]:
    again(study)
    yield "fan-out", fan_out(study, lambda cell: our_worker(study, cell), seconds)


WHAT = {"runs": runs, "remote": remote, "workers": workers, "ours": ours}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--cells", type=int, nargs="+", default=[32, 128, 512], help="sizes of the grid")
    arguments.add_argument("--seconds", type=float, default=240.0, help="time budget of each measurement")
    arguments.add_argument("--what", nargs="+", choices=list(WHAT), default=list(WHAT), help="groups of measurements")
    given = arguments.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; {time.strftime('%Y-%m-%d %H:%M')}")
    for count in given.cells:
        for group in given.what:
            with tempfile.TemporaryDirectory() as folder:
                study = Stubbed(Path(folder) / "study", count)
                study.fill()
                commit(study.folder, "filled")
                if group == given.what[0]:
                    lines = study.read_lock().count("\n")
                    print(f"\n{count} cells, {len(study.commands)} stages, {lines} lines of dvc.lock", flush=True)
                for label, cost in WHAT[group](study, Path(folder), given.seconds):
                    print(f"{label:12}{cost!s:>20}", flush=True)


if __name__ == "__main__":
    main()
