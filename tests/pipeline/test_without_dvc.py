"""Where DVC or dvc.lock cannot be asked, the files tell the state of each cell."""

import shutil
import sys
import threading
from pathlib import Path
from sqlite3 import DatabaseError

import pytest
from recorded_study import CNN, GLYPHS, outputs, show, states

from study.base.errors import StudyError
from study.design import cells
from study.pipeline import cell_states, lockfile
from study.pipeline.cell_states import CellState
from study.pipeline.standing import Pipeline
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
    assert (
        cell_states.read().unknown
        == "DVC cannot read dvc.yaml and params.yaml (KeyError: 'another DVC'); dvc status says more."
    )


@pytest.mark.parametrize(
    "text", ["", "stages: []", "stages: {train: null}", "stages: [", "stages: {x: {cmd: '${study.nope}'}}"]
)
def test_a_dvc_yaml_that_dvc_cannot_read_is_one_sentence(clone, text):
    Path("dvc.yaml").write_text(text)
    with pytest.raises(StudyError, match=r"dvc\.yaml"):
        Pipeline({})


def test_what_stops_dvc_itself_is_one_sentence(clone, monkeypatch):
    def nameless(*_, **__):
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("dvc.repo.Repo.__init__", nameless)
    with pytest.raises(StudyError, match=r"DVC cannot open this project \(KeyError: .*12345"), lockfile.repository():
        pass
    with pytest.raises(StudyError, match="DVC cannot open this project"):
        Pipeline({})


def test_a_damaged_database_of_dvc_is_named(clone, monkeypatch):
    def damaged(*_, **__):
        raise DatabaseError("file is not a database")

    monkeypatch.setenv("DVC_SITE_CACHE_DIR", "/var/place")
    monkeypatch.setattr("dvc.repo.Repo.__init__", damaged)
    with pytest.raises(StudyError, match=r"DVC's own files below /var/place are damaged .*remove them"), lockfile.repository():
        pass


def test_a_wrong_configuration_of_dvc_is_one_sentence(clone):
    Path(".dvc/config.local").write_text("[core]\na = b\n")
    with pytest.raises(StudyError, match="config file error: extra keys not allowed"):
        Pipeline({})
