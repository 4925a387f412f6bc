"""A small study in a clone of this repository, and what a serial `dvc repro` makes of it: what trials compare with."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from study.base.console import parser
from tests.clones import commit, copy, set_params, sh, working_tree

ROOT = Path(__file__).resolve().parent.parent
RECORDS = Path("data/records")  # wall times: the one thing that two runs may have different


def chosen(module_doc: str, name: str, cases: Iterable[str]) -> list[str]:
    """The words of the command line of ``trials.<name>``, which are some of ``cases``; all of these where it has none."""
    every = list(cases)
    arguments = parser(module_doc, name, "trials")
    arguments.add_argument("cases", nargs="*", metavar="CASE")
    given: list[str] = arguments.parse_args().cases
    if not set(given) <= set(every):
        arguments.error(f"the cases are {', '.join(every)}")
    return given or every


def make(folder: Path, epochs: int, models: str, ladder: str = "1.0,0.5,0.2,0.1") -> Path:
    """A clone in ``folder`` with cells of digits: ``models`` times fractions of ``ladder``, none of them run yet."""
    clone = working_tree(ROOT, folder)
    (clone / "dvc.lock").unlink()
    whole = "1.0, 0.5, 0.2, 0.1"
    text = (clone / "dvc.yaml").read_text().replace(whole, ladder.replace(",", ", "))
    (clone / "dvc.yaml").write_text(text.replace(f"--ladder {whole.replace(' ', '')}", f"--ladder {ladder}"))
    study = ("fraction=1.0", "study.name=digits", "study.datasets=[digits]", f"study.models=[{models}]", "study.seeds=[0]")
    set_params(clone, *study, f"datasets.digits.recipe.epochs={epochs}")
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
    """Outputs that are not the same bytes, and entries of dvc.lock that are not equal."""
    ours, theirs = files(one), files(other)
    found = [f"file {name}" for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]
    locks = [entries(clone) for clone in (one, other)]
    return found + [
        f"lock {name}" for name in sorted(locks[0].keys() | locks[1].keys()) if locks[0].get(name) != locks[1].get(name)
    ]


def files(clone: Path) -> dict[str, str]:
    """The sha256 of every output under data/ and reports/."""
    return {
        str(path.relative_to(clone)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("data", "reports")
        for path in sorted((clone / folder).rglob("*"))
        if path.is_file() and clone / RECORDS not in path.parents
    }


def entries(clone: Path) -> dict[str, Any]:
    """dvc.lock as a mapping."""
    stages: dict[str, Any] = yaml.safe_load((clone / "dvc.lock").read_text())["stages"]
    return stages


def once(clone: Path, epochs: int, interrupted: Mapping[str, int]) -> list[str]:
    """Cells whose epochs were not run once each; of those ``interrupted`` so often one epoch each time may be run again."""
    found = []
    for cell, ran in trainings(clone).items():
        again = len(ran) - len(set(ran))
        if sorted(set(ran)) != list(range(1, epochs + 1)) or again > interrupted.get(cell, 0):
            found.append(f"{cell}: {ran}")
    return found


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
    """`python -m tools.fanout` in ``clone``, its output in ``log``."""
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "tools.fanout", *arguments],
            cwd=clone,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, "DVC_NO_ANALYTICS": "1", **env},
        )


def epoch(clone: Path, cell: str) -> int:
    """The last epoch of ``cell`` whose state is on disk, 0 where there is none."""
    return max((int(path.stem) for path in (clone / ".dvc/tmp/training" / cell).glob("*/[0-9]*.json")), default=0)


def until(condition: Callable[[], Any], what: str, seconds: float = 600.0) -> Any:
    """The value of ``condition()`` as soon as it is true; the trial ends where it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.2)
    raise SystemExit(f"FAILED: waited {seconds:.0f} s in vain for {what}")


def processes(clone: Path, words: str) -> list[int]:
    """Processes that run in ``clone`` and have ``words`` in their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if words in line and (entry / "cwd").resolve() == clone.resolve():
                found.append(int(entry.name))
    return sorted(found)


def environ(process: int, name: str) -> str | None:
    """A variable of a process's environment."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/environ").read_bytes().split(b"\0"):
            key, _, value = line.decode(errors="replace").partition("=")
            if key == name:
                return value
    return None


class Verdict:
    """What was checked, line by line; ``end`` ends the trial with 1 if anything did not hold."""

    def __init__(self) -> None:
        self._failed = 0
        self._started = time.monotonic()

    def check(self, holds: bool, what: str, seen: object = "") -> None:
        self._failed += not holds
        print(
            f"{time.monotonic() - self._started:5.0f} s {'ok    ' if holds else 'FAILED'} {what}{f' ({seen})' if seen else ''}",
            flush=True,
        )

    def end(self) -> None:
        print("all held" if not self._failed else f"{self._failed} did not hold")
        sys.exit(bool(self._failed))
