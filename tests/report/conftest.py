"""An analysed study, and the stage aggregate, run in a folder of the test."""

import sys
from pathlib import Path

import pytest
from small_reports import Aggregate, analysed

from stages import aggregate
from study.report.analysis import Analysis
from study.report.figures import drawn


@pytest.fixture(scope="session")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """A whole tiny study at operating point 0.3, off the ladder."""
    return analysed(tmp_path_factory.mktemp("study"), fraction=0.3)


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
