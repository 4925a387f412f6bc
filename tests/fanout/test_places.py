"""Jobs are counted by what they will find: GPUs that torch sees, processors that the container is given, Slurm as it answers."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from study.base import machine
from study.base.errors import StudyError
from study.design.cells import Cell
from study.fanout import local, paths, slurm
from study.fanout.worker import DEVICE, FAILED, Work

CELL = Cell("digits", "cnn", 1.0, 0)


@pytest.mark.parametrize(
    ("count", "visible", "names"),
    [
        (2, None, ["0", "1"]),
        (0, None, []),
        (2, "GPU-ab, 2", ["GPU-ab", "2"]),
        (1, "3,NoDevFiles,4", ["3"]),
        (0, "NoDevFiles", []),
        (0, "0,1", []),
        (0, "-1", []),
        (0, "", []),
    ],
)
def test_gpus_are_those_that_torch_sees(monkeypatch, count, visible, names):
    monkeypatch.setattr(local, "_driver_here", lambda: True)
    monkeypatch.setattr(local, "_gpus_of_torch", lambda: count)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert local.gpus_here() == names


@pytest.mark.parametrize("device", [None, "nvidiactl", "kfd"])
def test_torch_is_asked_where_a_gpu_can_be(monkeypatch, tmp_path, device):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(local, "_gpus_of_torch", lambda: 1)
    monkeypatch.setattr(local, "DEV", tmp_path)
    if device:
        (tmp_path / device).touch()
    monkeypatch.setattr(local.ctypes, "CDLL", lambda name: None)  # NVIDIA's driver is here
    assert local.gpus_here() == ["0"]

    def absent(name):
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(local.ctypes, "CDLL", absent)
    assert local.gpus_here() == (["0"] if device else [])


def test_a_name_that_is_no_device_leaves_no_gpu(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "NoDevFiles")
    assert local.gpus_here() == []


@pytest.mark.parametrize(
    ("here", "named", "wrong"),
    [
        (["0", "1"], ["1"], None), (["0", "1"], ["GPU-ab"], None), (["GPU-ab"], ["0"], None), (["0", "1"], None, None),
        (["0", "1"], ["1", "99"], "names 99, but torch sees 0, 1"), ([], ["0"], "names 0, but torch sees none here"),
    ],
)  # fmt: skip
def test_a_gpu_that_is_not_here_is_refused_before_any_cell_starts(monkeypatch, here, named, wrong):
    monkeypatch.setattr(local, "gpus_here", lambda: here)
    if wrong:
        with pytest.raises(StudyError, match=wrong):
            local.gpus_of(named)
    else:
        assert local.gpus_of(named) == (named or here)


def test_a_cell_that_was_given_a_gpu_does_not_train_on_the_processor(monkeypatch):
    monkeypatch.delenv(DEVICE, raising=False)
    assert Work(CELL, "1")._device() == {"CUDA_VISIBLE_DEVICES": "1", DEVICE: "cuda"}
    assert Work(CELL, None)._device() == {}
    from study.runtime import devices

    assert devices.VARIABLE == DEVICE


def test_a_containers_quota_counts(tmp_path, monkeypatch):
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    real = machine.processors
    monkeypatch.setattr(machine, "processors", lambda: real(tmp_path))
    assert local.slots(None, []) == [None]


def ended(executor, job):
    end = time.monotonic() + 60
    while not job.ended:
        assert time.monotonic() < end
        executor.look([job])
        time.sleep(0.02)
    return job.code


@pytest.fixture
def on_this_machine(tmp_path, monkeypatch):
    """An executor of one slot; its worker is a script that a test writes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "submitit", None)  # it is for Slurm alone
    paths.FOLDER.mkdir(parents=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "worker"))

    def job(script):
        (tmp_path / "worker").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "worker").chmod(0o755)
        return executor.submit([CELL])[0]

    executor = local.Local([None])
    return executor, job


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 0", 0),
        (f"exit {FAILED}", FAILED),
        ("exit 143", None),  # stopped
        ("kill -9 $$", None),
        ("echo no module; exit 1", None),  # the worker itself could not work
    ],
)
def test_a_job_ends_as_its_worker_does(on_this_machine, script, code):
    executor, job = on_this_machine
    begun = job(script)
    assert executor.room() == 0
    assert ended(executor, begun) == code
    assert executor.room() == 1
    assert ("no module" in begun.output.read_text()) == ("no module" in script)


