"""The state of a cell whose training runs, was stopped or failed; looking at it disturbs nobody."""

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from clones import sh
from recorded_study import CNN, one, show

from study.base.errors import StudyError
from study.design import cells
from study.engine import resume
from study.pipeline import cell_states
from study.pipeline.cell_states import CellState
from study.settings import at_work
from tools import status as command

STUB = """
import sys, time
from pathlib import Path
from study.engine import resume
from study.design.cells import Cell
cell = Cell.parse(sys.argv[1])
store = resume.Store(cell, "0" * 64)
with resume.exclusive(resume.workspace_lock(cell), cell), resume.exclusive(store.lock, cell):
    store.save(resume.State(3, 1, {"seconds": 6.0}, b"", b""))
    Path("started").touch()
    while not Path("go").exists():
        time.sleep(0.05)
"""


def test_while_dvc_repro_runs_a_training(clone):
    (clone / "stages/train.py").write_text(STUB)
    with subprocess.Popen(
        [Path(sys.executable).parent / "dvc", "repro", "--single-item", f"train@{CNN}"],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as dvc:
        while not (clone / "started").exists():
            assert dvc.poll() is None, dvc.stdout.read()
            time.sleep(0.05)
        sh(clone, "dvc", "status", f"train@{CNN}", fails=True)  # it is busy
        output = show(clone)
        found = json.loads(show(clone, "--json"))
        (clone / "go").touch()
        dvc.communicate(timeout=60)
    assert "running 3/10" in output and output.count("stale") > 7
    (running,) = [each for each in found["cells"] if each["cell"] == str(CNN)]
    assert (running["state"], running["epoch"], running["epochs"], running["seconds"]) == ("running", 3, 10, 14.0)
    assert found["counts"] == {"running": 1, "stale": 7} and found["staleness_unknown"] is None
    assert one().state is CellState.STOPPED  # the stub wrote no outputs: dvc recorded nothing


def test_works_while_dvc_holds_its_lock(clone):
    from dvc.repo import Repo

    with Repo() as repo, repo.lock:
        assert "8 done" in show(clone)


def test_failed_and_stopped(by_hand):
    store = resume.Store(CNN, "0" * 64)
    with resume.exclusive(store.lock, CNN):
        store.save(resume.State(7, 1, {"seconds": 70.0}, b"", b""))
        store.save(resume.State(8, 1, {"seconds": 80.0}, b"", b""))
        assert one().state is CellState.RUNNING  # in another workspace, as a queued experiment would
    assert (one().state, one().epoch, one().seconds) == (CellState.STOPPED, 8, 20.0)
    cells.failed(CNN).parent.mkdir(parents=True)
    cells.failed(CNN).write_text(json.dumps({"cell": str(CNN), "when_epoch": 9, "error": "the loss is NaN; lower it."}))
    assert one().state is CellState.FAILED
    text = list(command.lines(cell_states.read()))
    assert f"failed: {CNN}, epoch 9: the loss is NaN; lower it." in text
    cells.failed(CNN).write_text("{")
    assert "cannot be read" in one().error


def test_a_started_training_without_a_saved_epoch_is_running(by_hand):
    with resume.exclusive(resume.workspace_lock(CNN), CNN):
        assert (one().state, one().epoch) == (CellState.RUNNING, 0)
        assert any("running 0/10" in line for line in command.lines(cell_states.read()))
    assert one().state is CellState.MISSING


def test_a_failure_of_old_does_not_hide_a_result(clone):
    cells.failed(CNN).parent.mkdir()
    cells.failed(CNN).write_text("{}")  # trained elsewhere since, and pulled
    assert one().state is CellState.DONE


def test_looking_at_a_lock_stops_no_training(tmp_path):
    path = tmp_path / "lock"
    path.touch()
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # as tools.status does, for longer than it takes there
        threading.Timer(0.1, fcntl.flock, (file.fileno(), fcntl.LOCK_UN)).start()
        with resume.exclusive(path, CNN):
            pass
    with resume.exclusive(path, CNN):
        assert at_work.held(path)
        with pytest.raises(StudyError, match="another process"), resume.exclusive(path, CNN):
            pass
    assert not at_work.held(path)
    assert not at_work.held(tmp_path / "absent")
