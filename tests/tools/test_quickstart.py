"""make quickstart leaves params.yaml as it was, however it ends; /bin/sh is dash on many systems."""

import os
import signal
import sys
import time

import pytest
from small_project import make, run, start

from study.settings import lent
from tools import quickstart

ENDS = {
    "Ctrl-C in the terminal": lambda process: os.killpg(process.pid, signal.SIGINT),
    "TERM to make alone": lambda process: process.terminate(),
    "the terminal closed": lambda process: os.killpg(process.pid, signal.SIGHUP),
    "timeout": lambda process: os.killpg(process.pid, signal.SIGTERM),
}


def wait_for(condition):
    end = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_it_chooses_the_small_study_and_puts_params_back(tmp_path):
    project = make(tmp_path)
    before = (project / "params.yaml").read_bytes()
    (project / "tools/fanout.py").write_text("print('name: digits' in open('params.yaml').read())\n")
    (project / "reports/digits/tables").mkdir(parents=True)
    (project / "reports/digits/tables/errors_digits.md").write_text("the table\n")
    done = run(project, "make", "quickstart")
    assert done.returncode == 0, done.stderr
    assert "True" in done.stdout and "the table" in done.stdout and "python -m tools.study digits" in done.stdout
    assert (project / "params.yaml").read_bytes() == before


def test_a_fan_out_that_fails_is_one_sentence_and_params_are_back(tmp_path):
    project = make(tmp_path)
    before = (project / "params.yaml").read_bytes()
    (project / "tools/fanout.py").write_text("raise SystemExit(1)\n")
    done = run(project, "make", "quickstart")
    assert done.returncode != 0 and "the small study is not whole" in done.stderr and "Traceback" not in done.stderr
    assert (project / "params.yaml").read_bytes() == before


@pytest.mark.parametrize("end", ENDS)
def test_params_are_back_however_it_is_stopped(tmp_path, end):
    project = make(tmp_path, seconds=600)
    before = (project / "params.yaml").read_bytes()
    process = start(project)
    assert (project / "params.yaml").read_bytes() != before
    ENDS[end](process)
    said = process.communicate(timeout=600)[0]
    assert process.returncode != 0 and "Traceback" not in said
    wait_for(lambda: (project / "params.yaml").read_bytes() == before)


def test_params_are_back_where_the_stop_comes_while_they_are_lent(tmp_path, monkeypatch):
    project = make(tmp_path)
    before = (project / "params.yaml").read_bytes()
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "argv", ["quickstart"])
    lend = lent.lend

    def stopped(study):
        lend(study)
        assert (project / "params.yaml").read_bytes() != before
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(lent, "lend", stopped)
    monkeypatch.setattr(quickstart, "_hang_up_as_terminate", lambda: None)
    with pytest.raises(SystemExit) as ended:
        quickstart.main()
    assert ended.value.code == 143 and (project / "params.yaml").read_bytes() == before


def test_after_a_kill_the_next_start_puts_params_right_and_says_so(tmp_path):
    project = make(tmp_path, seconds=600)
    before = (project / "params.yaml").read_bytes()
    process = start(project)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=600)
    assert (project / "params.yaml").read_bytes() != before
    (project / "seconds").write_text("0")
    done = run(project, "make", "quickstart")
    assert "an earlier quickstart was killed: params.yaml is as it was before." in done.stdout, done.stdout + done.stderr
    assert (project / "params.yaml").read_bytes() == before


def test_a_second_one_beside_it_is_refused_and_so_is_another_study(tmp_path):
    project = make(tmp_path, seconds=600)
    process = start(project)
    lent = (project / "params.yaml").read_bytes()
    for command in (("make", "quickstart"), (".venv/bin/python", "-m", "tools.study", "cifar")):
        done = run(project, *command)
        assert done.returncode != 0 and "error: quickstart is at work" in done.stderr
    assert (project / "params.yaml").read_bytes() == lent
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=600)
