"""Output folders are replaced whole: nothing is written through a link, and what a killed run left is in nobody's way."""

import os
from pathlib import Path

import pytest

from study.base.errors import StudyError
from study.base.folders import hidden, replaced


def put(folder, text):
    with replaced(folder) as draft:
        (draft / "file").write_text(text)


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_links_into_a_cache_are_replaced_and_the_cache_stays(tmp_path, link):
    """As DVC lays them with cache.type symlink or hardlink."""
    (tmp_path / "object").write_text("kept")
    (tmp_path / "out").mkdir()
    link(tmp_path / "object", tmp_path / "out" / "file")
    put(tmp_path / "out", "new")
    assert (tmp_path / "object").read_text() == "kept" and (tmp_path / "out" / "file").read_text() == "new"


def test_a_link_to_a_folder_is_replaced_and_what_it_leads_to_stays(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("kept")
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    for text in ("once", "twice"):
        put(tmp_path / "out", text)
    assert (tmp_path / "elsewhere" / "file").read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "out"]


def test_what_fails_leaves_the_old_folder_and_nothing_else(tmp_path):
    put(tmp_path / "out", "old")
    with pytest.raises(ZeroDivisionError), replaced(tmp_path / "out") as draft:
        (draft / "file").write_text("new")
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["out"] and (tmp_path / "out" / "file").read_text() == "old"


def test_a_stop_between_the_two_renames_leaves_the_old_folder(tmp_path, monkeypatch):
    put(tmp_path / "out", "old")
    rename = Path.rename

    def stopped(path, target):
        if path.name == ".out.draft":
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        put(tmp_path / "out", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["out"] and (tmp_path / "out" / "file").read_text() == "old"


def test_what_a_killed_run_left_is_hidden_and_removed_by_the_next(tmp_path):
    left = tmp_path / ".out.draft"
    left.mkdir()
    assert hidden(left) and hidden(tmp_path / "notes.txt~") and hidden(tmp_path / ".DS_Store")
    assert not hidden(tmp_path / "digits-cnn-1.0-0")
    put(tmp_path / "out", "new")
    assert not left.exists()


def test_a_full_disk_names_the_folder(tmp_path):
    with pytest.raises(OSError, match="No space left") as error, replaced(tmp_path / "folder"):
        raise OSError(28, "No space left on device")
    assert error.value.filename == str(tmp_path / "folder")


def test_two_that_write_one_folder_are_told_and_the_first_is_whole(tmp_path):
    with replaced(tmp_path / "out") as draft:
        (draft / "one").write_text("first")
        with pytest.raises(StudyError, match=r"out is being written by another process; wait for it"):
            put(tmp_path / "out", "second")
        (draft / "two").write_text("first")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["one", "two"]
    put(tmp_path / "out", "third")
    assert [path.name for path in tmp_path.iterdir()] == ["out"] and (tmp_path / "out" / "file").read_text() == "third"


def test_a_draft_of_a_killed_run_is_emptied(tmp_path):
    left = tmp_path / ".out.draft"
    (left / "deep").mkdir(parents=True)
    (left / "deep" / "file").write_text("old")
    (left / "stray").write_text("old")
    (left / "link").symlink_to(tmp_path)
    put(tmp_path / "out", "new")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["file"] and tmp_path.exists()
