"""`python -m tools.away`: workers that share a remote alone, and a head that collects; stages are stubs of milliseconds.

With real training, over SSH and with workers that die: trials/away.py.
"""

import os
import re
import shutil
import sys
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import pytest
from clones import commit, copy, ran, set_params, sh, working_tree

from study.away import remote, run_cache
from study.base import yaml12
from study.base.errors import StudyError
from study.design.cells import Cell
from study.pipeline.standing import Pipeline
from study.settings.grid import Grid
from study.settings.params import Params
from tools import away

SCRATCH, GLYPHS = CELLS = Cell("digits", "cnn_scratch", 1.0, 0), Cell("digits", "cnn_glyphs", 1.0, 0)
STUB = """
import json, os, sys
from pathlib import Path

stage, arguments, key = Path(__file__).stem, sys.argv[1:], "-".join(sys.argv[1:])
def put(folder, name, text):
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / name).write_text(text)

if stage == "download":
    for name in ("train_images.npy", "train_labels.npy", "test_images.npy", "test_labels.npy", "classes.json"):
        put(f"data/raw/{key}", name, key)
if stage == "weights":
    put(f"data/weights/{key}", "card.json", key)
if stage == "split":
    put("data/splits/" + "/".join(arguments), "train.npy", key)
if stage == "train":
    if key == os.environ.get("FAILS"):
        sys.exit("error: the loss is NaN")
    put(f"data/runs/{key}", "checkpoint.safetensors", key + os.environ.get("HARDWARE", ""))
    put(f"data/history/{key}", "provenance.json", os.getcwd())
if stage == "evaluate":
    put(f"data/predictions/{key}", "metrics.json", Path(f"data/runs/{key}/checkpoint.safetensors").read_text())
if stage == "aggregate":
    put(f"reports/{arguments[0]}", "summary.json", "{}")
"""


@pytest.fixture(scope="module")
def project(root, tmp_path_factory):
    """A study of two cells, at a commit of its own; dvc.lock is empty."""
    clone = working_tree(root, tmp_path_factory.mktemp("project") / "clone")
    (clone / "dvc.lock").unlink()
    for stage in ("download", "weights", "split", "train", "evaluate", "aggregate"):
        (clone / f"stages/{stage}.py").write_text(STUB)
    pipeline = (clone / "dvc.yaml").read_text()
    (clone / "dvc.yaml").write_text(pipeline.replace("1.0, 0.5, 0.2, 0.1]", "1.0]").replace("1.0,0.5,0.2,0.1", "1.0"))
    set_params(
        clone, "study.seeds=[0]", "study.name=digits", "study.datasets=[digits]", "study.models=[cnn_scratch,cnn_glyphs]"
    )
    commit(clone, "two cells")
    return clone


@pytest.fixture(scope="module")
def shared(project, tmp_path_factory):
    """What two workers and a head did by one remote; the first worker fails at one of the two cells."""
    folder = tmp_path_factory.mktemp("shared")
    store, at = folder / "store", sh(project, "git", "rev-parse", "HEAD").strip()
    first, second, head = (clone_of(project, folder, name, store) for name in ("first", "second", "head"))
    outputs = [
        run(first, "work", "--at", at, *map(str, CELLS), FAILS=str(GLYPHS), fails=True),
        run(head, "collect", fails=True),
        run(second, "work", "--at", at[:10], "--share", "1/1", HARDWARE="B"),
        run(head, "collect"),
        sh(head, "dvc", "repro"),
    ]
    return SimpleNamespace(store=store, head=head, outputs=outputs)


@pytest.fixture
def clone(project, tmp_path, monkeypatch):
    """A clone that has run nothing, as the working directory."""
    monkeypatch.chdir(clone_of(project, tmp_path, "clone", tmp_path / "store"))
    return Path.cwd()


def clone_of(project, folder, name, store):
    sh(folder, "git", "clone", "-q", str(project), name)
    configure(folder / name, url=store, verify="true")
    return folder / name


