"""A project whose training is broken off."""

import pytest
from interrupted import EPOCHS
from tiny import make


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The tiny project, as the working directory."""
    monkeypatch.setenv("STUDY_DEVICE", "cpu")
    monkeypatch.chdir(make(tmp_path, epochs=EPOCHS))
    return tmp_path
