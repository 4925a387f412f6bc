"""The driver and its workers: another try, jobs that cannot be handed over, jobs that are stopped."""

import signal
from pathlib import Path

import pytest

from study.base.errors import StudyError
from study.design.cells import Cell
from study.fanout import paths, worker
from study.fanout.driver import Driver
from study.fanout.jobs import Job
from study.fanout.view import View

EASY, HARD = (Cell("digits", "cnn_scratch", fraction, 0) for fraction in (0.1, 1.0))
KILLED, FAILED = "exited with -9", "exited with 1"
ENDS = {  # what a cell's first dvc says and how it ends, and whether that is another try's business
    "kill -9 $$": True,
    f"""echo "ERROR: failed to reproduce 'train@x': failed to run: python, {KILLED}"; exit 255""": True,
    f"""echo "ERROR: failed to reproduce 'train@x': failed to run: python, {FAILED}"; exit 255""": False,
    f"""echo "error: x is being trained by another process; wait for it."; echo "{FAILED}"; exit 255""": True,
    """echo "ERROR: failed to reproduce 'train@x': "; exit 255""": True,  # its locks were taken from it
}


@pytest.mark.parametrize("first", ENDS)
def test_a_worker_tries_again_where_the_cell_itself_did_not_fail(tmp_path, monkeypatch, first):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(worker, "WAITS", (0.0,))
    monkeypatch.setattr(worker.process, "repro", lambda *_: ["sh", "-c", f"test -e began || {{ touch began; {first}; }}"])
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert (worker.Work(EASY, None)() == 0) == ENDS[first]
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ("this may pass" in paths.log(EASY).read_text()) == ENDS[first]


class Refusing:
    """Takes one cell, and no other while that one runs."""

    def __init__(self):
        self.taken, self.refused = False, False

    def adopt(self):
        return []

    def room(self):
        return 1

    def submit(self, cells):
        if self.taken:
            self.refused = True
            raise StudyError("Slurm refused the jobs: too many")
        self.taken = True
        return [Job(cells[0], "1", "Slurm", Path("log"))]

    def look(self, jobs):
        for job in jobs:
            job.ended, job.code = self.refused, 0

    def stop(self, jobs, cells):
        assert not jobs, "jobs that run are not stopped for one that cannot be handed over"
        return False


def test_cells_that_cannot_be_handed_over_fail_and_the_others_go_on(capsys):
    executor = Refusing()
    assert Driver(executor, [HARD, EASY]).run() == {EASY: "could not be handed over: Slurm refused the jobs: too many"}
    assert f"done {HARD}" in capsys.readouterr().out
    with pytest.raises(StudyError, match="too many"):  # nothing runs: there is nothing to lose
        Driver(executor, [EASY]).run()


def test_rates_are_not_read_where_nobody_looks(monkeypatch):
    """All records, for each cell that ends: a minute of a large study."""
    monkeypatch.setattr(View, "due", False)
    monkeypatch.setattr("study.fanout.driver.Timing", lambda params: pytest.fail("read"))
    assert list(Driver(Refusing(), [HARD, EASY]).run()) == [EASY]


class Running(Refusing):
    """Takes one cell, which runs until it is told to stop."""

    def look(self, jobs):
        for job in jobs:
            job.ended = self.refused

    def stop(self, jobs, cells):
        self.refused, self.told = True, list(cells)
        return not all(job.ended for job in jobs)


@pytest.mark.parametrize("gone", [BrokenPipeError, OSError])
def test_jobs_are_stopped_though_nobody_hears_of_it(monkeypatch, gone):
    """As with `fanout | head`, or in a terminal that was closed."""
    executor = Running()
    driver = Driver(executor, [EASY, HARD])

    def say(text):
        raise gone

    monkeypatch.setattr(driver._view, "event", say)
    with pytest.raises(gone):
        driver.run()
    assert executor.taken and executor.refused
    assert set(executor.told) == {EASY, HARD}, "what a killed driver left may be at a cell that is not handed over yet"
