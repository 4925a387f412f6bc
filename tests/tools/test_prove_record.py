"""prove --record: dvc.lock learns of edited code where every cell came out well, and of nothing else."""

import sys

import pytest

from study.base.errors import StudyError
from study.design.cells import Cell
from tools import prove

CELL = Cell.parse("digits-cnn_scratch-0.1-0")


@pytest.fixture
def recorded(monkeypatch):
    """What was recorded: the code, and the cells that were proved."""
    calls = []

    def record(code, proven):
        calls.append((code, proven))
        return ["train@a", "train@b"], ["weights@c"]

    monkeypatch.setattr(prove.moved_code, "today", lambda: {"train": []})
    monkeypatch.setattr(prove.moved_code, "record", record)
    return calls


@pytest.mark.parametrize("words", [("--record",), ()])
def test_after_a_proof(monkeypatch, capsys, recorded, words):
    monkeypatch.setattr(sys, "argv", ["prove", str(CELL), *words])
    monkeypatch.setattr(prove, "made", lambda wanted, *_: wanted == [CELL])
    with pytest.raises(SystemExit) as ended:
        prove.main()
    assert ended.value.code == 0
    assert recorded == [({"train": []}, [CELL])] * len(words)
    said = capsys.readouterr().out
    assert ("recorded for 2 stages" in said and "not for weights@c" in said) == bool(words)


def test_a_study_is_made_whole_before_its_code_is_recorded(monkeypatch, tmp_path, recorded):
    """A cell that was proved says nothing of the code that reads datasets and draws splits, which is recorded too."""
    asked = []
    monkeypatch.setattr(sys, "argv", ["prove", "--study", "digits", "--record"])
    monkeypatch.setattr(prove, "PLACE", tmp_path)
    monkeypatch.setattr(prove, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(prove.proved, "cells_of", lambda *_: [CELL])
    monkeypatch.setattr(prove.proved.Ledger, "has", lambda *_: True)
    monkeypatch.setattr(prove.proved.Ledger, "_write", lambda _: None)
    monkeypatch.setattr(prove, "made", lambda wanted, *_: asked.extend(wanted) or True)
    with pytest.raises(SystemExit) as ended:
        prove.main()
    assert ended.value.code == 0 and asked == [CELL] and recorded == [({"train": []}, [CELL])]


def test_a_cell_that_differs_records_nothing(monkeypatch, recorded):
    monkeypatch.setattr(sys, "argv", ["prove", str(CELL), "--record"])
    monkeypatch.setattr(prove, "made", lambda *_: False)
    with pytest.raises(StudyError, match="nothing was recorded"):
        prove.main()
    assert recorded == []
