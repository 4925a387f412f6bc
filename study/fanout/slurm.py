"""Jobs on a Slurm cluster: one array, a task per cell, each with one GPU, on a file system that all nodes share."""

import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any

from study.base.errors import StudyError, one_line
from study.design.cells import Cell
from study.fanout import paths
from study.fanout.jobs import Job, submitit
from study.fanout.worker import Work

UNLIMITED = 10**6
DEFAULTS: Mapping[str, Any] = {
    "job_name": "fanout",
    "gpus_per_node": 1,
    "time": 240,
    "stderr_to_stdout": True,
    "array_parallelism": UNLIMITED,  # submitit's own is 256
}
REQUEUES = 1000  # a cell may need many time limits, each goes on from the last epoch
PERIOD = 3.0  # seconds between two looks at the queue
GRACE = 20.0  # seconds for which a job may be neither in the queue nor have left a result: file systems are slow to tell


class Slurm:
    """submitit's Slurm executor; what runs is asked of squeue, for sacct needs a database that not every cluster has."""

    def __init__(self, jobs: int | None, options: Mapping[str, str], leave_lock: bool):
        """``jobs`` at a time at most, None: as many as Slurm lets; ``options`` are submitit's, else sbatch's."""
        for command in ("sbatch", "srun", "squeue", "scancel"):
            if shutil.which(command) is None:
                raise StudyError(
                    f"{command} is not on this machine; --executor slurm has to be called on a node that submits jobs."
                )
        self._leave_lock = leave_lock
        self._submitit = submitit()
        self._executor = self._submitit.SlurmExecutor(folder=paths.JOBS, max_num_timeout=REQUEUES)
        self._executor.update_parameters(**parameters(jobs, options, self._executor._valid_parameters()))
        self._queue: dict[str, tuple[str, str]] = {}
        self._asked = 0.0
        self._seen: dict[str, float] = {}  # when a job was last in the queue

    def adopt(self) -> list[Job]:
        self._ask()
        found = []
        for name in self._queue:
            handle = self._submitit.SlurmJob(folder=paths.JOBS, job_id=name)
            if handle.paths.submitted_pickle.exists():  # else it is none of this project's
                found.append(Job(handle.submission().function.cell, handle, "Slurm"))
        self.look(found)
        return found

    def room(self) -> int:
        return UNLIMITED  # Slurm is the one that queues

    def submit(self, cells: Sequence[Cell]) -> list[Job]:
        try:
            with self._executor.batch():
                handles = [self._executor.submit(Work(cell, None, self._leave_lock)) for cell in cells]
        except (subprocess.CalledProcessError, self._submitit.core.utils.FailedJobError) as error:
            raise StudyError(f"Slurm refused the jobs: {one_line(error)}.") from None
        return [Job(cell, handle, "Slurm", running=False) for cell, handle in zip(cells, handles, strict=True)]

    def look(self, jobs: Sequence[Job]) -> None:
        if time.monotonic() - self._asked >= PERIOD:
            self._ask()
        for job in jobs:
            name = job.handle.job_id
            state, place = self._queue.get(name, ("", ""))
            if state:
                job.running, job.where = state in ("RUNNING", "COMPLETING"), place
            last = self._seen.setdefault(name, time.monotonic())
            gone = name not in self._queue and self._asked - last > GRACE
            job.ended = gone or (not state and job.handle.paths.result_pickle.exists())

    def stop(self, jobs: Sequence[Job]) -> None:
        names = [job.handle.job_id for job in jobs if not job.ended]
        if names:
            subprocess.run(["scancel", *names], check=False, capture_output=True)
        self._asked = 0.0

    def _ask(self) -> None:
        """Read the queue; where Slurm does not answer, what was known stays."""
        self._asked = time.monotonic()
        command = ["squeue", "--me", "--array", "--noheader", "--format=%i|%T|%R"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            rows = [line.split("|", 2) for line in answer.stdout.splitlines()]
            self._queue = {name: (state, place) for name, state, place in rows}
            self._seen |= dict.fromkeys(self._queue, self._asked)
        else:
            self._seen |= dict.fromkeys(self._seen, self._asked)


def parameters(jobs: int | None, options: Mapping[str, str], known: Sequence[str]) -> dict[str, Any]:
    """Parameters of submitit's Slurm executor: whole numbers as such, keys that it does not know go to sbatch as they are.

    Raises StudyError where time is no number, which submitit would find out when the time is up.
    """
    given: dict[str, Any] = {key: int(value) if value.isdecimal() else value for key, value in options.items()}
    ours = {**DEFAULTS, **{key: value for key, value in given.items() if key in known}}
    if not isinstance(ours["time"], int):
        raise StudyError(f"--slurm time={ours['time']} is no number of minutes; write time=480 for eight hours.")
    if ours["gpus_per_node"] == 0:
        del ours["gpus_per_node"]
    if jobs is not None:
        ours["array_parallelism"] = jobs
    others = {key: value for key, value in given.items() if key not in known}
    return {**ours, **({"additional_parameters": others} if others else {})}
