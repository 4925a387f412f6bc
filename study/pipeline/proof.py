"""Cells of a committed study, made again from nothing by hand, and their bytes held against dvc.lock."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.base.errors import StudyError
from study.design.cells import Cell

CODE = ("stages", "study", "params.yaml", "data/pretrained")  # what stages need when they run by hand


@dataclass(frozen=True)
class Proof:
    """One cell: its outs that came out otherwise than dvc.lock has them (none: the same bytes), or why it was not made."""

    cell: Cell
    different: tuple[str, ...] = ()
    error: str | None = None


def recorded(lock: Mapping[str, Any], cell: Cell) -> dict[str, str]:
    """What dvc.lock has of checkpoint, history and predictions of ``cell``: md5 by path. StudyError where it has nothing."""
    found: dict[str, str] = {}
    for stage in (f"train@{cell}", f"evaluate@{cell}"):
        if stage not in lock:
            raise StudyError(f"dvc.lock does not have {stage}: {cell} was never recorded.")
        found |= {out["path"]: out["md5"] for out in lock[stage]["outs"]}
    return found


def prove(wanted: list[Cell], lock: Mapping[str, Any], folder: Path, jobs: int, show: Callable[[Proof], None]) -> list[Proof]:
    """Make ``wanted`` again in ``folder`` (there, empty), ``jobs`` cells at a time, and compare each with ``lock``."""
    expected = {cell: recorded(lock, cell) for cell in wanted}
    for name in CODE:
        source, target = Path(name), folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy2(source, target)
    for dataset in _different(cell.dataset for cell in wanted):
        _stage(folder, "download", dataset)
    for model in _different(cell.model for cell in wanted):
        _stage(folder, "weights", model)
    for division in _different((cell.dataset, cell.fraction, cell.seed) for cell in wanted):
        _stage(folder, "split", *division)

    def one(cell: Cell) -> Proof:
        try:
            _stage(folder, "train", cell)
            _stage(folder, "evaluate", cell)
        except StudyError as error:
            proof = Proof(cell, error=str(error))
        else:
            proof = Proof(cell, tuple(path for path, md5 in expected[cell].items() if folder_md5(folder / path) != md5))
        show(proof)
        return proof

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, wanted))


def folder_md5(folder: Path) -> str:
    """The md5 by which DVC knows ``folder``: that of the JSON list of its files and their md5s, with the ending .dir."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    entries = [{"md5": _md5(path.read_bytes()), "relpath": path.relative_to(folder).as_posix()} for path in files]
    return f"{_md5(json.dumps(entries, sort_keys=True).encode())}.dir"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _stage(folder: Path, name: str, *arguments: object) -> None:
    """Run a stage by hand in ``folder``; StudyError with its last line where it fails."""
    command = [sys.executable, "-m", f"stages.{name}", *map(str, arguments)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("DVC_", "WANDB_"))}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or ["no word of why"]
        raise StudyError(f"stages.{name} {' '.join(map(str, arguments))} failed: {last[0].removeprefix('error: ')}")


def _different(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))
