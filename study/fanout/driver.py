"""Hands cells to an executor until each is done or has failed, and shows how far it is."""

import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from study.base.errors import StudyError, counted
from study.design.cells import Cell
from study.fanout import paths
from study.fanout.jobs import Executor, Job
from study.fanout.plan import makespan
from study.fanout.view import View, tail
from study.pipeline.cell_states import seconds_left
from study.pipeline.timing import Timing, duration
from study.settings.params import Params

PERIOD = 0.3  # seconds between two looks at the jobs
LOST = 3  # jobs of one cell that may be killed before it counts as failed
PATIENCE = 90.0  # seconds for jobs to end that were told to


class Driver:
    """One fan-out of ``cells``, in that order."""

    def __init__(self, executor: Executor, cells: Sequence[Cell]):
        self._executor = executor
        self._all = len(cells)
        self._waiting = deque(cells)
        self._jobs: dict[Cell, Job] = {}
        self._begun: dict[Cell, float] = {}  # cells that run, since when
        self._lost: dict[Cell, int] = {}
        self._done = 0
        self._failed: dict[Cell, str] = {}
        self._view = View()
        self._params = Params.load()
        self._outdated = True  # whether a cell has ended since the rates were read

    def run(self) -> dict[Cell, str]:
        """The cells that failed, and how. Where it is interrupted, the jobs are stopped first."""
        try:
            for job in self._executor.adopt():
                if job.cell in self._waiting:
                    self._waiting.remove(job.cell)
                    self._jobs[job.cell] = job
                    self._view.event(f"{job.cell} was handed over before, as job {job.name}")
            while self._waiting or self._jobs:
                self._hand_over()
                self._executor.look(list(self._jobs.values()))
                for job in list(self._jobs.values()):
                    self._follow(job)
                if self._view.due:
                    self._show()
                time.sleep(PERIOD)
        except BaseException:
            self._stop()
            raise
        finally:
            self._view.close()
        return self._failed

    def _hand_over(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(self._executor.room(), len(self._waiting)))]
        if not batch:
            return
        try:
            self._jobs |= {job.cell: job for job in self._executor.submit(batch)}
        except StudyError as error:
            if not self._jobs:
                raise
            # Others are at work: they shall not be stopped for these.
            self._failed |= dict.fromkeys(batch, f"could not be handed over: {error}")
            self._view.event(f"failed {', '.join(map(str, batch))}: {error}")

    def _follow(self, job: Job) -> None:
        cell = job.cell
        if job.running and cell not in self._begun:
            self._begun[cell] = time.monotonic()
            self._view.event(f"start {cell} on {job.where}, log in {paths.log(cell)}")
        elif not job.running and not job.ended and self._begun.pop(cell, None) is not None:
            self._view.event(f"back in the queue: {cell}")
        if not job.ended:
            return
        del self._jobs[cell]
        taken = duration(time.monotonic() - self._begun.pop(cell, time.monotonic()))
        if job.code == 0:
            self._done += 1
            self._view.event(f"done {cell} after {taken} ({self._done} of {self._all})")
        elif job.code is not None:
            self._failed[cell] = f"failed after {taken}"
            self._view.event(f"failed {cell} after {taken}")
        else:
            self._lost[cell] = self._lost.get(cell, 0) + 1
            if self._lost[cell] < LOST:
                self._view.event(f"killed: {cell} on {job.where}; it goes on from its last epoch")
                self._waiting.appendleft(cell)
            else:
                self._failed[cell] = f"was killed {LOST} times, see also {job.output}"
                self._view.event(f"failed {cell}: killed {LOST} times")
        self._outdated = True

    def _expect(self) -> None:
        """Read the measured rates anew, and what all open cells will still take by them."""
        self._timing = Timing(self._params)
        self._expected = {cell: seconds_left(cell, self._params, self._timing) for cell in (*self._waiting, *self._jobs)}
        self._outdated = False

    def _show(self) -> None:
        if self._outdated:
            self._expect()
        running = [job for job in self._jobs.values() if job.cell in self._begun]
        left = {job.cell: seconds_left(job.cell, self._params, self._timing) for job in running}
        waiting = len(self._waiting) + len(self._jobs) - len(running)
        head = f"{self._done} of {self._all} done, {len(running)} running, {waiting} waiting, {len(self._failed)} failed"
        rows = []
        for job in running:
            seconds, said = left[job.cell], tail(paths.log(job.cell), 1)
            rows.append(
                [
                    f"  {job.cell}",
                    job.where,
                    duration(time.monotonic() - self._begun[job.cell]),
                    f"{duration(seconds)} left" if seconds is not None else "",
                    said[0] if said else "",
                ]
            )
        self._view.table(f"{head}, {self._left(left)}", rows)

    def _left(self, running: dict[Cell, float | None]) -> str:
        open_cells = [*self._waiting, *(cell for cell in self._jobs if cell not in self._begun)]
        ahead = [self._expected[cell] for cell in open_cells]
        known = [each for each in ahead if each is not None]
        started = [each for each in running.values() if each is not None]
        unknown = len(ahead) - len(known) + len(running) - len(started)
        if unknown:
            return f"time left not known for {unknown}"
        return f"{duration(makespan(known, max(1, len(running)), started))} left"

    def _stop(self) -> None:
        """See the jobs to their end, and what a driver that was killed left at this one's cells; they keep what they have."""
        jobs, cells = list(self._jobs.values()), [*self._waiting, *self._jobs]
        if jobs:
            with suppress(OSError):  # the terminal, or whoever read the output, may be gone
                self._view.event(f"stopping {counted(len(jobs), 'job')}")
        end = time.monotonic() + PATIENCE
        while self._executor.stop(jobs, cells) and time.monotonic() < end:
            time.sleep(1)
            self._executor.look(jobs)
