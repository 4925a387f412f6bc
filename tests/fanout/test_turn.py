"""Who is at a cell, and what becomes of trainings that a driver which was killed left behind."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from study.design.cells import Cell
from study.fanout import paths, turn
from study.fanout.local import Local
from study.settings.at_work import held

CELL = Cell("digits", "cnn", 1.0, 0)
LINE = [sys.executable, "-m", "study.fanout.worker", str(CELL)]
BUSY = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_DFL)\ntime.sleep(600)"
FAILS = "print('exited with -9')\nraise SystemExit(1)"


def until(seen):
    end = time.monotonic() + 60
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def workers(tmp_path, monkeypatch):
    """A project whose dvc is the script that a test gives; starts workers of CELL, which end with the test."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tools").mkdir()
    (tmp_path / "study").symlink_to(Path(turn.__file__).parents[1])
    started = []

    def start(script):
        (tmp_path / "tools/repro.py").write_text(script)
        started.append(subprocess.Popen(LINE, start_new_session=True))
        return started[-1]

    yield start
    for worker in started:
        for process in {worker.pid, *turn._members(worker.pid, CELL)}:
            subprocess.run(["kill", "-9", str(process)], check=False, capture_output=True)
        worker.wait()


def stop_all(executor):
    """As Driver does."""
    end = time.monotonic() + 60
    while executor.stop([], [CELL]):
        assert time.monotonic() < end
        time.sleep(0.5)


@pytest.mark.parametrize("waits", [0, 2])
def test_a_worker_that_will_try_again_is_stopped_and_those_that_wait_for_it(workers, waits):
    old = workers(FAILS)
    until(lambda: paths.log(CELL).is_file() and "once more in 10 s" in paths.log(CELL).read_text())
    others = [workers(BUSY) for _ in range(waits)]
    until(lambda: all(len(turn._members(each.pid, CELL)) == 1 for each in others))
    time.sleep(1)  # until they are at the lock
    stop_all(Local([None]))
    until(lambda: not held(paths.lock(CELL)))
    assert old.wait(20) == 143
    assert all(each.wait(20) in (143, -signal.SIGTERM) for each in others)  # at the lock, or not there yet


def test_the_dvc_of_a_worker_that_was_killed_is_stopped(workers):
    old = workers(BUSY)
    until(lambda: len(turn._members(old.pid, CELL)) == 2)
    old.kill()
    assert old.wait() == -signal.SIGKILL and held(paths.lock(CELL))
    stop_all(Local([None]))
    until(lambda: not held(paths.lock(CELL)))


def test_a_dvc_that_is_just_starting_is_stopped_too(workers, monkeypatch):
    """For a moment, a process that becomes another program has an empty command line."""
    old = workers(BUSY)
    until(lambda: len(turn._members(old.pid, CELL)) == 2)
    old.kill()
    old.wait()
    known, empty = psutil.Process.cmdline, set()

    def first_empty(process):
        if process.pid in empty:
            return known(process)
        empty.add(process.pid)
        return []

    monkeypatch.setattr(psutil.Process, "cmdline", first_empty)
    assert len(turn._members(old.pid, CELL)) == 1


def test_ones_own_workers_and_a_number_that_is_used_again_are_let_be(workers):
    old = workers(BUSY)
    until(lambda: len(turn._members(old.pid, CELL)) == 2)
    assert not turn.stop(CELL, besides=[old.pid])
    assert turn._members(old.pid, Cell("digits", "vit", 1.0, 0)) == []
    assert held(paths.lock(CELL)) and old.poll() is None
