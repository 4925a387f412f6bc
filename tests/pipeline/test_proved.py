"""What was proved stands in a file, which may go from machine to machine."""

import json
import signal
from pathlib import Path

import pytest

from study.base import machine
from study.base.errors import StudyError
from study.design.cells import Cell
from study.pipeline.proved import Ledger
from study.runtime import code
from study.settings.params import Params
from tools import prove

CELL, OTHER = Cell.parse("digits-cnn_scratch-0.1-0"), Cell.parse("digits-cnn_scratch-0.2-0")
LOCK = {f"train@{cell}": {"cmd": "x"} for cell in (CELL, OTHER)}


@pytest.fixture(autouse=True)
def in_the_project(root, monkeypatch):
    monkeypatch.chdir(root)


def test_one_machine_goes_on_from_what_another_has_proved(tmp_path):
    file = tmp_path / "docs/proved.json"
    Ledger(file, LOCK, Params.load()).add(CELL)
    again = Ledger(file, LOCK, Params.load())
    assert again.has(CELL) and not again.has(OTHER)
    assert json.loads(file.read_text())[str(CELL)]["processor"] == machine.processor_name()


def test_a_proof_holds_while_the_code_that_trains_and_tests_is_the_same(tmp_path, monkeypatch):
    """A reader may be edited: what it made counts by its md5."""
    file, digest = tmp_path / "proved.json", code.digest
    Ledger(file, LOCK, Params.load()).add(CELL)
    for edited, holds in (("stages.download", True), ("stages.train", False), ("stages.evaluate", False)):
        monkeypatch.setattr(code, "digest", lambda name, edited=edited: "another" if name == edited else digest(name))
        assert Ledger(file, LOCK, Params.load()).has(CELL) == holds


@pytest.mark.parametrize("content", [{str(CELL): "a sum"}, {"title": "params.yaml", "type": {}}, [], [[1, 2]], 3, {"a": 3}])
def test_json_of_something_else_is_refused_and_stays(tmp_path, content):
    file = tmp_path / "proved.json"
    file.write_text(json.dumps(content))
    with pytest.raises(StudyError, match="no list of proved cells"):
        Ledger(file, LOCK, Params.load())
    assert json.loads(file.read_text()) == content


def test_a_ledger_that_cannot_be_written_is_said_before_anything_is_made(tmp_path):
    with pytest.raises(OSError, match="/proc/none"):
        Ledger(Path("/proc/none/proved.json"), LOCK, Params.load())
    with pytest.raises(StudyError, match="no list of proved cells"):
        Ledger(tmp_path, LOCK, Params.load())


def test_a_ledger_without_a_study_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["prove", "--ledger", "proved.json"])
    with pytest.raises(SystemExit) as stopped:
        prove.main()
    assert stopped.value.code == 2 and "--ledger goes with --study" in capsys.readouterr().err


def test_the_command_that_goes_on_names_the_ledger(monkeypatch, tmp_path, capsys):
    def stopped(*_: object) -> bool:
        signal.raise_signal(signal.SIGTERM)
        return False

    monkeypatch.setattr(prove, "made", stopped)
    monkeypatch.setattr(prove, "LOCK", tmp_path / "lock")
    file = tmp_path / "proved.json"
    with pytest.raises(SystemExit):
        prove.of_study("digits", 1, file)
    assert f"--study digits --ledger {file}" in capsys.readouterr().err
