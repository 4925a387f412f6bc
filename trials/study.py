"""A small study in a clone of this repository, and what a serial `dvc repro` makes of it: what trials compare with."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.clones import commit, copy, set_params, sh, working_tree

ROOT = Path(__file__).resolve().parent.parent
GRID = ("study.name=digits", "study.datasets=[digits]", "study.models=[cnn_scratch,cnn_glyphs]")  # on four fractions
# Wall time and what quotes it: the one thing that two runs on one machine may have different.
TIMED = ("provenance.json", "README.md", "report.html")
TIMED_PATHS = ("data/history", "reports/")


def make(folder: Path, epochs: int) -> Path:
    """A clone in ``folder`` with 8 cells of ``epochs`` epochs, none of them run."""
    clone = working_tree(ROOT, folder)
    (clone / "dvc.lock").unlink()
    set_params(clone, *GRID, f"datasets.digits.recipe.epochs={epochs}")
    sh(clone, "git", "rm", "-rq", "--cached", "reports/digits")
    sh(clone, "rm", "-r", "reports/digits")
    commit(clone, "a small study")
    return clone


def serial(clone: Path, target: Path) -> Path:
    """A copy of ``clone`` at ``target`` in which a plain `dvc repro` ran."""
    copy(clone, target)
    sh(target, "dvc", "repro")
    return target


def differences(one: Path, other: Path) -> list[str]:
    """Outputs that are not the same bytes, and entries of dvc.lock that are not equal, wall times aside."""
    ours, theirs = files(one), files(other)
    found = [f"file {name}" for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]
    locks = [entries(clone) for clone in (one, other)]
    return found + [f"lock {name}" for name in sorted(locks[0].keys() | locks[1].keys()) if locks[0].get(name) != locks[1].get(name)]


def files(clone: Path) -> dict[str, str]:
    """The sha256 of every output under data/ and reports/."""
    return {
        str(path.relative_to(clone)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("data", "reports")
        for path in sorted((clone / folder).rglob("*"))
        if path.is_file() and path.name not in TIMED
    }


def entries(clone: Path) -> dict[str, Any]:
    """dvc.lock as a mapping, without the sums and sizes of folders that hold wall times."""
    stages: dict[str, Any] = yaml.safe_load((clone / "dvc.lock").read_text())["stages"]
    for stage in stages.values():
        for item in [*stage.get("deps", []), *stage.get("outs", [])]:
            if item["path"].startswith(TIMED_PATHS):
                item["md5"] = item["size"] = None
    return stages


def trainings(clone: Path) -> dict[str, list[int]]:
    """For each cell the epochs that its trainings ran, in order, by the logs of its workers."""
    found: dict[str, list[int]] = {}
    for log in sorted((clone / ".dvc/tmp/fanout").glob("*.log")):
        lines = log.read_text(errors="replace").splitlines()
        found[log.stem] = [int(line.split()[1].split("/")[0]) for line in lines if line.startswith("epoch ")]
    return found


def nothing_left(clone: Path) -> bool:
    """Whether a plain `dvc repro` runs no stage."""
    return "Running stage" not in sh(clone, "dvc", "repro")


def start(clone: Path, *arguments: str, log: Path, **env: str) -> "subprocess.Popen[bytes]":
    """`python -m stages.fanout` in ``clone``, its output in ``log``."""
    import os

    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "stages.fanout", *arguments],
            cwd=clone,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, "DVC_NO_ANALYTICS": "1", **env},
        )
