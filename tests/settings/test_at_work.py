"""Who is at work is known by locks and by DVC's own list; what cannot be looked at is no answer."""

import errno
import os
import subprocess
import sys

import psutil
import pytest
from dvc.fs import localfs
from dvc.rwlock import rwlock

from study.base.errors import StudyError
from study.settings import at_work


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    at_work.DVC.parent.mkdir(parents=True)


@pytest.mark.parametrize("uses", [(["in"], ["out"]), (["in"], []), ([], ["out"])])
def test_a_running_dvc_is_known_by_the_list_that_it_writes(uses):
    assert at_work.who() is None
    command = " ".join(["/bin/dvc", *psutil.Process().cmdline()[-1:]])
    with rwlock(str(at_work.DVC.parent.absolute()), localfs, command, *uses, False):
        assert at_work.who() == f"dvc (process {os.getpid()} in .dvc/tmp/rwlock)"
    assert at_work.who() is None


def test_a_process_that_has_the_number_of_a_dvc_that_was_killed_is_left_alone():
    with subprocess.Popen(["sleep", "60"]) as sleeping:
        at_work.DVC.write_text(f'{{"write": {{"/x": {{"pid": {sleeping.pid}, "cmd": "/bin/dvc repro"}}}}}}')
        assert at_work.who() is None
        sleeping.kill()


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 5, 10**30])
def test_a_number_that_no_process_has_is_nobody(pid):
    at_work.DVC.write_text(f'{{"write": {{"/x": {{"pid": {pid}, "cmd": "dvc repro"}}}}}}')
    assert at_work.who() is None


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"write": 5}', '{"read": {"/x": [{}]}}'])
def test_a_list_that_dvc_would_not_write_is_nobody(text):
    at_work.DVC.write_text(text)
    assert at_work.who() is None


def test_one_at_a_time_is_one_sentence():
    with at_work.alone(at_work.FANOUT, "fan-out"):
        assert at_work.held(at_work.FANOUT) and at_work.who() == "a fan-out"
        with pytest.raises(StudyError, match="another fan-out is at work"), at_work.alone(at_work.FANOUT, "fan-out"):
            pass
    with at_work.alone(at_work.FANOUT, "fan-out"):
        pass


def test_two_that_start_in_the_same_instant(monkeypatch):
    """The second one is refused, though nobody held the lock when it looked."""
    with at_work.alone(at_work.FANOUT, "fan-out"):
        monkeypatch.setattr(at_work, "held", lambda _: False)
        with pytest.raises(StudyError, match="another fan-out is at work"), at_work.alone(at_work.FANOUT, "fan-out"):
            pass


LOOKS = """
import fcntl, sys, time
file = open(sys.argv[1], "rb")
fcntl.flock(file, fcntl.LOCK_SH)
print("looks", flush=True)
time.sleep(0.2)
"""


def test_somebody_who_just_looks_is_waited_for():
    at_work.QUICKSTART.touch()
    with subprocess.Popen([sys.executable, "-c", LOOKS, at_work.QUICKSTART], stdout=subprocess.PIPE) as looking:
        looking.stdout.readline()
        with at_work.alone(at_work.QUICKSTART, "quickstart"):
            pass


@pytest.mark.parametrize("path", [at_work.QUICKSTART, at_work.FANOUT, at_work.DVC])
def test_a_file_that_cannot_be_opened_is_named_and_not_taken_for_free(monkeypatch, path):
    """root opens every file, so the system's refusal is made here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    opened = type(path).open

    def refuse(self, *arguments, **options):
        if self == path:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(self, *arguments, **options)

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(PermissionError, match=str(path)):
        at_work.who()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_where_a_file_system_has_no_locks_nobody_holds_one(monkeypatch, number):
    """Whoever asks for one there is refused, and left the file."""

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    at_work.QUICKSTART.touch()
    monkeypatch.setattr(at_work.fcntl, "flock", refuse)
    assert not at_work.held(at_work.QUICKSTART) and at_work.who() is None
    with pytest.raises(OSError, match=os.strerror(number)), at_work.alone(at_work.QUICKSTART, "quickstart"):
        pass
