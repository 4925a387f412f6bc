"""How a long stage ends early: on SIGTERM and Ctrl-C, and by itself when the dvc that started it has gone.

psutil, which dvc brings, is asked for other processes. It is imported only under dvc: by hand, a stage runs without it.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from study.runtime import code

IMPORT_TORCH = ("stages.train", "stages.evaluate")  # for seconds, before they look at their own code
SIGNALS = {signal.SIGTERM: "SIGTERM", signal.SIGINT: "Ctrl-C"}
PERIOD = 1.0  # seconds between two looks at the parent
PATIENCE = 30.0  # seconds for a clean end, once the parent has gone


class Stop(BaseException):
    """The stage was asked to end. Not an Exception, so that nothing on the way takes it for a failure."""

    def __init__(self, number: int):
        super().__init__(number)
        self.number = number


@contextlib.contextmanager
def stoppable(advice: Callable[[], str]) -> Iterator[None]:
    """Within it, SIGTERM and Ctrl-C raise Stop in the main thread; it ends the process with code 143 or 130.

    ``advice`` is called then, for the line that says what was kept and how to go on. Under dvc (DVC_STAGE is set) the
    end of dvc counts as SIGTERM, whichever way it ended. The code of IMPORT_TORCH is remembered as it is now (``code.begin``).
    """

    def stop(number: int, frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)  # already on the way out: a second Ctrl-C shall not cut the ending short
        raise Stop(number)

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        if os.environ.get("DVC_STAGE"):
            threading.Thread(target=_watch, args=(ancestors(),), name="parent-watch", daemon=True).start()
        if _module() in IMPORT_TORCH:
            code.begin(_module())
        yield
    except Stop as stopped:
        with contextlib.suppress(OSError):  # the terminal may be gone as well
            below = "\n" if sys.stderr.isatty() else ""  # a progress bar has left the cursor on its line
            print(f"{below}stopped by {SIGNALS[signal.Signals(stopped.number)]}: {advice()}", file=sys.stderr, flush=True)
        sys.exit(128 + stopped.number)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ancestors() -> tuple[int, ...]:
    """Process ids of who started this stage: the parent; and the parent's parent where a shell stands in between.

    dvc runs a stage's command through a shell. Most shells become the command; one that waits beside it would outlive
    its dvc, and is known by having the command among its arguments.
    """
    parent = os.getppid()
    if f"-m {_module()}" in _command(parent):
        return parent, _parent(parent)
    return (parent,)


def _watch(started_by: tuple[int, ...]) -> None:
    while True:
        time.sleep(PERIOD)
        now = (os.getppid(), *(_parent(started_by[0]) for _ in started_by[1:]))
        if now != started_by:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(PATIENCE)
            os._exit(128 + signal.SIGTERM)  # the main thread hangs; what is on disk is whole at any moment


def _module() -> str:
    """The name that this stage was started under: stages.train."""
    specification = getattr(sys.modules["__main__"], "__spec__", None)
    return specification.name if specification else Path(sys.argv[0]).name


def _parent(process: int) -> int:
    """The parent's process id, 0 where the process is no more."""
    import psutil

    try:
        return int(psutil.Process(process).ppid())
    except psutil.Error:
        return 0


def _command(process: int) -> str:
    """The command line of a process, nothing where it is no more."""
    import psutil

    try:
        return " ".join(psutil.Process(process).cmdline())
    except psutil.Error:
        return ""
