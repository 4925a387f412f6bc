"""One write of dvc.lock for many stages: the same lock and cache as DVC's, and nothing lost or taken for done in between."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from clones import ran

from benchmarks.stubbed import STUB, Stubbed
from study.base.errors import StudyError
from study.pipeline import lockfile


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A grid of four cells with stubs for stages, made by dvc repro."""
    study = Stubbed(tmp_path_factory.mktemp("plain") / "study", 4)
    study.run("dvc", "repro")
    return study


@pytest.fixture
def study(tmp_path, monkeypatch):
    """The same grid, nothing run yet; the current directory."""
    study = Stubbed(tmp_path / "study", 4)
    monkeypatch.chdir(study.folder)
    monkeypatch.setenv("PATH", study.path)
    return study


def in_cache(study):
    cache = study.folder / ".dvc/cache"
    return {path.relative_to(cache) for path in cache.rglob("*") if path.is_file()}


def of(cells):
    return [f"{stage}@{cell}" for stage in ("train", "evaluate") for cell in cells]


def test_lock_and_cache_are_what_dvc_makes_in_fewer_writes(study, plain, monkeypatch):
    written = []
    write = lockfile.atomic.write
    monkeypatch.setattr(lockfile.atomic, "write", lambda path, content: (written.append(path), write(path, content)))
    monkeypatch.setattr(lockfile, "SHARE", 1e-9)
    assert len(lockfile.reproduce()) == len(study.commands)
    assert len(written) == 2  # the first stage, and the report with all before it
    assert study.read_lock() == plain.read_lock()
    assert in_cache(study) == in_cache(plain)
    assert lockfile.reproduce() == [] and len(written) == 2


def test_what_workers_ran_is_recorded_at_once_and_only_that(study):
    lockfile.reproduce()
    study.params["train"]["epochs"] += 1
    study.write_params()
    before = study.read_lock()
    *done, missing = study.cells
    for cell in done:
        lockfile.run([f"train@{cell}", f"evaluate@{cell}"])
    assert study.read_lock() == before
    assert set(lockfile.record(of(study.cells))) == set(of([missing]))
    assert ran(study.run("dvc", "repro")) == {*of([missing]), "aggregate@stub"}


def test_killed_before_the_lock_was_written_runs_nothing_twice(study):
    lockfile.run([command.replace(" ", "@", 1).replace(" ", "-") for command in study.commands[:-1]])
    assert not (study.folder / "dvc.lock").exists()
    assert ran(study.run("dvc", "repro")) == {"aggregate@stub"}


def test_a_failed_stage_leaves_what_finished_before_it_recorded(study, monkeypatch):
    monkeypatch.setattr(lockfile, "SHARE", 1e-9)
    stub = study.folder / ".stub/python"
    stub.write_text(stub.read_text().replace("stages.evaluate)", "stages.evaluate) exit 1;;\nnever)"))
    with pytest.raises(Exception, match="evaluate@"):
        lockfile.reproduce()
    recorded = yaml.safe_load(study.read_lock())["stages"]
    assert f"train@{study.cells[0]}" in recorded and not [name for name in recorded if name.startswith("evaluate")]


def test_unknown_stage_is_named(study):
    with pytest.raises(StudyError, match="train@nothing is no stage"):
        lockfile.record(["train@nothing"])


def test_a_worker_leaves_alone_what_is_up_to_date_though_the_run_cache_does_not_know_it(study):
    """As after dvc pull, which brings no records of runs."""
    lockfile.reproduce()
    shutil.rmtree(study.folder / ".dvc/cache/runs")
    (study.folder / "study/results/predictions.py").write_text("# evaluate's code\n")
    (study.folder / ".stub/python").write_text(STUB.replace("stages.train)", "stages.train) exit 1;;\nnever)"))
    first, second, *_ = study.cells
    shutil.rmtree(study.folder / f"data/runs/{second}")
    for cell in (first, second):
        lockfile.run([f"train@{cell}", f"evaluate@{cell}"])
    assert lockfile.record(of([first, second])) == []


def test_what_another_process_is_running_is_left_for_later(study):
    lockfile.reproduce()
    study.params["train"]["epochs"] += 1
    study.write_params()
    done, running, *_ = study.cells
    lockfile.run([f"train@{done}", f"evaluate@{done}"])
    (study.folder / ".stub/python").write_text(STUB.replace("stages.train)", "stages.train) touch on; sleep 60;"))
    code = f"from study.pipeline import lockfile; lockfile.run(['train@{running}'])"
    worker = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    try:
        while not Path("on").exists():
            assert worker.poll() is None
            time.sleep(0.05)
        assert lockfile.record(of([done, running])) == [f"train@{running}", f"evaluate@{running}"]
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
