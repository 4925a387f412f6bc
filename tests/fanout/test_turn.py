"""Who is at a cell: workers that wait for one another, and what becomes of both where the one that waits is stopped."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from study.design.cells import Cell
from study.fanout import paths, turn
from study.settings.at_work import held

CELL = Cell("digits", "cnn", 1.0, 0)


@pytest.mark.parametrize("killed", [False, True], ids=["a worker that will try again", "the dvc of a worker that was killed"])
def test_a_worker_that_is_stopped_while_it_waits_stops_whoever_is_at_its_cell(tmp_path, monkeypatch, killed):
    """Their driver was killed: nobody else would stop them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tools").mkdir()
    (tmp_path / "study").symlink_to(Path(turn.__file__).parents[1])
    busy = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_DFL)\ntime.sleep(60)"
    (tmp_path / "tools/repro.py").write_text(busy if killed else "print('exited with -9')\nraise SystemExit(1)")
    line = [sys.executable, "-m", "study.fanout.worker", str(CELL)]

    def until(seen):
        end = time.monotonic() + 60
        while not seen():
            assert time.monotonic() < end
            time.sleep(0.05)

    old = subprocess.Popen(line, start_new_session=True)
    until(lambda: paths.log(CELL).is_file() and (killed or "once more in 10 s" in paths.log(CELL).read_text()))
    if killed:
        until(lambda: len(turn._members(old.pid, CELL)) == 2)
        old.kill()
        assert old.wait() == -signal.SIGKILL and held(paths.lock(CELL))
    new = subprocess.Popen(line, start_new_session=True)
    time.sleep(1)
    new.terminate()
    assert new.wait(20) == 143
    assert old.wait(1) == (-signal.SIGKILL if killed else 143) and not held(paths.lock(CELL))
