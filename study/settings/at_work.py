"""Whether a run of the study is under way in this workspace, which a change of params.yaml would mix up with another one.

DVC reads parameters once more when a stage ends, and records what it finds then.
"""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

QUICKSTART = Path(".dvc/tmp/quickstart.lock")  # held while tools.quickstart runs
FANOUT = Path(".dvc/tmp/fanout/driver.lock")  # held while a fan-out runs (study.fanout.paths)
DVC = Path(".dvc/tmp/rwlock")  # what running stages read and write, with the process of each


def who() -> str | None:
    """Who is at work, in words; None where nobody is."""
    if held(QUICKSTART):
        return "quickstart"
    if held(FANOUT):
        return "a fan-out"
    processes = sorted(process for process in _processes() if _alive(process))
    return f"dvc (process {processes[0]})" if processes else None


def held(path: Path) -> bool:
    """Whether a process holds the lock ``path``.

    It is asked for shared and given back at once; a training that starts in that instant tries again (resume.exclusive).
    That works wherever flock does; /proc/locks is Linux's own, and hides what other containers hold.
    """
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(file, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except OSError:  # no such file, or a file system without locks
        pass
    return False


def _processes() -> set[int]:
    try:
        found: Any = json.loads(DVC.read_text(encoding="utf-8"))
        entries = [entry for each in found.values() for entry in (each.get("write"), *each.get("read", ())) if entry]
        return {int(entry["pid"]) for entry in entries}
    except (OSError, ValueError, AttributeError, TypeError, KeyError):
        return set()  # absent, or left half written by a dvc that was killed


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return process > 0
