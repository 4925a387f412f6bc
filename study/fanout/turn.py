"""Whose turn it is at a cell: the lock that its worker holds, or the dvc that a worker left behind.

The file says which GPU that is on, and which session of processes it is: Local starts each worker in a session of its own.
"""

import fcntl
import os
import signal
import socket
import time
from collections.abc import Collection
from contextlib import suppress
from typing import IO, Any

from study.design.cells import Cell
from study.fanout import paths
from study.settings.at_work import held

BECOMES = 0.2  # seconds


def take(lock: IO[str], gpu: str | None) -> None:
    """Wait for ``lock``, the open file of a cell, and write into it who has it now."""
    fcntl.flock(lock, fcntl.LOCK_EX)
    lock.truncate(0)
    session = f"{os.getpid()} {socket.gethostname()}" if os.getsid(0) == os.getpid() else ""
    print(gpu or "", session, sep="\n", file=lock, flush=True)


def gpu_of(cell: Cell) -> str | None:
    """The GPU of whoever is at ``cell``; None where nobody is, or on a processor."""
    return _said(cell)[0] or None


def stop(cell: Cell, besides: Collection[int]) -> bool:
    """Ask whoever is at ``cell`` on this machine to end, but for the sessions ``besides``; whether there was anybody.

    A training that has just started does not listen yet, and the next in turn may follow: ask again.
    """
    session, _, host = _said(cell)[1].partition(" ")
    if host != socket.gethostname() or int(session) in besides:
        return False
    processes = _members(int(session), cell)
    for process in processes:
        with suppress(OSError):
            os.kill(process, signal.SIGTERM)
    return bool(processes)


def _said(cell: Cell) -> list[str]:
    """GPU and session in the lock of ``cell``, empty where nobody holds it."""
    path = paths.lock(cell)
    return [*(path.read_text(encoding="utf-8").splitlines() if held(path) else ()), "", ""]


def _members(session: int, cell: Cell) -> list[int]:
    """The processes of ``session`` on this machine; none where it is not that of ``cell``: a number is used again one day."""
    import psutil

    found: dict[int, list[str]] = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if os.getsid(process.pid) == session:
                found[process.pid] = _line(process)
    return list(found) if any(str(cell) in " ".join(line) for line in found.values()) else []


def _line(process: Any) -> list[str]:
    """The command line of ``process``, which is empty for the moment in which a process becomes another program."""
    end = time.monotonic() + BECOMES
    while not (line := process.cmdline()) and time.monotonic() < end:
        time.sleep(BECOMES / 20)
    return list(line)
