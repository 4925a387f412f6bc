"""dvc.lock is read entry by entry, as the whole would be read, and as a whole where it is not laid out as DVC does it."""

from pathlib import Path

import pytest

from study.base import yaml12
from study.base.errors import StudyError
from study.pipeline import entries, standing

SMALL = "schema: '2.0'\nstages:\n  train@a-0.5:\n    cmd: python -m stages.train a\n  split@a:\n    cmd: python\n"


def test_the_committed_lock_by_entries_is_the_whole(root, monkeypatch):
    whole = yaml12.load_lock((root / "dvc.lock").read_text())["stages"]
    monkeypatch.chdir(root)
    found = standing.recorded()
    assert isinstance(found, entries.Parsed)
    assert list(found) == list(whole) and dict(found) == whole


@pytest.mark.parametrize(
    "text",
    [
        SMALL.replace("stages:\n", "stages:\n  # by hand\n"),
        SMALL + "datasets: []\n",
        SMALL.replace("train@a-0.5", "'train@a-0.5'"),
        SMALL[:-3],
        SMALL + SMALL[SMALL.index("  split@a") :],
        "",
    ],
    ids=["a comment", "more than stages", "quotes", "torn", "an entry twice", "empty"],
)
def test_what_dvc_did_not_write_so_is_not_split(text):
    assert entries.split(SMALL) and entries.split(text) is None


def test_an_entry_that_is_no_yaml_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("dvc.lock").write_text(SMALL.replace("    cmd: python\n", "    cmd: [\n"))
    found = standing.recorded()
    assert found["train@a-0.5"] == {"cmd": "python -m stages.train a"}
    with pytest.raises(StudyError, match=r"dvc\.lock cannot be read at split@a"):
        found["split@a"]
