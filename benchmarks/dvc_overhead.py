"""What DVC itself takes of a study of many cells: every stage is a stub that writes tiny files at once.

    python benchmarks/dvc_overhead.py --cells 32 128 512 --seconds 240

A clone in a temporary folder has this project's dvc.yaml, code and parameters, with seeds added until the grid has that many
cells; `python` is a shell script there. Times are seconds on the clock, with the processor's in brackets: on a busy machine
compare the latter. `--seconds` bounds each measurement: what would take longer is measured on a part, in a lock of full
size, and marked with ~.

no-op      `dvc repro` when nothing changed
stage      what one more stage costs in `dvc repro`, in a lock of full size: run, hash, cache, read and write dvc.lock
full       `dvc repro` from nothing; ~ is stages x the mean of a stage's cost in an empty and in a full lock
batched    `python -m tools.repro` from nothing
by dvc     every cell again after a change of recipe, four workers at a time, as `dvc --wait-for-lock repro -s train@ evaluate@`
fan-out    the same as `python -m tools.repro -s train@ evaluate@`
pull       in a fresh clone with a remote that is a folder: `dvc pull`, then `dvc repro`
repro pull in a fresh clone: `dvc repro --pull`
"""

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
FRACTIONS = (1.0, 0.5, 0.2, 0.1)  # the ladder in dvc.yaml
WORKERS = 4
OURS = (  # tools.repro, which would put its own python before the stub
    sys.executable,
    "-c",
    "import sys; from study.pipeline import lockfile as ours; names = sys.argv[1:]; "
    "ours.reproduce_alone(names) if names else ours.reproduce()",
)
LEFT_OUT = ("tests", "docs", "reports", "benchmarks", "dvc.lock")
STUB = r"""#!/bin/sh
recipe=$(cksum < params.yaml)
case "$2" in
stages.download) out="data/raw/$3"; mkdir -p "$out"
    for name in train_images.npy train_labels.npy test_images.npy test_labels.npy classes.json; do
        echo "$3 $name" > "$out/$name"; done;;
stages.weights) mkdir -p "data/weights/$3"; echo "$3" > "data/weights/$3/card.json";;
stages.split) out="data/splits/$3/$4/$5"; mkdir -p "$out"
    echo "train $3 $4 $5" > "$out/train.npy"; echo "validation $3 $4 $5" > "$out/validation.npy";;
stages.train) mkdir -p "data/runs/$3" "data/history/$3"
    echo "$3 $recipe" > "data/runs/$3/checkpoint.safetensors"
    echo "$3 $recipe" > "data/history/$3/history.csv"; echo "of $3 $recipe" > "data/history/$3/provenance.json";;
stages.evaluate) out="data/predictions/$3"; mkdir -p "$out"
    cat "data/runs/$3/checkpoint.safetensors" > "$out/predictions.npz"; echo "$3 $recipe" > "$out/metrics.json";;
stages.aggregate) mkdir -p "reports/$3"; echo "{}" > "reports/$3/summary.json";;
*) echo "no stub of $*" >&2; exit 1;;
esac
"""


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


