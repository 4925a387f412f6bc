"""How a training ends when it is told to, or when the dvc that started it has gone."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny import CNN, command, make

from study.design import cells
from study.engine import resume
from study.runtime import lifecycle
from study.runtime.lifecycle import _parent

PATIENCE = 60.0  # seconds, on a machine that does other things too


@pytest.fixture
def project(tmp_path):
    """A training that nobody would wait for."""
    return make(tmp_path, epochs=100000)


def wait_for(condition, what):
    """The value of ``condition()`` as soon as it is true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited for {what} in vain")


def in_training(folder: Path) -> bool:
    """Whether an epoch is on disk."""
    return any((folder / resume.folder(CNN)).glob("*/*.json"))


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def training_in(folder: Path) -> int:
    """The process id of the Python that trains in ``folder``."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
            if b"stages.train" in arguments and (entry / "cwd").resolve() == folder.resolve():
                return int(entry.name)
        except OSError:
            continue
    return 0


linux = pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes through /proc")


@pytest.mark.parametrize(("number", "code", "name"), [(signal.SIGTERM, 143, "SIGTERM"), (signal.SIGINT, 130, "Ctrl-C")])
def test_a_signal_ends_it_cleanly(project, number, code, name):
    environment = os.environ | {"STUDY_DEVICE": "cpu"}
    process = subprocess.Popen(
        command("train", CNN), cwd=project, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: in_training(project), "an epoch")
    process.send_signal(number)
    started = time.monotonic()
    _, said = process.communicate(timeout=PATIENCE)
    assert time.monotonic() - started < 10
    assert process.returncode == code
    assert said.startswith(f"stopped by {name}: {CNN} stands after epoch ")
    assert "the same command (dvc repro, or python -m stages.train" in said
    assert said.count("\n") == 1
    assert not (project / cells.failed(CNN)).exists()
    assert not (project / cells.runs(CNN)).exists()


def test_a_signal_before_the_first_line_of_the_stage_ends_it_cleanly(monkeypatch, capsys):
    """It may come while the processes are looked up that started the stage."""
    monkeypatch.setenv("DVC_STAGE", "train")
    monkeypatch.setattr(lifecycle, "ancestors", lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit) as end, lifecycle.stoppable(lambda: "nothing was begun."):
        pass
    assert end.value.code == 143 and capsys.readouterr().err == "stopped by SIGTERM: nothing was begun.\n"


@linux
@pytest.mark.parametrize("line", ["exec {}", "{}; true"], ids=["shell becomes it", "shell waits beside it"])
def test_it_ends_when_its_dvc_has_gone(project, line):
    line = line.format(" ".join(command("train", CNN)))
    starter = f"import subprocess; subprocess.run(['/bin/sh', '-c', {line!r}])"
    environment = os.environ | {"STUDY_DEVICE": "cpu", "DVC_STAGE": "train"}
    with (project / "log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-c", starter], cwd=project, env=environment, stdout=log, stderr=log)
    wait_for(lambda: in_training(project), "an epoch")
    training = training_in(project)
    assert alive(training)
    process.kill()
    wait_for(lambda: not alive(training), "the end of the training")
    process.wait()
    assert "stopped by SIGTERM" in (project / "log").read_text()


@linux
def test_by_hand_it_outlives_who_started_it(project):
    """nohup and disown are the user's right: only dvc is watched."""
    starter = f"import subprocess; subprocess.Popen({command('train', CNN)!r}).wait()"
    environment = os.environ | {"STUDY_DEVICE": "cpu"}
    process = subprocess.Popen([sys.executable, "-c", starter], cwd=project, env=environment, stdout=subprocess.DEVNULL)
    wait_for(lambda: in_training(project), "an epoch")
    training = training_in(project)
    process.kill()
    process.wait()
    time.sleep(2.5)
    try:
        assert alive(training)
    finally:
        os.kill(training, signal.SIGKILL)


@linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_it_ends_when_the_real_dvc_is_killed(project, number):
    dvc = Path(sys.executable).with_name("dvc")
    if not dvc.exists():
        pytest.skip("no dvc here")
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    subprocess.run([dvc, "init", "-q"], cwd=project, check=True)
    line = " ".join(command("train", CNN))
    (project / "dvc.yaml").write_text(f"stages:\n  train:\n    cmd: {line}\n    outs: [{cells.runs(CNN)}]\n")
    environment = os.environ | {"STUDY_DEVICE": "cpu"}
    with (project / "log").open("w") as log:
        process = subprocess.Popen([dvc, "repro", "-q"], cwd=project, env=environment, stdout=log, stderr=log)
    wait_for(lambda: in_training(project), "an epoch")
    training = training_in(project)
    assert alive(training)
    process.send_signal(number)
    process.wait(PATIENCE)
    wait_for(lambda: not alive(training), "the end of the training")
    assert in_training(project)
    shutil.rmtree(project / ".git")


def test_the_parent_of_a_process():
    assert _parent(os.getpid()) == os.getppid()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert _parent(child.pid) == os.getpid()
    child.communicate()
    assert _parent(child.pid) == 0
