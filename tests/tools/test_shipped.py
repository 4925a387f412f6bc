"""What ships arrives whole: every file that dvc.lock lists is held against its md5, since DVC keeps silent on what it loses."""

import hashlib
import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from clones import ran, set_params, sh, working_tree

from study.base.errors import StudyError
from tools import shipped

REMOTE = Path(".dvc/shipped/files/md5")
ABSENT = "digits-vit_glyphs-1.0-0"  # a cell that was not tested yet
KINDS = ("split@digits", "train@digits", "evaluate@digits")


@pytest.fixture(scope="module")
def project(root, tmp_path_factory):
    """A fresh clone in which the small study is chosen."""
    clone = working_tree(root, tmp_path_factory.mktemp("shipped") / "clone", shipped=True)
    models = "study.models=[cnn_scratch,cnn_glyphs,vit_scratch,vit_glyphs]"
    set_params(clone, "study.name=digits", "study.seeds=[0]", "study.datasets=[digits,digits100]", models)
    lock = yaml.load((clone / "dvc.lock").read_text(), yaml.CSafeLoader)
    del lock["stages"][f"evaluate@{ABSENT}"]
    (clone / "dvc.lock").write_text(yaml.dump(lock, Dumper=yaml.CSafeDumper))
    return clone


@pytest.fixture
def run(project, monkeypatch):
    """Runs the tool in the clone, with nothing pulled yet; returns how it would make the report."""
    reports = []
    monkeypatch.chdir(project)
    monkeypatch.setattr(shipped, "rebuild", lambda grid, whole: reports.append((grid.name, whole)))
    for folder in ("data/splits", "data/history", "data/predictions", ".dvc/cache"):
        shutil.rmtree(folder, ignore_errors=True)

    def run(way):
        monkeypatch.setattr(sys, "argv", ["shipped", way])
        shipped.main()
        return reports

    return run


def listed():
    """Path and md5 of each file of the study's tested cells, from dvc.lock and the lists of folders that it names."""
    lock = yaml.load(Path("dvc.lock").read_text(), yaml.CSafeLoader)["stages"]
    outs = [out for name in lock if name.startswith(KINDS) and ABSENT not in name for out in lock[name]["outs"]]
    for out in outs:
        if not out["path"].startswith("data/runs/"):
            for file in json.loads((REMOTE / out["md5"][:2] / out["md5"][2:]).read_bytes()):
                yield Path(out["path"]) / file["relpath"], file["md5"]


def test_all_files_that_dvc_lock_lists_arrive_and_no_others(run, capsys):
    assert run("pull") == [("digits", False)]
    here = {
        path: hashlib.md5(path.read_bytes()).hexdigest()
        for kind in ("splits", "history", "predictions")
        for path in Path("data", kind).rglob("*")
        if path.is_file()
    }
    assert here == dict(listed()) and len(here) > 31 * 4
    assert "of 31 of 32 cells of study digits" in capsys.readouterr().out


def test_dvc_does_not_read_dvc_lock_anew_for_each_target(run, monkeypatch):
    """That took a minute and a half for the study of 32 cells."""
    from dvc.dvcfile import Lockfile

    from study.pipeline import process

    monkeypatch.setattr(Lockfile, "_load", None)
    monkeypatch.setattr(process, "run", None)
    run("pull")


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"{}")], ids=["missing", "damaged"])
def test_a_file_that_does_not_arrive_is_named_and_nothing_is_put_into_the_workspace(run, harm):
    path, md5 = next((path, md5) for path, md5 in listed() if path.name == "metrics.json")
    stored = REMOTE / md5[:2] / md5[2:]
    kept = stored.read_bytes()
    stored.chmod(0o644)
    harm(stored)
    try:
        with pytest.raises(StudyError, match=f"{path} is not in shipped, or damaged there"):
            run("pull")
    finally:
        stored.write_bytes(kept)
    assert not Path("data/predictions").exists() and not Path("data/splits").exists()


def test_push_adds_all_files_and_refuses_what_the_cache_lacks(run):
    before = {path: path.read_bytes() for path in REMOTE.rglob("*") if path.is_file()}
    files = dict(listed())
    run("pull")
    shutil.rmtree(REMOTE)
    try:
        run("push")
        assert all((REMOTE / md5[:2] / md5[2:]).is_file() for md5 in files.values())
        assert all(before[path] == path.read_bytes() for path in REMOTE.rglob("*") if path.is_file())
        path, md5 = next(iter(files.items()))
        Path(".dvc/cache/files/md5", md5[:2], md5[2:]).unlink()
        shutil.rmtree(REMOTE)
        with pytest.raises(StudyError, match=f"{path} is not in the cache"):
            run("push")
    finally:
        for path, content in before.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def test_after_pull_an_experiment_moves_the_operating_point_and_trains_nothing(root, tmp_path):
    """DVC looks for the images of a dataset in the list of its files, though --allow-missing does without them."""
    clone = working_tree(root, tmp_path / "clone", shipped=True)
    sh(clone, sys.executable, "-m", "tools.study", "digits")
    sh(clone, sys.executable, "-m", "tools.shipped", "pull")
    printed = sh(clone, "dvc", "exp", "run", "--allow-missing", "-S", "fraction=0.2")
    assert ran(printed) == {"aggregate@digits"}


def test_a_clone_that_git_refuses_has_its_report_and_is_told_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # no repository, as one of another user is to git
    monkeypatch.setattr(shipped.process, "run", lambda command: 0)
    with pytest.raises(
        StudyError, match=r"reports/x is made, but git cannot tell whether it is what is committed \(fatal: not"
    ):
        shipped.rebuild(SimpleNamespace(name="x", ladder=(1.0,)), whole=True)


def test_a_list_of_files_that_leads_out_of_its_folder_writes_nothing(run):
    """Its md5 is right, and dvc.lock names it: a branch of somebody else may have both."""
    lock = yaml.load(Path("dvc.lock").read_text(), yaml.CSafeLoader)
    out = lock["stages"]["evaluate@digits-cnn_scratch-0.1-0"]["outs"][0]
    listing = json.loads((REMOTE / out["md5"][:2] / out["md5"][2:]).read_bytes())
    content = json.dumps([*listing, {"md5": listing[0]["md5"], "relpath": "../../../stages/owned.py"}]).encode()
    md5 = f"{hashlib.md5(content).hexdigest()}.dir"
    (REMOTE / md5[:2]).mkdir(exist_ok=True)
    (REMOTE / md5[:2] / md5[2:]).write_bytes(content)
    before, known = Path("dvc.lock").read_text(), out["md5"]
    try:
        Path("dvc.lock").write_text(before.replace(known, md5))
        with pytest.raises(StudyError, match=r"has \.\./\.\./\.\./stages/owned\.py, which lies outside it; do not use it"):
            run("pull")
        assert not Path("stages/owned.py").exists() and not Path("data/predictions").exists()
    finally:
        Path("dvc.lock").write_text(before)
        (REMOTE / md5[:2] / md5[2:]).unlink()
