"""What editors, file managers and killed stages leave in folders of code and data is nothing to DVC, git or a report."""

import os
import subprocess
import sys

import pytest
from clones import sh

from study.design import cells
from study.design.cells import Cell
from study.runtime import housekeeping, measured

LEFT = (
    "study/engine/.training.py.swp",
    "study/engine/training.py~",
    "study/engine/.#training.py",
    "study/engine/training.py.orig",
    "study/report/page.py.bak",
    "study/data/4913",
    "study/data/csv_file.py___jb_tmp___",
    "study/design/.recipe.py.kate-swp",
    "stages/.goutputstream-ABCDEF",
    "data/raw/digits/.DS_Store",
    "data/raw/digits/._train_labels.npy",
    "data/runs/digits-cnn-1.0-0/.nfs0000000000a1b2c300000001",
    "data/splits/digits/0.1/0/.fuse_hidden0000000100000001",
    "data/history/.directory",
    "data/history/.Trash-1000/files/history.csv",
    "data/history/Thumbs.db",
    "data/history/.digits-cnn-1.0-0.draft/history.csv",
    "data/predictions/.digits-cnn-1.0-0.former/metrics.json",
    "data/weights/.x.part",
    "stages/.ipynb_checkpoints/train.py",
)


def test_dvc_looks_past_them(root):
    assert sh(root, "dvc", "check-ignore", *LEFT).split() == list(LEFT)


@pytest.mark.parametrize("path", ["data/measured/.x.draft/a", "reports/.digits.former/README.md", "data/.x.json.part"])
def test_git_does_not_add_what_a_killed_stage_left(root, path):
    assert sh(root, "git", "check-ignore", path).strip() == path


def test_git_keeps_bytes_whatever_its_own_settings_say(root):
    """DVC knows files by their md5."""
    said = sh(root, "git", "check-attr", "text", "--", "dvc.lock", "study/engine/training.py", "data/reference/published.csv")
    assert said.count("text: unset") == 3


def test_they_are_no_cells(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cell = Cell("digits", "cnn", 1.0, 0)
    for place in (cells.history(cell), cells.predictions(cell), cells.measured(cell)):
        for name in (place.name, f".{place.name}.draft", ".ipynb_checkpoints"):
            place.with_name(name).mkdir(parents=True)
        place.with_name(".DS_Store").touch()
        place.with_name("Thumbs.db").touch()
    assert housekeeping.off_grid([cell]) == []
    assert measured.names() == [str(cell)]
    (cells.DATA / "history" / "stranger").mkdir()
    assert housekeeping.off_grid([cell]) == [cells.DATA / "history" / "stranger"]


def test_tests_commit_nothing_where_git_itself_calls_them(root, tmp_path):
    """As a hook, with GIT_DIR naming the user's repository."""
    sh(tmp_path, "git", "init", "--quiet")
    sh(tmp_path, "git", "commit", "--quiet", "--allow-empty", "-m", "mine")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "tests/tools/test_compare.py"]
    done = subprocess.run(
        command, cwd=root, env={**os.environ, "GIT_DIR": str(tmp_path / ".git")}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert sh(tmp_path, "git", "log", "--format=%s", "--all").split() == ["mine"]
