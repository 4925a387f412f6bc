"""Commands that run beside each other end together where one cannot be started or where they are stopped."""

import time

import pytest

from study.pipeline import process


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_they_run_at_once():
    assert process.run_at_once([["sh", "-c", "while ! test -e go; do sleep 0.05; done"], ["touch", "go"]]) == [0, 0]


def test_where_one_cannot_be_started_the_others_are_stopped():
    begun = time.monotonic()
    with pytest.raises(FileNotFoundError):
        process.run_at_once([["sleep", "60"], ["/no/such/command"]])
    assert time.monotonic() - begun < 30
