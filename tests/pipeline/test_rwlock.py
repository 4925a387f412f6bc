"""A list of locks that a killed dvc left empty is removed, and said; one that is whole or being written stays."""

import threading
import time

import pytest

from study.pipeline import rwlock


@pytest.fixture
def lock(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rwlock, "SETTLED", 0.1)
    rwlock.LIST.parent.mkdir(parents=True)
    return rwlock.LIST


@pytest.mark.parametrize("left", ["", "{", '{"read": {"a": [', "\x00" * 40])
def test_what_cannot_be_read_is_removed(lock, capsys, left):
    lock.write_text(left)
    rwlock.mend()
    assert not lock.exists() and "could not be read" in capsys.readouterr().out


def test_what_can_be_read_stays(lock, capsys):
    for text in ("{}", '{"write": {"/x": {"pid": 1, "cmd": "dvc"}}}'):
        lock.write_text(text)
        rwlock.mend()
        assert lock.read_text() == text
    lock.unlink()
    rwlock.mend()
    assert not capsys.readouterr().out


def test_what_is_being_written_stays(lock):
    lock.write_text("")

    def write():
        time.sleep(0.03)
        lock.write_text("{}")

    writer = threading.Thread(target=write)
    writer.start()
    rwlock.mend()
    writer.join()
    assert lock.read_text() == "{}"