def configure(clone, file="config.local", **options):
    """As `dvc remote add --default store` and `dvc remote modify store` do."""
    lines = [f"    {name} = {value}" for name, value in options.items()]
    (clone / ".dvc" / file).write_text("\n".join(["[core]", "    remote = store", "['remote \"store\"']", *lines, ""]))


def run(clone, *arguments, fails=False, **env):
    """With the environment of this interpreter not activated: neither its dvc nor its python is on the path."""
    return sh(clone, sys.executable, "-m", "tools.away", *arguments, fails=fails, PATH=os.defpath, **env)


def trains(output):
    return {stage for stage in ran(output) if stage.startswith("train@")}


def found(clone, runs):
    with Pipeline({}) as pipeline:
        return run_cache.find(pipeline, {}, runs)


def test_shares_cover_the_grid_once_and_each_gets_big_and_small_fractions(root, monkeypatch):
    monkeypatch.chdir(root)
    grid = Grid.load(Params.load())
    for parts in (1, 2, 3, 4, 5):
        shares = [away.share(grid, part, parts) for part in range(1, parts + 1)]
        assert sorted(chain.from_iterable(shares)) == sorted(grid.cells())
        sizes = [sum(cell.fraction for cell in each) for each in shares]
        assert max(sizes) - min(sizes) <= 1.0


def test_what_fails_is_named_what_is_finished_is_not_trained_again_and_the_head_trains_nothing(shared):
    first, early, second, late, again = shared.outputs
    assert trains(first) == {f"train@{cell}" for cell in CELLS} and f"error: {GLYPHS} failed, see above" in first
    assert not ran(early) and "1 of 2 cells are here" in early and f"error: missing: {GLYPHS};" in early
    assert trains(second) == {f"train@{GLYPHS}"}
    assert ran(late) == {"aggregate@digits"} and "2 of 2 cells are here" in late
    assert ran(again) == set()
    texts = {path.parent.name: path.read_text() for path in shared.head.glob("data/runs/*/checkpoint.safetensors")}
    assert texts == {str(SCRATCH): str(SCRATCH), str(GLYPHS): f"{GLYPHS}B"}


def test_damage_on_the_remote_is_named_and_taken_by_nobody(shared, clone):
    """A byte of a file, which DVC's verify refuses; and a listing of a folder, which it believes."""
    store = copy(shared.store, clone.parent / "damaged")
    configure(clone, url=store, verify="true")
    lock = yaml12.load((shared.head / "dvc.lock").read_text())["stages"]
    listings = [
        store / "files/md5" / md5[:2] / md5[2:] for md5 in (lock[f"evaluate@{cell}"]["outs"][0]["md5"] for cell in CELLS)
    ]
    md5 = re.search(r'"md5": "(\w+)"', listings[0].read_text())[1]
    for path, old, new in (
        (store / "files/md5" / md5[:2] / md5[2:], "digits", "digitz"),
        (listings[1], "metrics.json", "metricz.json"),
    ):
        path.chmod(0o644)
        path.write_text(path.read_text().replace(old, new))
    output = run(clone, "collect", fails=True)
    for cell in CELLS:
        assert f"evaluate@{cell}: data/predictions/{cell} is not on store" in output
        assert f"evaluate@{cell}" not in (clone / "dvc.lock").read_text()
    assert "0 of 2 cells are here" in output and not ran(output) and not (clone / "data/predictions").exists()


