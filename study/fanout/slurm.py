"""Jobs on a Slurm cluster: one array, a task per cell, each with one GPU, on a file system that all nodes share."""

import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from study.base.errors import StudyError, one_line
from study.design.cells import Cell
from study.fanout import paths
from study.fanout.jobs import Job
from study.fanout.worker import Work

UNLIMITED = 10**6
DEFAULTS: Mapping[str, Any] = {
    "job_name": "fanout",
    "gpus_per_node": 1,
    "time": 240,
    "stderr_to_stdout": True,
    "array_parallelism": UNLIMITED,  # submitit's own is 256
}
WORDS = {"true": True, "false": False}
LISTS = ("setup", "teardown")  # submitit writes each item as a line of the job's script
INHERITED = ("SLURM_", "PMI_", "PMIX_", "CUDA_VISIBLE_DEVICES")  # of a job that calls the fan-out
OURS = ("SLURM_CONF", "SLURM_CLUSTERS")  # which cluster is meant
REQUEUES = 1000  # a cell may need many time limits, each goes on from the last epoch
PERIOD = 3.0  # seconds between two looks at the queue
GRACE = 20.0  # seconds for which a job may be neither in the queue nor have left a result: file systems are slow to tell


class Slurm:
    """submitit's Slurm executor; what runs is asked of squeue, for sacct needs a database that not every cluster has."""

    def __init__(self, jobs: int | None, options: Mapping[str, str]):
        """``jobs`` at a time at most, None: as many as Slurm lets; ``options`` are submitit's, else sbatch's."""
        for command in ("sbatch", "srun", "squeue", "scancel"):
            if shutil.which(command) is None:
                raise StudyError(
                    f"{command} is not on this machine; --executor slurm has to be called on a node that submits jobs."
                )
        self._limit, self._open, self._largest = jobs, 0, largest_array()
        self._submitit = _submitit()
        self._executor = self._submitit.SlurmExecutor(folder=paths.JOBS, max_num_timeout=REQUEUES)
        self._executor.update_parameters(**parameters(jobs, options, self._executor._valid_parameters()))
        self._handles: dict[str, Any] = {}  # submitit's jobs, by name
        self._queue: dict[str, tuple[str, str]] = {}
        self._asked = 0.0
        self._seen: dict[str, float] = {}  # when a job was last in the queue

    def adopt(self) -> list[Job]:
        self._ask()
        found = []
        for name in self._queue:
            handle = self._submitit.SlurmJob(folder=paths.JOBS, job_id=name)
            if handle.paths.submitted_pickle.exists():  # else it is none of this project's
                found.append(self._job(handle.submission().function.cell, handle))
        self.look(found)
        return found

    def room(self) -> int:
        """As many as an array may have: Slurm queues. Its limit of tasks at a time is for one array, so a next one waits."""
        if self._limit is None or not self._open:
            return self._largest
        return max(0, self._limit - self._open)

    def submit(self, cells: Sequence[Cell]) -> list[Job]:
        try:
            with _outside_of_a_job(), self._executor.batch():
                handles = [self._executor.submit(Work(cell, None)) for cell in cells]
        except (subprocess.CalledProcessError, self._submitit.core.utils.FailedJobError) as error:
            raise StudyError(f"Slurm refused the jobs: {one_line(error)}.") from None
        self._open += len(handles)
        return [self._job(cell, handle) for cell, handle in zip(cells, handles, strict=True)]

    def look(self, jobs: Sequence[Job]) -> None:
        if time.monotonic() - self._asked >= PERIOD:
            self._ask()
        for job in jobs:
            name, handle = job.name, self._handles[job.name]
            state, place = self._queue.get(name, ("", ""))
            if state:
                job.running, job.where = state in ("RUNNING", "COMPLETING"), place
            last = self._seen.setdefault(name, time.monotonic())
            gone = name not in self._queue and self._asked - last > GRACE
            job.ended = gone or (not state and handle.paths.result_pickle.exists())
            job.code = _code(handle) if job.ended else None
        self._open = sum(not job.ended for job in jobs)

    def stop(self, jobs: Sequence[Job], cells: Sequence[Cell]) -> bool:
        names = [job.name for job in jobs if not job.ended]
        if names:
            subprocess.run(["scancel", *names], check=False, capture_output=True)
        self._asked = 0.0
        return bool(names)

    def _job(self, cell: Cell, handle: Any) -> Job:
        self._handles[handle.job_id] = handle
        return Job(cell, handle.job_id, "Slurm", handle.paths.stdout, running=False)

    def _ask(self) -> None:
        """Read the queue; where Slurm does not answer, what was known stays."""
        self._asked = time.monotonic()
        command = ["squeue", "--me", "--array", "--noheader", "--format=%i|%T|%R"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            self._queue = queued(answer.stdout)
            self._seen |= dict.fromkeys(self._queue, self._asked)
        else:
            self._seen |= dict.fromkeys(self._seen, self._asked)


def _submitit() -> Any:
    """The module, which is an optional extra."""
    try:
        import submitit
    except ImportError:
        raise StudyError("submitit is not installed here; pip install -r requirements-scale.txt brings it.") from None
    return submitit


def _code(handle: Any) -> int | None:
    """How the work of an ended job ended: 0, dvc's exit code, or None where it was killed or stopped.

    None too where the worker itself failed (the project's folder was away, say): it left nothing that another could not do.
    """
    if not handle.paths.result_pickle.exists() or handle.exception() is not None:
        return None
    return int(handle.result())


def queued(answer: str) -> dict[str, tuple[str, str]]:
    """State and place of each job in the answer of squeue; a federation's lines on its clusters are passed over."""
    rows = [line.split("|", 2) for line in answer.splitlines()]
    return {row[0]: (row[1], row[2]) for row in rows if len(row) == 3}


def largest_array() -> int:
    """How many tasks an array may have on this cluster: MaxArraySize of its configuration, else what Slurm takes by default."""
    try:
        said = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True, check=False).stdout
    except OSError:
        said = ""
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", said, re.MULTILINE)
    return max(1, int(found[1]) - 1 if found else 1000)  # the largest index is one less


