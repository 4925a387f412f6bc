"""What tools.prove is asked for by a slip: a study without a name, a dvc.lock that somebody edited."""

import sys
from pathlib import Path
from typing import Any

import pytest

from study.base.errors import StudyError
from study.design.cells import Cell
from study.pipeline import proof
from tools import prove

CELL = Cell.parse("digits-cnn_scratch-0.1-0")


def test_a_study_without_a_name_is_not_the_cheapest_cells(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", ["prove", "--study", ""])
    with pytest.raises(StudyError, match=r"studies\.yaml has no study"):
        prove.main()


@pytest.mark.parametrize("entry", [None, {}, [], {"outs": "x"}, {"outs": [{"path": "data/runs"}]}, {"outs": [5]}])
def test_a_damaged_entry_of_the_lock_is_named(entry: Any) -> None:
    with pytest.raises(StudyError, match=rf"dvc\.lock: train@{CELL} is damaged; git checkout HEAD dvc\.lock"):
        proof.recorded({f"train@{CELL}": entry}, CELL)
