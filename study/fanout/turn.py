"""Whose turn it is at a cell: the lock that its worker holds, or the dvc that a worker left behind.

The file says which GPU that is on, and which session of processes it is: Local starts each worker in a session of its own.
"""

import fcntl
import os
import signal
import socket
import time
from contextlib import suppress
from typing import IO

from study.design.cells import Cell
from study.fanout import paths
from study.settings.at_work import held, locked


def take(lock: IO[str], cell: Cell, gpu: str | None) -> None:
    """Wait for ``lock``, the open file of ``cell``. Who is stopped meanwhile stops whoever holds it, too: nobody else would."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
    except SystemExit:
        _stop_holder(lock, cell)
        raise
    lock.truncate(0)
    session = f"{os.getpid()} {socket.gethostname()}" if os.getsid(0) == os.getpid() else ""
    print(gpu or "", session, sep="\n", file=lock, flush=True)


def gpu(cell: Cell) -> str | None:
    """The GPU of the worker that is at ``cell``; None where there is none, or no worker."""
    return _lines(cell)[0] or None if held(paths.lock(cell)) else None


def _lines(cell: Cell) -> list[str]:
    return [*paths.lock(cell).read_text(encoding="utf-8").splitlines(), "", ""]


def _stop_holder(lock: IO[str], cell: Cell) -> None:
    """Signal the holder's session until it has let go of ``lock``: a training that has just started does not listen yet."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    session, _, host = _lines(cell)[1].partition(" ")
    while host == socket.gethostname() and not locked(lock.fileno()):
        members = _members(int(session), cell)
        if not members:
            return
        for process in members:
            with suppress(OSError):
                os.kill(process, signal.SIGTERM)
        time.sleep(1)


def _members(session: int, cell: Cell) -> list[int]:
    """The processes of ``session`` on this machine; none where it is not that of ``cell``: a number is used again one day."""
    import psutil

    found: dict[int, list[str]] = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getsid(process.pid) == session:
                found[process.pid] = process.cmdline()
    return list(found) if any(str(cell) in " ".join(line) for line in found.values()) else []
