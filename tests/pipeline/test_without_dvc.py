"""Where DVC or dvc.lock cannot be asked, the files tell the state of each cell."""

import shutil
import sys
import threading
from pathlib import Path

import pytest
from recorded_study import CNN, GLYPHS, outputs, show, states

from study.base.errors import StudyError
from study.design import cells
from study.pipeline import cell_states, lockfile
from study.pipeline.cell_states import CellState
from tools import status as command


def test_a_damaged_lock_file_is_said_and_the_files_still_tell(clone):
    Path("dvc.lock").write_text("stages: [")
    output = show(clone)
    assert "8 cells: 8 done" in output and "stale is unknown: dvc.lock cannot be read" in output


def test_a_lock_file_that_dvc_is_writing_is_waited_for(clone):
    whole = Path("dvc.lock").read_text()
    Path("dvc.lock").write_text(whole[: whole.index("md5: ", len(whole) // 2) + 9])
    writing = threading.Timer(0.4, Path("dvc.lock").write_text, [whole])
    writing.start()
    study = cell_states.read()
    writing.join()
    assert study.unknown is None and set(states(study).values()) == {CellState.DONE}


def test_without_dvc_nothing_is_recorded_and_it_is_said(clone, monkeypatch):
    monkeypatch.setitem(sys.modules, "dvc.repo", None)
    with pytest.raises(StudyError, match="dvc is not installed here"), lockfile.repository():
        pass


def test_without_dvc_the_files_tell(clone, monkeypatch):
    shutil.rmtree(cells.runs(CNN))
    shutil.rmtree(cells.predictions(GLYPHS))
    monkeypatch.setitem(sys.modules, "dvc.repo", None)  # importing it fails
    study = cell_states.read()
    assert study.unknown == "dvc is not installed here; pip install -r requirements.txt."
    found = states(study)
    assert (found.pop(CNN), found.pop(GLYPHS)) == (CellState.RECORDED, CellState.TRAINED)
    assert set(found.values()) == {CellState.DONE}


def test_by_hand_without_a_dvc_project(by_hand):
    assert set(states().values()) == {CellState.MISSING}
    outputs()
    study = cell_states.read()
    assert set(states(study).values()) == {CellState.DONE}
    assert any("no DVC project" in line for line in command.lines(study))


def test_a_defect_in_dvc_is_said_and_not_shown_as_a_traceback(clone, monkeypatch):
    monkeypatch.setattr("dvc.parsing.DataResolver.resolve", lambda self: {}["another DVC"])
    assert cell_states.read().unknown == "DVC could not be asked: KeyError: 'another DVC'"
