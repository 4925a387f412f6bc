"""The stage aggregate, run in a folder of the test."""

import sys
from pathlib import Path

import pytest
from small_reports import Aggregate

from stages import aggregate
from study.report.figures import drawn


@pytest.fixture
def run(whole: Aggregate, monkeypatch: pytest.MonkeyPatch) -> Aggregate:
    """The same without figures, which take most of the time."""
    monkeypatch.setattr(drawn, "all_figures", lambda analysis: iter(()))
    return whole


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Aggregate:
    """Runs aggregate in ``tmp_path`` with the given arguments."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_STAGE", raising=False)

    def call(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["aggregate", *arguments])
        aggregate.main()

    return call
