"""Cells of a committed study, made again from nothing by hand, and their bytes held against dvc.lock."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.base.errors import UNREADABLE, StudyError
from study.base.sums import md5
from study.design import cells
from study.design.cells import Cell
from study.pipeline import stage_names

CODE = ("stages", "study", "params.yaml", "data/pretrained")  # what stages need when they run by hand
OWN = Path("data/own")  # images of the user, which a dataset of params.yaml may name


@dataclass(frozen=True)
class Proof:
    """One cell: its outs that came out otherwise than dvc.lock has them (none: the same bytes), or why it was not made."""

    cell: Cell
    different: tuple[str, ...] = ()
    error: str | None = None

    @property
    def same(self) -> bool:
        return not self.different and self.error is None


def recorded(lock: Mapping[str, Any], cell: Cell) -> dict[str, str]:
    """What dvc.lock has of checkpoint, history and predictions of ``cell``: md5 by path. StudyError where it has nothing."""
    found: dict[str, str] = {}
    for stage in stage_names.own(cell):
        if stage not in lock:
            raise StudyError(f"dvc.lock does not have {stage}: {cell} was never recorded.")
        try:
            found |= {out["path"]: out["md5"] for out in lock[stage]["outs"]}
        except UNREADABLE:
            raise StudyError(f"dvc.lock: {stage} is damaged; git checkout HEAD dvc.lock brings it back.") from None
    return found


class Workshop:
    """A folder in which stages run by hand on a copy of the code; what trainings there had saved is gone on with."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._running: set[subprocess.Popen[str]] = set()
        self._guard, self._telling = threading.Lock(), threading.Lock()
        self._closed = False
        for name in CODE:
            source, target = Path(name), folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, target)
        if OWN.is_dir():
            (folder / OWN).unlink(missing_ok=True)  # the project may have been moved since
            (folder / OWN).symlink_to(OWN.absolute())

    def prepare(self, wanted: Iterable[Cell]) -> dict[Cell, str]:
        """Make data, weights and splits of ``wanted``; the reason of each cell that cannot be made for want of them."""
        reasons: dict[tuple[str, ...], str | None] = {}  # of each stage that was run; None where it went well
        lacking: dict[Cell, str] = {}
        for cell in wanted:
            for stage in _shared(cell):
                if stage not in reasons:
                    reasons[stage] = self._failure(*stage)
                if reason := reasons[stage]:
                    lacking[cell] = reason
                    break
        return lacking

    def make(self, wanted: Iterable[Cell], lock: Mapping[str, Any], jobs: int, show: Callable[[Proof], None]) -> list[Proof]:
        """Make ``wanted``, ``jobs`` cells at a time and in their order, and compare each with ``lock``.

        Raises StudyError where ``lock`` does not have one of them.
        """
        expected = {cell: recorded(lock, cell) for cell in wanted}

        def one(cell: Cell) -> Proof:
            for made in (cells.runs(cell), cells.history(cell), cells.predictions(cell)):
                shutil.rmtree(self._folder / made, ignore_errors=True)
            if error := self._failure("train", str(cell)) or self._failure("evaluate", str(cell)):
                proof = Proof(cell, error=error)
            else:
                different = [path for path, known in expected[cell].items() if folder_md5(self._folder / path) != known]
                proof = Proof(cell, tuple(different))
            with self._telling:
                if not self._closed:
                    show(proof)
            return proof

        pool = ThreadPoolExecutor(jobs)
        try:
            return list(pool.map(one, expected))
        except BaseException:
            self._close()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def run(self, name: str, *arguments: str) -> None:
        """Run a stage by hand; StudyError with its last line where it fails."""
        command = [sys.executable, "-m", f"stages.{name}", *arguments]
        with self._guard:
            if self._closed:
                raise StudyError("stopped.")
            # A group of its own: Ctrl-C reaches it through _close alone, once.
            process = subprocess.Popen(
                command, cwd=self._folder, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                process_group=0,
            )  # fmt: skip
            self._running.add(process)
        try:
            out, err = process.communicate()
        except BaseException:
            process.terminate()
            raise
        finally:
            with self._guard:
                self._running.discard(process)
        if process.returncode:
            last = (err.strip() or out.strip()).splitlines()[-1:] or ["no word of why"]
            raise StudyError(f"stages.{' '.join((name, *arguments))} failed: {last[0].removeprefix('error: ')}")

    def _failure(self, name: str, *arguments: str) -> str | None:
        """Run a stage by hand; why it failed, None where it did not."""
        try:
            self.run(name, *arguments)
        except StudyError as error:
            return str(error)
        return None

    def _close(self) -> None:
        """Stop what runs, which keeps its last epoch, and let nothing else begin."""
        with self._guard:
            self._closed = True
            for process in self._running:
                process.terminate()


def folder_md5(folder: Path) -> str:
    """The md5 by which DVC knows ``folder``: that of the JSON list of its files and their md5s, with the ending .dir."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    entries = [{"md5": md5(files[name]), "relpath": name} for name in sorted(files)]
    return f"{hashlib.md5(json.dumps(entries, sort_keys=True).encode(), usedforsecurity=False).hexdigest()}.dir"


def _shared(cell: Cell) -> list[tuple[str, ...]]:
    """The stages before the training of ``cell``, with their arguments, in order."""
    division = ("split", cell.dataset, str(cell.fraction), str(cell.seed))
    return [("download", cell.dataset), ("weights", cell.model), division]


def _environment() -> dict[str, str]:
    """That of a stage by hand. It runs in another folder, and on a processor unless STUDY_DEVICE says otherwise."""
    found = {key: value for key, value in os.environ.items() if not key.startswith(("DVC_", "WANDB_"))}
    if found.get("DATASETS_DIR"):
        found["DATASETS_DIR"] = str(Path(found["DATASETS_DIR"]).absolute())
    return {"STUDY_DEVICE": "cpu", **found}