def test_a_job_is_stopped_by_its_driver_alone(on_this_machine):
    executor, job = on_this_machine
    begun = job("sleep 60")
    assert os.getsid(int(begun.name)) != os.getsid(0)  # where Ctrl-C and a closed terminal do not reach it
    assert executor.stop([begun], [CELL])
    assert ended(executor, begun) is None


def test_where_a_second_job_cannot_start_the_first_is_stopped(on_this_machine, monkeypatch):
    """Its driver ends with the error, and knows neither."""
    on_this_machine[1]("exec sleep 60")  # writes the worker
    executor, started = local.Local([None, None]), []
    begin = executor._submit
    monkeypatch.setattr(executor, "_submit", lambda cell: started.append(begin(cell)) or started[-1])
    second = Cell("digits", "cnn", 0.5, 0)
    paths.log(second).mkdir()
    with pytest.raises(IsADirectoryError):
        executor.submit([CELL, second])
    assert ended(executor, started[0]) is None


def test_a_worker_says_by_its_end_whether_the_cell_failed(tmp_path):
    """In a folder that is no project: dvc's repro fails there."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "study").symlink_to(Path(local.__file__).parents[1])
    for line, code in (("raise SystemExit(1)", FAILED), ("", 0)):
        (tmp_path / "tools/repro.py").write_text(line)
        done = subprocess.run([sys.executable, "-m", "study.fanout.worker", str(CELL)], cwd=tmp_path, check=False)
        assert done.returncode == code


FEDERATION = (
    "CLUSTER: north\n12_0|RUNNING|n1\n12_1|PENDING|(Priority)\n\nCLUSTER: south\n7|RUNNING|s1|with a bar\nslurm_load: no\n"
)


def test_the_queue_of_a_federation_is_read():
    found = slurm.queued(FEDERATION)
    assert found == {"12_0": ("RUNNING", "n1"), "12_1": ("PENDING", "(Priority)"), "7": ("RUNNING", "s1|with a bar")}


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Slurm's commands as scripts; what they say is set by a test."""

    def says(**commands):
        for name, script in commands.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)

    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    says(sbatch="true", srun="true", squeue="true", scancel="true", scontrol="echo 'MaxArraySize            = 4'")
    return says


def test_without_submitit_it_says_how_to_get_it(cluster, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)  # importing it fails
    with pytest.raises(StudyError, match=r"pip install -r requirements-scale\.txt"):
        slurm.Slurm(None, {})


def test_arrays_are_no_larger_than_the_cluster_takes(cluster, tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.chdir(tmp_path)
    executor = slurm.Slurm(None, {})
    assert executor.room() == 3  # the largest index is 3, so that array has 0, 1 and 2
    cluster(scontrol="exit 1")
    assert slurm.largest_array() == 1000


def test_a_limit_of_jobs_holds_over_several_arrays(cluster, tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.chdir(tmp_path)
    executor = slurm.Slurm(2, {})
    executor._open = 1
    assert executor.room() == 1
    executor._open = 3
    assert executor.room() == 0


def test_jobs_do_not_inherit_the_job_that_calls_the_fan_out(monkeypatch):
    inside = {"SLURM_JOB_ID": "1", "SLURM_ARRAY_TASK_ID": "5", "SLURM_MEM_PER_CPU": "100", "CUDA_VISIBLE_DEVICES": "3"}
    for name, value in {**inside, "SLURM_CONF": "/etc/slurm.conf", "SBATCH_ACCOUNT": "mine"}.items():
        monkeypatch.setenv(name, value)
    with slurm._outside_of_a_job():
        seen = subprocess.run(["env"], capture_output=True, text=True).stdout
        assert not any(f"{name}=" in seen for name in inside)
        assert "SLURM_CONF=/etc/slurm.conf" in seen and "SBATCH_ACCOUNT=mine" in seen
    assert {name: os.environ[name] for name in inside} == inside
    monkeypatch.delenv("SLURM_JOB_ID")
    with slurm._outside_of_a_job():
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "3"  # no job: the user's own wish


@pytest.mark.parametrize(
    ("text", "value"),
    [("False", False), ("true", True), ("8", 8), ("0", 0), ("gpu", "gpu"), ("falsely", "falsely"), ("007", "007")],
)
def test_numbers_and_words_for_true_and_false_are_such_and_names_stay_as_they_are(text, value):
    made = slurm.parameters(None, {"use_srun": text}, ["use_srun", "time", "gpus_per_node"])
    assert made["use_srun"] == value and type(made["use_srun"]) is type(value)
