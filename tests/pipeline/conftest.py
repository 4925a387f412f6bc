"""The recorded study in a clone with DVC, and by its parameters alone."""

import shutil

import pytest
from clones import copy, set_params
from recorded_study import TINY, committed


@pytest.fixture(scope="session")
def recorded(root, tmp_path_factory):
    """One clone of the recorded study, which no test may change."""
    return committed(root, tmp_path_factory.mktemp("recorded") / "clone", *TINY)


@pytest.fixture
def clone(recorded, tmp_path, monkeypatch):
    """A clone of the recorded study for one test, as the working directory."""
    folder = copy(recorded, tmp_path / "clone")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def by_hand(root, tmp_path, monkeypatch):
    """A folder without DVC: the two files of parameters and nothing else."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(root / name, tmp_path)
    set_params(tmp_path, *TINY)
    monkeypatch.chdir(tmp_path)
    return tmp_path