@contextmanager
def _outside_of_a_job() -> Iterator[None]:
    """Within it, the environment is that of no job: sbatch hands it on, and a task would inherit what its caller was given."""
    inside = "SLURM_JOB_ID" in os.environ
    names = [name for name in os.environ if inside and name.startswith(INHERITED) and name not in OURS]
    kept = {name: os.environ.pop(name) for name in names}
    try:
        yield
    finally:
        os.environ.update(kept)


def _value(key: str, text: str) -> Any:
    """The value of an option: a whole number, true or false as such, all else as text, as an account called 007 is."""
    if key in LISTS:
        return [text]
    if key == "srun_args":
        return shlex.split(text)
    return int(text) if re.fullmatch("0|[1-9][0-9]*", text) else WORDS.get(text.lower(), text)


def task_gpus(options: Mapping[str, str]) -> int:
    """How many GPUs a task is given by ``options``: some clusters lend whole nodes, or name the kind as in a100:4."""
    count = options.get("gpus_per_node", "1").rpartition(":")[2]
    return int(count) if count.isdecimal() else 1


def parameters(jobs: int | None, options: Mapping[str, str], known: Sequence[str]) -> dict[str, Any]:
    """Parameters of submitit's Slurm executor: whole numbers as such, keys that it does not know go to sbatch as they are.

    Raises StudyError where time is no number, which submitit would find out when the time is up.
    """
    given = {key: _value(key, value) for key, value in options.items()}
    ours = {**DEFAULTS, **{key: value for key, value in given.items() if key in known}}
    if not isinstance(ours["time"], int):
        raise StudyError(f"--slurm time={ours['time']} is no number of minutes; write time=480 for eight hours.")
    if ours["gpus_per_node"] == 0:
        del ours["gpus_per_node"]
    if jobs is not None:
        ours["array_parallelism"] = jobs
    others = {key: value for key, value in given.items() if key not in known}
    return {**ours, **({"additional_parameters": others} if others else {})}
