"""What `away` hands to dvc ends in order where away is stopped."""

import signal
import sys

import pytest

from tools import away

DVC = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(open("ended", "w").write("in order")))
open("began", "w")
time.sleep(60)
"""


def test_a_transfer_that_is_stopped_ends_in_order(tmp_path, monkeypatch):
    """subprocess.run would kill it, amid what it writes."""

    def stop(*_):
        raise SystemExit(143)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(away.process, "command", lambda *_: [sys.executable, "-c", DVC])
    former = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 2)
        with pytest.raises(SystemExit):
            away._with_records("push", "train@x")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    assert (tmp_path / "began").exists() and (tmp_path / "ended").read_text() == "in order"


@pytest.mark.parametrize(("said", "code", "well"), [("", 0, True), ("", 1, False), ("failed to transfer 'ab12'", 0, False)])
def test_a_record_that_was_not_sent_is_a_failure(said, code, well, monkeypatch, capsys):
    line = f"import sys; print({said!r}, file=sys.stderr, end=''); sys.exit({code})"
    monkeypatch.setattr(away.process, "command", lambda *_: [sys.executable, "-c", line])
    assert away._with_records("push", "train@x") is well
    assert capsys.readouterr().out == said
