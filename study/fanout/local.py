"""Jobs on this machine, a slot each: one cell at a time per slot, several slots on a GPU where that pays."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from study.base import machine
from study.base.errors import StudyError
from study.design.cells import Cell
from study.fanout import paths, turn
from study.fanout.jobs import Job
from study.fanout.worker import FAILED

MOST = 10_000  # slots; more jobs at a time are asked for by a slip of the finger, and would fill the memory
DEV = Path("/dev")
DEVICES = ("nvidia*", "nvhost-*", "kfd", "dxg")  # in it: NVIDIA's, Jetson's, AMD's, those that Windows lends its Linux


def gpus_here() -> list[str]:
    """The GPUs that torch sees, by their names in CUDA_VISIBLE_DEVICES, or by number where that is not set.

    Torch is asked in a process of its own: a driver too old, a name that is no device or an absent card leave it none,
    whatever nvidia-smi lists, and cells would then be trained on the processor. It takes seconds to start, and is not asked
    on a machine that has no driver.
    """
    count = _gpus_of_torch() if _driver_here() else 0
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = [name.strip() for name in visible.split(",")] if visible is not None else list(map(str, range(count)))
    return names[:count]  # CUDA itself leaves out all names from the first wrong one on


def gpus_of(named: Sequence[str] | None) -> list[str]:
    """The GPUs ``named``, by default all; StudyError for a number that none has. A name such as a UUID is CUDA's to know."""
    here = gpus_here()
    numbered = all(map(str.isdecimal, here))
    unknown = [name for name in named or [] if not here or (numbered and name.isdecimal() and name not in here)]
    if unknown:
        seen = f"sees {', '.join(here)}" if here else "sees none here"
        raise StudyError(f"--gpus names {', '.join(unknown)}, but torch {seen}; name those, or leave it out.")
    return list(named or here)


def _driver_here() -> bool:
    """Whether there is anything that torch could reach a GPU by: CUDA's library loads NVIDIA's driver by its name."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return any(any(DEV.glob(name)) for name in DEVICES)
    return True


def _gpus_of_torch() -> int:
    code = "import torch; print(torch.cuda.device_count() if torch.cuda.is_available() else 0)"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip().isdecimal() else 0


def processors_here() -> int:
    """The processors that this process may use, a container's quota included; 1 on a Mac, whose jobs share its one GPU."""
    return 1 if sys.platform == "darwin" else machine.processors()


def slots(jobs: int | None, gpus: Sequence[str]) -> list[str | None]:
    """The GPU of each of ``jobs`` slots, in turn; by default one slot per GPU, or per processor where there is no GPU."""
    jobs = min(jobs, MOST) if jobs is not None else None
    if not gpus:
        return [None] * (jobs or processors_here())
    return [gpus[place % len(gpus)] for place in range(jobs or len(gpus))]


class Local:
    """A worker's process per job. It outlives a driver that is killed; then the next one's worker waits for it."""

    def __init__(self, slots: Sequence[str | None]):
        self._free = list(slots)
        self._taken: dict[Cell, str | None] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}  # by process id, the name of a job

    def adopt(self) -> list[Job]:
        return []  # a new worker takes the place of an old one, and waits for it at the cell's lock

    def room(self) -> int:
        return len(self._free)

    def submit(self, cells: Sequence[Cell]) -> list[Job]:
        jobs: list[Job] = []
        try:
            for cell in cells:
                jobs.append(self._submit(cell))
        except BaseException:  # the driver does not know those yet that have started
            self.stop(jobs, ())
            raise
        return jobs

    def look(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            code = self._processes[job.name].poll()
            if not job.ended and code is not None:
                job.ended, job.code = True, code if code in (0, FAILED) else None
                self._free.append(self._taken.pop(job.cell))

    def stop(self, jobs: Sequence[Job], cells: Sequence[Cell]) -> bool:
        here = [process for process in self._processes.values() if process.poll() is None]
        asked = [job for job in jobs if not job.ended]
        for job in asked:
            self._processes[job.name].terminate()
        left = [cell for cell in cells if turn.stop(cell, besides=[process.pid for process in here])]
        return bool(asked or left)

    def _submit(self, cell: Cell) -> Job:
        gpu = self._slot(cell)
        self._taken[cell] = gpu
        line = [sys.executable, "-m", "study.fanout.worker", str(cell), *([gpu] if gpu else [])]
        with paths.log(cell).open("ab") as log:
            # Ctrl-C reaches all processes of a terminal's session: jobs shall be stopped by their driver, each in order.
            process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self._processes[str(process.pid)] = process
        return Job(cell, str(process.pid), f"GPU {gpu}" if gpu else "CPU", paths.log(cell))

    def _slot(self, cell: Cell) -> str | None:
        """A free slot; where an old worker is still at ``cell``, one of the same GPU if there is one."""
        old = turn.gpu_of(cell)
        return self._free.pop(self._free.index(old) if old in self._free else 0)
