"""The entry of a stage that ran takes its place in dvc.lock: the same lock and cache as DVC's, and nothing lost or taken for done."""

import copy
import shutil
import subprocess
from contextlib import contextmanager

import dvc.utils.serialize
import pytest
import yaml
from clones import ran

from benchmarks.stubbed import OURS, STUB, Stubbed
from study.away import run_cache
from study.base import yaml12
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


def of(cell):
    return [f"train@{cell}", f"evaluate@{cell}"]


def changed(study):
    """Another recipe: every training is stale."""
    study.params["train"]["epochs"] += 1
    study.write_params()


def parses_nothing(*_):
    raise AssertionError("the whole of dvc.lock was parsed")


def test_lock_and_cache_are_what_dvc_makes_without_parsing_the_whole(study, plain, monkeypatch):
    monkeypatch.setattr(dvc.utils.serialize, "parse_yaml_for_update", parses_nothing)
    assert len(lockfile.reproduce()) == len(study.commands)
    assert study.read_lock() == plain.read_lock()
    assert in_cache(study) == in_cache(plain)
    assert lockfile.reproduce() == []


def test_stages_alone_are_recorded_as_dvc_records_them(study, plain, tmp_path, monkeypatch):
    lockfile.reproduce()
    changed(study)
    by_dvc = copy.copy(study)
    by_dvc.folder = shutil.copytree(study.folder, tmp_path / "by_dvc")
    monkeypatch.setattr(dvc.utils.serialize, "parse_yaml_for_update", parses_nothing)
    *done, missing = study.cells
    for cell in done:
        assert lockfile.reproduce_alone(of(cell)) == of(cell)
        by_dvc.run("dvc", "repro", "--single-item", *of(cell))
    assert lockfile.reproduce_alone(of(done[0])) == []
    assert study.read_lock() == by_dvc.read_lock() != plain.read_lock()
    assert in_cache(study) == in_cache(by_dvc)
    assert ran(study.run("dvc", "repro")) == {*of(missing), "aggregate@stub"}


def test_killed_before_the_lock_was_written_runs_nothing_twice(study, monkeypatch):
    monkeypatch.setattr(lockfile, "record", lambda entry: None)
    lockfile.reproduce_alone([command.replace(" ", "@", 1).replace(" ", "-") for command in study.commands[:-1]])
    assert not (study.folder / "dvc.lock").exists()
    assert ran(study.run("dvc", "repro")) == {"aggregate@stub"}


def test_workers_at_once_record_all_that_they_ran(study):
    lockfile.reproduce(["download", "weights", "split"])
    workers = [subprocess.Popen([*OURS, *of(cell)]) for cell in study.cells]
    assert [worker.wait() for worker in workers] == [0] * len(study.cells)
    assert ran(study.run("dvc", "repro")) == {"aggregate@stub"}


def test_a_failed_stage_leaves_what_finished_before_it_recorded(study):
    stub = study.folder / ".stub/python"
    stub.write_text(stub.read_text().replace("stages.evaluate)", "stages.evaluate) exit 1;;\nnever)"))
    with pytest.raises(StudyError, match="evaluate@"):
        lockfile.reproduce()
    recorded = yaml.safe_load(study.read_lock())["stages"]
    assert f"train@{study.cells[0]}" in recorded and not [name for name in recorded if name.startswith("evaluate")]


def test_unknown_stage_is_named(study):
    with pytest.raises(StudyError, match="'train@nothing' not found"):
        lockfile.reproduce_alone(["train@nothing"])


def test_a_worker_leaves_alone_what_is_up_to_date_though_the_run_cache_does_not_know_it(study):
    """As after dvc pull, which brings no records of runs."""
    lockfile.reproduce()
    shutil.rmtree(study.folder / ".dvc/cache/runs")
    (study.folder / "study/results/predictions.py").write_text("# evaluate's code\n")
    (study.folder / ".stub/python").write_text(STUB.replace("stages.train)", "stages.train) exit 1;;\nnever)"))
    first, second, *_ = study.cells
    shutil.rmtree(study.folder / f"data/runs/{second}")
    assert lockfile.reproduce_alone(of(first)) == [f"evaluate@{first}"]
    assert lockfile.reproduce_alone(of(second)) == of(second)


def test_what_another_process_records_while_this_one_waits_is_not_run_again(study, monkeypatch):
    cell = study.cells[0]
    lockfile.reproduce()
    recorded, locked = study.read_lock(), lockfile.repository

    @contextmanager
    def waiting():
        with locked() as repo:
            (study.folder / "dvc.lock").write_text(recorded)
            yield repo

    (study.folder / "dvc.lock").unlink()
    monkeypatch.setattr(lockfile, "repository", waiting)
    assert lockfile.reproduce_alone(of(cell)) == []


def test_a_lock_that_somebody_edited_keeps_what_was_written_into_it(study):
    lockfile.reproduce()
    changed(study)
    lock = study.folder / "dvc.lock"
    lock.write_text(study.read_lock().replace("stages:\n", "stages:\n  # of the old machine\n", 1))
    first, *others = study.cells
    assert lockfile.reproduce_alone(of(first)) == of(first)
    assert study.read_lock().startswith("schema: '2.0'\nstages:\n  # of the old machine\n")
    assert ran(study.run("dvc", "repro")) == {*(name for cell in others for name in of(cell)), "aggregate@stub"}


@pytest.mark.parametrize("edited", [False, True])
def test_entries_are_set_and_taken_away_as_dvc_would_write_them(study, monkeypatch, edited):
    lockfile.reproduce()
    lock = study.folder / "dvc.lock"
    if edited:
        lock.write_text(study.read_lock().replace("stages:\n", "stages:\n  # of the old machine\n", 1))
    before, (first, second, *_) = study.read_lock(), study.cells
    entry = yaml12.load_lock(before)["stages"][f"train@{first}"]
    with dvc.utils.serialize.modify_yaml("dvc.lock") as content:
        content["stages"][f"train@{first}"] = entry | {"cmd": "another"}
        del content["stages"][f"evaluate@{second}"]
    by_dvc = study.read_lock()
    lock.write_text(before)
    with lockfile.repository():
        lockfile.record({f"train@{first}": entry | {"cmd": "another"}, f"evaluate@{second}": None, "never@was": None})
    assert study.read_lock() == by_dvc != before
    if not edited:  # ruamel writes no YAML where all that is left of a mapping is a comment
        with lockfile.repository():
            lockfile.record(dict.fromkeys(yaml12.load_lock(by_dvc)["stages"]))
        assert yaml12.load_lock(study.read_lock()) == {"schema": "2.0", "stages": {}}


def test_a_stop_while_the_lock_is_written_leaves_it_whole(study, monkeypatch):
    lockfile.reproduce()
    before = study.read_lock()

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("dvc.utils.serialize._yaml._dump", stopped)
    with pytest.raises(KeyboardInterrupt):
        run_cache.write({f"train@{study.cells[0]}": {"cmd": "another", "outs": []}})
    assert study.read_lock() == before


def test_a_torn_lock_is_said_before_anything_runs(study):
    lockfile.reproduce()
    changed(study)
    (study.folder / "dvc.lock").write_text(study.read_lock()[:-40])
    with pytest.raises(StudyError, match=r"dvc\.lock cannot be read"):
        lockfile.reproduce_alone(of(study.cells[0]))