def test_a_collect_that_is_stopped_records_nothing_whose_files_did_not_arrive(shared, clone, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    shutil.copytree(shared.store / "runs", clone / ".dvc/cache/runs")
    monkeypatch.setattr(away, "_with_records", lambda *_: True)
    monkeypatch.setattr(away.outputs, "fetch", stopped)
    with pytest.raises(KeyboardInterrupt):
        away.fetched(Grid.load(Params.load()), "store")
    assert not Path("dvc.lock").exists() or "train@" not in Path("dvc.lock").read_text()


def test_a_half_sent_record_is_no_record(shared, clone):
    runs = copy(shared.store / "runs", clone.parent / "runs")
    (record,) = [path for path in runs.glob("*/*/*") if f"stages.train {SCRATCH}\n" in path.read_text()]
    assert f"train@{SCRATCH}" in found(clone, runs).entries
    record.write_text(record.read_text().replace("batch_size: 64", "batch_size: 63"))
    assert f"train@{SCRATCH}" not in found(clone, runs).entries


def test_records_of_other_parameters_do_not_fit(shared, clone):
    set_params(clone, "+models.cnn_glyphs.recipe.epochs=3")
    entries = found(clone, shared.store / "runs").entries
    assert f"evaluate@{SCRATCH}" in entries and "weights@cnn_glyphs" in entries
    assert not {f"train@{GLYPHS}", f"evaluate@{GLYPHS}"} & entries.keys()


def test_of_two_results_for_one_cell_the_newest_counts_and_it_is_said(shared, clone):
    runs = clone / ".dvc/cache/runs"
    shutil.copytree(shared.store / "runs", runs)
    sh(clone, "dvc", "repro", f"train@{SCRATCH}", "--no-run-cache", HARDWARE="B")
    both = found(clone, runs)
    assert both.twice == {SCRATCH: False}
    newest = yaml12.load((clone / "dvc.lock").read_text())["stages"][f"train@{SCRATCH}"]
    assert both.entries[f"train@{SCRATCH}"] == newest
    assert f"evaluate@{SCRATCH}" not in both.entries  # that one was made of the other checkpoint


def test_what_a_worker_refuses_before_it_trains(clone):
    here = sh(clone, "git", "rev-parse", "HEAD")[:6]
    wrong = {"0123456789": "this clone is at commit", "HEAD": "not at the head's HEAD", here: f"--at {here} is too short"}
    for at, sentence in wrong.items():
        with pytest.raises(StudyError, match=sentence):
            away.work([SCRATCH], at)
    with pytest.raises(StudyError, match=r"digits-cnn_scratch-0\.7-0 is no cell of study digits"):
        away.chosen(Grid.load(Params.load()), ["digits-cnn_scratch-0.7-0"])
    for path in ("params.yaml", "study/design/cells.py", "stages/new.py"):
        with (clone / path).open("a") as file:
            file.write("# edited\n")
        with pytest.raises(StudyError, match=f"{path} is not as in commit"):
            away.work([SCRATCH], sh(clone, "git", "rev-parse", "HEAD").strip())
        sh(clone, "git", "stash", "-q", "--include-untracked")


def test_a_password_in_the_address_is_not_said(clone, monkeypatch, capsys):
    """.dvc/config.local is the place for it; what a worker says goes into a log."""
    configure(clone, url="webdavs://me:secret@example.org", verify="true")
    monkeypatch.setattr(remote, "_try_writing", lambda *_: None)
    monkeypatch.setattr(away, "_dvc", lambda *_: False)
    with pytest.raises(StudyError, match="failed, see above"):
        away.work([SCRATCH], sh(clone, "git", "rev-parse", "HEAD").strip())
    said = capsys.readouterr().out
    assert "shared by the remote store" in said and "secret" not in said


def test_remotes_that_are_refused(clone):
    store = clone.parent / "store"
    remote.checked(writing=True)
    assert not [path for path in store.rglob("*") if path.is_file()]
    for sentence, options in {
        "does not verify": {"url": store},
        "cannot be written": {"url": "/proc/nowhere", "verify": "true"},
        "is http, which DVC only reads": {"url": "https://example.org/store", "verify": "true"},
    }.items():
        configure(clone, **options)
        with pytest.raises(StudyError, match=sentence):
            remote.checked(writing=True)
    (clone / ".dvc/config.local").unlink()
    with pytest.raises(StudyError, match="there is no default remote"):
        remote.checked(writing=True)
    for said, options in {
        "holds password of": {"url": "webdavs://example.org", "password": "secret"},
        "holds connection_string of": {"url": "azure://box/path", "connection_string": "AccountKey=x"},
        "has a password in the url of": {"url": "webdavs://me:secret@example.org"},
    }.items():
        configure(clone, "config", verify="true", **options)
        with pytest.raises(StudyError, match=f"which git tracks, {said} the remote store"):
            remote.checked(writing=True)
