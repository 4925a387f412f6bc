"""What runs one cell, wherever an executor puts it: DVC's repro (tools.repro), for this cell alone, beside others."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from typing import IO, Any, NoReturn

from study.design.cells import Cell
from study.fanout import paths, turn
from study.pipeline import process, rwlock, stage_names

FAILED = 3  # how a worker ends whose cell failed; any other code but 0: it was killed or stopped, or could not work itself
DEVICE = "STUDY_DEVICE"  # as in study.runtime.devices, which imports torch
WAITS = (10.0, 30.0, 60.0)  # seconds before another try after trouble that is not the cell's: a share that is away for a minute
STOPPED = re.compile(r"^stopped by (SIGTERM|Ctrl-C): ", re.MULTILINE)  # study.runtime.lifecycle
TROUBLE = re.compile(
    r"\[Errno \d+\]"  # files that cannot be read or written: a share is away, a disk is full
    r"|nothing was recorded, put it right"  # the same, said by a stage
    r"|is being blocked by|Unable to acquire lock|dvc\.lock cannot be read"  # another dvc is at this cell, or at dvc.lock
    r"|is being trained by another process"  # somebody else's, or one whose dvc was killed a moment ago
    r"|Unable to read RWLock-file"  # a dvc was killed while it wrote that
    r"|AssertionError|failed to reproduce '[^']+': ?$"  # a dvc on another node took its locks for a dead process's
    r"|not inside of a DVC repository|config file error"  # the project's own folder is away
    r"|exited with (-9|137)",  # somebody killed the training
    re.MULTILINE,
)


class Work:
    """A job: train and test ``cell``, if DVC finds that necessary. On Slurm submitit pickles it, and calls it in a task."""

    def __init__(self, cell: Cell, gpu: str | None):
        """``gpu`` is what CUDA_VISIBLE_DEVICES is to be, None where the executor sees to it."""
        self.cell = cell
        self.gpu = gpu
        self._dvc: subprocess.Popen[bytes] | None = None

    def __call__(self) -> int:
        """The exit code of dvc. A job that is stopped ends its process with 143 instead, and leaves no result."""
        signal.signal(signal.SIGTERM, self._stop)
        paths.FOLDER.mkdir(parents=True, exist_ok=True)
        with paths.lock(self.cell).open("a+") as lock, paths.log(self.cell).open("ab") as log:
            # A worker of before may still be at it, or the dvc that it left behind: then it does the work, we look on.
            turn.take(lock, self.gpu)
            for wait in (*WAITS, None):
                code, said = self._try(log, lock.fileno())
                if code == 0:
                    return 0
                killed = code < 0  # not the training, its dvc: then the training ends itself in a moment
                if STOPPED.search(said) and not killed:
                    sys.exit(128 + signal.SIGTERM)
                if wait is None or not (killed or TROUBLE.search(said)):
                    return code
                _write(log, f"this may pass: once more in {wait:.0f} s")
                time.sleep(wait)
            raise AssertionError("the last wait is None")

    def checkpoint(self) -> Any:
        """Called by submitit when the time limit is near or the job is preempted: stop, keep the epochs, come again."""
        from submitit.helpers import DelayedSubmission

        if self._dvc is not None:
            _end(self._dvc)
        return DelayedSubmission(Work(self.cell, self.gpu))

    def _try(self, log: IO[bytes], lock: int) -> tuple[int, str]:
        """Exit code and output of one dvc, which holds ``lock`` for as long as it lives."""
        rwlock.mend()
        start = log.seek(0, os.SEEK_END)
        _write(log, f"{self.cell} on {socket.gethostname()}{f', GPU {self.gpu}' if self.gpu else ''}")
        with subprocess.Popen(
            process.repro("--single-item", *stage_names.own(self.cell)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=process.environment(**self._device()),
            pass_fds=[lock],
            process_group=0,
            preexec_fn=_leave_signals_to_the_training,
        ) as self._dvc:
            try:
                code = _wait(self._dvc)
            except BaseException:
                _end(self._dvc)
                raise
        with paths.log(self.cell).open("rb") as written:
            written.seek(start)
            return code, written.read().decode(errors="replace")

    def _device(self) -> dict[str, str]:
        """The variables that put the cell on its GPU; a GPU that is gone fails it, where it would go on on the processor."""
        if self.gpu is None:
            return {}
        return {"CUDA_VISIBLE_DEVICES": self.gpu, DEVICE: os.environ.get(DEVICE) or "cuda"}

    def _stop(self, number: int, frame: Any) -> NoReturn:
        sys.exit(128 + number)


def _leave_signals_to_the_training() -> None:
    """In dvc, before it starts: schedulers signal every process of a job, but the training alone knows how to stop.

    It sets handlers of its own; dvc sees it end, and ends in order.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)


def _wait(process: "subprocess.Popen[bytes]") -> int:
    """The exit code of ``process``. While Popen holds its own lock, checkpoint must not cut in: it asks for the same lock."""
    while True:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
        code = process.poll()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR2})
        if code is not None:
            return code
        time.sleep(0.2)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Stop the training under ``process``, and see its dvc to its end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while process.poll() is None:  # a training that has just started does not listen yet: once a second
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(1)


def _write(log: IO[bytes], text: str) -> None:
    log.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n".encode())
    log.flush()


if __name__ == "__main__":
    work = Work(Cell.parse(sys.argv[1]), sys.argv[2] if sys.argv[2:] else None)
    sys.exit(FAILED if work() else 0)
