"""Cells that left the grid, cleared away under DVC: aggregate depends on whole directories, so what lies there counts.

Only what can be brought back goes: dvc.lock must record the folder as the output of a stage, with exactly the content
that lies there, and DVC's cache must hold every object of it. Checkpoints (data/runs) stay: no report depends on them.
"""

import json
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from study.base import yaml12
from study.base.errors import UNREADABLE, StudyError
from study.base.folders import hidden
from study.base.sums import md5
from study.design import cells
from study.design.cells import Cell

FOLDERS = ("history", "predictions")


def off_grid(grid: Collection[Cell]) -> list[Path]:
    """What lies in data/history and data/predictions and is no cell of ``grid``, sorted."""
    names = {str(cell) for cell in grid}
    found = [path for name in FOLDERS for path in (cells.DATA / name).glob("*")]
    return sorted(path for path in found if path.name not in names and not hidden(path))


def clear(paths: Collection[Path]) -> None:
    """Delete ``paths``, all or none; StudyError names the first that DVC could not bring back."""
    if not paths:
        return
    recorded, cache = _recorded(), _cache()
    for path in sorted(paths):
        _check(path, recorded.get(path.as_posix()), cache)
    for path in sorted(paths):
        shutil.rmtree(path)


def _check(path: Path, object_id: str | None, cache: Path) -> None:
    stray = f"{path} is no cell of this study, and would slip into its report's dependencies;"
    if object_id is None or not path.is_dir():
        raise StudyError(f"{stray} dvc.lock does not record it, so it is not deleted: move it away, or dvc commit its stage.")
    back = f"dvc commit keeps it, dvc checkout {path} gives back what was recorded."
    try:
        entries = {
            entry["relpath"]: entry["md5"] for entry in json.loads(_object(cache, object_id).read_text(encoding="utf-8"))
        }
    except UNREADABLE:
        raise StudyError(f"{stray} DVC's cache lacks its object {object_id}, so it is not deleted: {back}") from None
    for name, file_id in entries.items():
        if not _object(cache, file_id).is_file():
            raise StudyError(f"{stray} DVC's cache lacks {name} of it, so it is not deleted: {back}")
    there = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if not file.is_dir()}
    for name, file in sorted(there.items()):
        if entries.get(name) != md5(file):
            raise StudyError(f"{stray} {name} in it is not what dvc.lock records, so it is not deleted: {back}")


def _recorded() -> dict[str, str]:
    """The directory object of every recorded output, by its path; none where dvc.lock cannot be read."""
    try:
        lock: Any = yaml12.load_lock(Path("dvc.lock").read_text(encoding="utf-8"))
        outs = [out for stage in lock["stages"].values() for out in stage.get("outs", [])]
        return {out["path"]: out["md5"] for out in outs if str(out.get("md5", "")).endswith(".dir")}
    except (*UNREADABLE, yaml.YAMLError):
        return {}


def _cache() -> Path:
    """Where DVC keeps objects by md5, as its configuration says."""
    try:
        from dvc.exceptions import DvcException  # type: ignore[import-untyped]
        from dvc.repo import Repo  # type: ignore[import-untyped]
    except ImportError:
        raise StudyError("cells that left the study can only be cleared away where dvc can be imported; install dvc.") from None
    try:
        with Repo() as repo:
            return Path(repo.cache.local.path)
    except DvcException as error:
        raise StudyError(f"DVC's cache cannot be found ({error}); run this inside the DVC project.") from None


def _object(cache: Path, object_id: str) -> Path:
    return cache / object_id[:2] / object_id[2:]
