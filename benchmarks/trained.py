"""Trainings by the real stages for benchmarks/gpu.py: the same one again and again, and cells of the study.

Each lies in a project of its own: a folder with links to this one's code. No DVC is needed.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import Case
from benchmarks.rows import BROKEN, FAILED, HELD, LEFT_OUT, MEASURED, Row
from study.base import yaml12
from study.base.errors import StudyError
from study.data.dataset import Dataset
from study.data.splits import Split
from study.design import cells
from study.design.cells import Cell
from study.models.card import Card
from study.runtime import records

HERE = Path.cwd()  # the project's root, as for every stage
LINKED = ("stages", "study", "dvc.yaml", "data/own", "data/pretrained")
AGAIN = 75  # exit code of a training that is out of time; the same command goes on
DATASET, MODEL = "made_up", "model"
CELL = Cell(DATASET, MODEL, 1.0, 0)


class OutOfTimeError(Exception):
    """The time for this part is up."""


@dataclass(frozen=True)
class Project:
    """A folder in which stages run until ``deadline`` (of time.time)."""

    folder: Path
    deadline: float

    def make(self, params: str) -> None:
        """Links to the code and to what git has of data, and params.yaml as given; data that are there stay."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in LINKED:
            if not (HERE / name).exists():
                continue
            link = self.folder / name
            link.parent.mkdir(exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(HERE / name)
        (self.folder / "params.yaml").write_text(params, encoding="utf-8")

    @property
    def left(self) -> float:
        """Seconds until the deadline. Raises OutOfTimeError where there are none."""
        if (left := self.deadline - time.time()) <= 0:
            raise OutOfTimeError
        return left

    def start(self, *command: str, **more: str) -> "subprocess.Popen[str]":
        """The stage ``command`` (train CELL), started; ``more`` are variables of its environment."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("DVC_")} | more
        if own.get("DATASETS_DIR"):  # the stage runs in another folder
            own["DATASETS_DIR"] = str(Path(own["DATASETS_DIR"]).absolute())
        line = [sys.executable, "-m", f"stages.{command[0]}", *command[1:]]
        pipe = subprocess.PIPE
        return subprocess.Popen(line, cwd=self.folder, env=own, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def run(self, *command: str, **more: str) -> tuple[int, str]:
        """Exit code and output of a stage. Raises OutOfTimeError where it has to be stopped."""
        left = self.left
        with self.start(*command, **more) as process:
            try:
                said, _ = process.communicate(timeout=left)
            except subprocess.TimeoutExpired:
                process.terminate()  # a training keeps its finished epochs
                try:
                    process.communicate(timeout=20)
                except subprocess.TimeoutExpired:
                    process.kill()
                raise OutOfTimeError from None
        return process.returncode, said


def exactness(case: Case, project: Project, batch: int, images: int, epochs: int, cuda: bool) -> Iterator[Row]:
    """Rows on one made-up training of ``images``: done twice, killed and resumed, with a new cache of the compiler."""
    _prepare(case, project, batch, images, epochs)
    try:
        wanted = _sums(project)
        yield _same(f"{case.name}, trained twice", wanted, _sums(project))
        yield _same(f"{case.name}, killed with -9 and resumed", wanted, *_killed(project))
        if cuda:
            own = project.folder / "compiler"
            shutil.rmtree(own, ignore_errors=True)
            found = _sums(project, TORCHINDUCTOR_CACHE_DIR=str(own))
            yield _same(f"{case.name}, compiled anew", wanted, found)
    except OutOfTimeError:
        yield Row("exactness", case.name, LEFT_OUT, "the time is up")
    except StudyError as error:
        yield Row("exactness", case.name, FAILED, str(error))


def _prepare(case: Case, project: Project, batch: int, images: int, epochs: int) -> None:
    """A dataset of noise whose classes differ in brightness, its split, and the model's card."""
    params = yaml12.load((HERE / "params.yaml").read_text(encoding="utf-8"))
    recipe = {"image_size": case.image_size, "precision": case.precision, "batch_size": batch, "epochs": epochs}
    model = {"family": "any", "arch": {"name": case.arch, **case.options}, "weights": None, "scratch": None, "recipe": {}}
    params["train"] |= recipe
    params["datasets"] = {DATASET: {"source": {"format": "digits"}, "recipe": {}}}
    params["models"] = {MODEL: model}
    project.make(json.dumps(params))  # JSON is YAML
    random, labels = np.random.RandomState(0), np.arange(images) % 10
    pixels = (random.randint(0, 156, (images, 32, 32, 3)) + 10 * labels[:, None, None, None]).astype(np.uint8)
    for folder in (cells.raw(DATASET), cells.weights(MODEL)):
        (project.folder / folder).mkdir(parents=True, exist_ok=True)
    kinds = tuple(map(str, range(10)))
    Dataset(pixels, labels, pixels[:100], labels[:100], kinds).write(project.folder / cells.raw(DATASET))
    Card(case.arch, case.options, None, None, None, (0.5,) * 3, (0.25,) * 3, "bicubic").write(
        project.folder / cells.weights(MODEL)
    )
    Split.draw(DATASET, 1.0, 0, labels, 0.1).save(project.folder / cells.split(DATASET, 1.0, 0))


def _fresh(project: Project) -> Path:
    """Forget the training; the folder where its saved states will lie."""
    states = project.folder / ".dvc" / "tmp" / "training" / str(CELL)
    for folder in (states, project.folder / cells.runs(CELL), project.folder / cells.history(CELL)):
        shutil.rmtree(folder, ignore_errors=True)
    return states


def _sums(project: Project, **more: str) -> dict[str, str]:
    """The sums of a whole training's files, from the start."""
    _fresh(project)
    return _ended(project, *project.run("train", str(CELL), **more))


def _ended(project: Project, code: int, said: str) -> dict[str, str]:
    """sha256 of checkpoint and history; StudyError with the last line of what was ``said`` where the training failed."""
    if code:
        raise StudyError((said.strip().splitlines() or [f"exit code {code}"])[-1])
    files = (cells.runs(CELL) / "checkpoint.safetensors", cells.history(CELL) / "history.csv")
    return {file.name: hashlib.sha256((project.folder / file).read_bytes()).hexdigest() for file in files}


def _killed(project: Project) -> tuple[dict[str, str], str]:
    """The sums of a training that is killed after its first saved epoch and started again, and where it went on."""
    states = _fresh(project)
    with project.start("train", str(CELL)) as process:
        try:
            while process.poll() is None and not any(states.glob("*/[0-9]*.json")):
                time.sleep(min(0.002, project.left))
        finally:
            process.send_signal(signal.SIGKILL)
    if (project.folder / cells.runs(CELL)).exists():
        raise StudyError("the training had ended before it was killed")
    code, said = project.run("train", str(CELL))
    went_on = next((line for line in said.splitlines() if line.startswith("going on after")), "")
    if code == 0 and not went_on:
        raise StudyError("the killed training began anew")
    return _ended(project, code, said), went_on


def _same(what: str, wanted: Mapping[str, str], found: Mapping[str, str], more: str = "") -> Row:
    differ = [name for name in wanted if wanted[name] != found[name]]
    said = f"{' and '.join(differ)} differ" if differ else f"the same bytes, sha256 {found['checkpoint.safetensors'][:12]}"
    return Row("exactness", what, BROKEN if differ else HELD, f"{said}{more and f' ({more})'}", dict(found))


def study_cell(cell: Cell, project: Project, out: Path) -> Row:
    """Train and test ``cell``, or what is left of it; what is to be kept in git is copied to ``out``/measured/<cell>."""
    name = str(cell)
    try:
        if not (project.folder / cells.measured(cell)).exists():
            for command, made in (
                (("download", cell.dataset), cells.raw(cell.dataset)),
                (("weights", cell.model), cells.weights(cell.model)),
                (
                    ("split", cell.dataset, str(cell.fraction), str(cell.seed)),
                    cells.split(cell.dataset, cell.fraction, cell.seed),
                ),
            ):
                if not (project.folder / made).exists():
                    _checked(project.run(*command))
            code, said = project.run("train", name, "--budget", str(project.left))  # rounded, it could be 0
            if code == AGAIN:
                raise OutOfTimeError
            _checked((code, said))
            _checked(project.run("evaluate", name, "--measured"))
        kept = out / "measured" / name
        shutil.copytree(project.folder / cells.measured(cell), kept, dirs_exist_ok=True)
        return _result(name, kept)
    except OutOfTimeError:
        return Row("cells", name, LEFT_OUT, f"the time is up; {_epochs(project, name)}the same command goes on")
    except StudyError as error:
        return Row("cells", name, FAILED, str(error))


def _checked(ended: tuple[int, str]) -> None:
    code, said = ended
    if code:
        raise StudyError((said.strip().splitlines() or [f"exit code {code}"])[-1])


def _epochs(project: Project, name: str) -> str:
    states = (project.folder / ".dvc" / "tmp" / "training" / name).glob("*/[0-9]*.json")
    return f"{max(numbers)} epochs are saved, " if (numbers := [int(path.stem) for path in states]) else ""


def _result(name: str, folder: Path) -> Row:
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    record = records.Record.load(folder / records.FILE)
    assert record is not None
    said = f"error {100 * metrics['top1_error']:.2f} %, {record.wall_seconds:.0f} s, {record.images_per_second:.0f} img/s"
    return Row("cells", name, MEASURED, said, {"top1_error": metrics["top1_error"], **vars(record)})