class Study:
    """A clone of this project with stubs and a grid of ``count`` cells."""

    def __init__(self, folder: Path, count: int):
        self.folder = folder
        params: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text())
        study = params["study"] | {"name": "stub"}
        if count < len(FRACTIONS) * len(study["datasets"]) * len(study["models"]):
            study["datasets"], study["models"] = study["datasets"][:1], study["models"][:1]
        study["seeds"] = list(range(count // (len(FRACTIONS) * len(study["datasets"]) * len(study["models"]))))
        params["study"] = study
        self.params = params
        fractions = [str(fraction) for fraction in FRACTIONS]
        self.cells = [
            f"{dataset}-{model}-{fraction}-{seed}"
            for dataset in study["datasets"]
            for model in study["models"]
            for fraction in fractions
            for seed in study["seeds"]
        ]
        assert len(self.cells) == count, f"{count} cells make no grid: take 4, 8, ... 28, or a multiple of 32"
        splits = [f"{d} {fraction} {seed}" for d in study["datasets"] for fraction in fractions for seed in study["seeds"]]
        self.commands = [
            *(f"download {dataset}" for dataset in study["datasets"]),
            *(f"weights {model}" for model in study["models"]),
            *(f"split {split}" for split in splits),
            *(f"{stage} {cell}" for cell in self.cells for stage in ("train", "evaluate")),
            "aggregate stub",
        ]
        self._write()

    def _write(self) -> None:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            if name.split("/")[0] not in LEFT_OUT and (ROOT / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.folder / name)
        self.write_params()
        stub = self.folder / ".stub" / "python"
        stub.parent.mkdir()
        stub.write_text(STUB)
        stub.chmod(0o755)
        with (self.folder / ".gitignore").open("a") as ignored:
            ignored.write("/reports/stub/\n")
        self.run("git", "init", "--quiet", "--initial-branch=main")
        self.commit()

    def write_params(self) -> None:
        (self.folder / "params.yaml").write_text(yaml.safe_dump(self.params, sort_keys=False))

    def commit(self) -> None:
        self.run("git", "add", "--all")
        self.run("git", "-c", "user.name=stub", "-c", "user.email=stub@localhost", "commit", "--quiet", "-m", "stub")

    def clone(self, folder: Path) -> "Study":
        """A fresh git clone: dvc.lock, remote, nothing under data/."""
        subprocess.run(["git", "clone", "--quiet", str(self.folder), str(folder)], check=True)
        fresh = object.__new__(Study)
        fresh.__dict__ = self.__dict__ | {"folder": folder}
        return fresh

    def fill(self) -> None:
        """Everything there and recorded, by one `dvc commit`: no part of what is measured."""
        script = "".join(f"python -m stages.{command}\n" for command in self.commands)
        self.run("sh", "-c", script)
        self.run("dvc", "commit", "--force")

    def run(self, *command: str) -> str:
        """Output of ``command`` in the clone; the benchmark ends where it fails."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | {"PATH": self.path, "DVC_NO_ANALYTICS": "1"},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            sys.exit(f"error: {' '.join(command)[:200]} ended with {done.returncode}:\n{done.stdout[-2000:]}")
        return done.stdout

    @property
    def path(self) -> str:
        """The variable PATH with the stub first, then this interpreter's dvc."""
        return os.pathsep.join([str(self.folder / ".stub"), str(Path(sys.executable).parent), os.environ["PATH"]])

    def read_lock(self) -> str:
        return (self.folder / "dvc.lock").read_text()


def no_op(study: Study) -> Cost:
    return measure(lambda: _nothing_runs(study))


def _nothing_runs(study: Study) -> None:
    output = study.run("dvc", "repro")
    assert "Running stage" not in output, output


def one_stage(study: Study) -> Cost:
    """A stage more in one call of dvc repro: four fractions less one, by three."""
    dataset, model, _, seed = study.cells[0].split("-")
    one = measure(lambda: study.run("dvc", "repro", "-s", "-f", "--glob", f"evaluate@{dataset}-{model}-1.0-{seed}"))
    four = measure(lambda: study.run("dvc", "repro", "-s", "-f", "--glob", f"evaluate@{dataset}-{model}-*-{seed}"))
    more = len(FRACTIONS) - 1
    return Cost((four.wall - one.wall) / more, (four.cpu - one.cpu) / more)


def bounded(study: Study, seconds: float, counted: str, *command: str) -> Cost:
    """``command``, killed after ``seconds``: then stages that it came to (lines that begin as ``counted``) stand for all."""
    log = study.folder / ".dvc" / "tmp" / "log"
    log.parent.mkdir(exist_ok=True)
    cost = measure(
        lambda: study.run("sh", "-c", f'timeout --signal=KILL {seconds} "$@" > "{log}" 2>&1 || test $? = 137', "sh", *command)
    )
    came_to = len(re.findall(f"^({counted})", log.read_text(), re.MULTILINE))
    assert came_to, log.read_text()[-2000:]
    return cost.times(len(study.commands) / came_to) if cost.wall >= seconds else cost


def batched(study: Study, seconds: float) -> Cost:
    return bounded(study, seconds, "Running stage", *OURS)


def full(study: Study, empty: Cost, full_size: Cost, seconds: float) -> Cost:
    """Plain dvc repro from nothing; where that takes too long, from a stage's cost in an empty and in a full lock."""
    guess = (empty + full_size).times(len(study.commands) / 2)
    return guess if guess.wall > seconds else measure(lambda: study.run("dvc", "repro"))


def fan_out(study: Study, work: Callable[[str], object], seconds: float) -> Cost:
    """Cells through ``work``, four at a time, in rounds, until all are done or half of ``seconds`` has passed."""
    done, spent = 0, Cost(0, 0)
    with ThreadPoolExecutor(WORKERS) as pool:
        while done < len(study.cells) and spent.wall < seconds / 2:
            cells = study.cells[done : done + 4 * WORKERS if spent.wall < seconds / 8 and done else done + WORKERS]
            spent += measure(lambda cells=cells: list(pool.map(work, cells)))  # type: ignore[misc]
            done += len(cells)
    return spent.times(len(study.cells) / done)


def again(study: Study) -> None:
    """Another recipe: every training is stale."""
    study.params["train"]["epochs"] += 1
    study.write_params()


def plain_worker(study: Study, cell: str) -> None:
    study.run("dvc", "--wait-for-lock", "repro", "--single-item", f"train@{cell}", f"evaluate@{cell}")


def our_worker(study: Study, cell: str) -> None:
    study.run(*OURS, f"train@{cell}", f"evaluate@{cell}")


def pull(fresh: Study) -> Cost:
    def both() -> None:
        fresh.run("dvc", "pull")
        output = fresh.run("dvc", "repro")
        assert set(re.findall(r"Running stage '(\w+)@", output)) <= {"aggregate"}, output

    return measure(both)


def repro_pull(fresh: Study, seconds: float) -> Cost:
    return bounded(fresh, seconds, "Pulling data for|Running stage", "dvc", "repro", "--pull")


def runs(study: Study, folder: Path, seconds: float) -> Iterator[tuple[str, Cost]]:
    yield "no-op", no_op(study)
    stage = one_stage(study)
    yield "stage", stage
    count = len(study.cells)
    many = batched(Study(folder / "batched", count), seconds)
    yield "full", full(Study(folder / "full", count), many.times(1 / len(study.commands)), stage, seconds)
    yield "batched", many


def remote(study: Study, folder: Path, seconds: float) -> Iterator[tuple[str, Cost]]:
    study.run("dvc", "remote", "add", "--default", "store", str(folder / "remote"))
    study.commit()
    study.run("dvc", "push")
    yield "pull", pull(study.clone(folder / "pull"))
    yield "repro pull", repro_pull(study.clone(folder / "repro_pull"), seconds)


def workers(study: Study, folder: Path, seconds: float) -> Iterator[tuple[str, Cost]]:
    again(study)
    yield "by dvc", fan_out(study, lambda cell: plain_worker(study, cell), seconds)


def ours(study: Study, folder: Path, seconds: float) -> Iterator[tuple[str, Cost]]:
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
                study = Study(Path(folder) / "study", count)
                study.fill()
                study.commit()
                if group == given.what[0]:
                    lines = study.read_lock().count("\n")
                    print(f"\n{count} cells, {len(study.commands)} stages, {lines} lines of dvc.lock", flush=True)
                for label, cost in WHAT[group](study, Path(folder), given.seconds):
                    print(f"{label:12}{cost!s:>20}", flush=True)


if __name__ == "__main__":
    main()
