"""Whether a run of the study is under way in this workspace: while it is, params.yaml must stay as it is.

DVC reads parameters once more when a stage ends, and records what it finds then.
"""

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from study.base.errors import StudyError

QUICKSTART = Path(".dvc/tmp/quickstart.lock")  # held while tools.quickstart runs
FANOUT = Path(".dvc/tmp/fanout/driver.lock")  # held while a fan-out runs
DVC = Path(".dvc/tmp/rwlock")  # DVC's list of what running stages read and write, with the process of each


def who() -> str | None:
    """Who is at work, in words; None where nobody is. Raises OSError where a lock cannot be looked at."""
    if held(QUICKSTART):
        return "quickstart"
    if held(FANOUT):
        return "a fan-out"
    processes = sorted(process for process, command in _processes() if _alive(process, command))
    return f"dvc (process {processes[0]} in {DVC})" if processes else None


@contextmanager
def alone(path: Path, name: str) -> Iterator[None]:
    """Hold the lock ``path``; StudyError where another process, which is a ``name`` too, holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        if not locked(file.fileno()):
            raise StudyError(f"another {name} is at work in this workspace; wait for it, or stop it first.")
        yield


def locked(handle: int) -> bool:
    """Whether the open file ``handle`` was locked within half a second: ``held`` takes a lock for an instant to look at it."""
    for _ in range(50):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.01)
    return False


def held(path: Path) -> bool:
    """Whether a process holds the lock ``path``. Raises OSError where the file is there and cannot be opened: nobody can tell.

    It is asked for shared and given back at once; a training that starts in that instant tries again (resume.exclusive).
    That works wherever flock does; /proc/locks is Linux's own, and hides what other containers hold.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False  # a file system without locks: nobody gets one there
    return False


def _processes() -> set[tuple[int, str]]:
    """The number and the command of each process in DVC's list."""
    try:
        found: Any = json.loads(DVC.read_text(encoding="utf-8"))
        readers = chain.from_iterable(found.get("read", {}).values())
        return {(int(each["pid"]), str(each["cmd"])) for each in (*found.get("write", {}).values(), *readers)}
    except (FileNotFoundError, ValueError, AttributeError, TypeError, KeyError):
        return set()  # absent, or left half written by a dvc that was killed


def _alive(process: int, command: str) -> bool:
    """Whether ``process`` is there and still runs ``command``: the number of one that was killed is soon another's.

    Of the command its last word counts: how Python was started (dvc, python -m dvc) is told otherwise there.
    """
    import psutil  # which dvc brings; a training by hand does without

    try:
        words = " ".join(psutil.Process(process).cmdline()).split()
    except psutil.AccessDenied:
        return True  # somebody else's
    except (psutil.Error, OverflowError, ValueError):
        return False
    asked = command.split()[1:]
    return not asked or words[-1:] == asked[-1:]
