"""A detached HEAD that a killed `dvc exp run` left is said, with the way back; one of the user's own is not."""

import subprocess

import pytest
from clones import commit

from study.runtime import detached


def git(*arguments):
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A repository on the branch `work`, as the working directory."""
    subprocess.run(["git", "init", "-q", "-b", "work", str(tmp_path)], check=True)
    commit(tmp_path, "as it is")
    monkeypatch.chdir(tmp_path)


def test_what_a_killed_experiment_left_is_said_until_git_is_back_on_a_branch(clone):
    git("update-ref", "refs/exps/exec/EXEC_BASELINE", "HEAD")
    assert detached.advice() is None
    git("checkout", "-q", "--detach")
    said = detached.advice()
    assert said and "git checkout work leads back" in said
    git("checkout", "-q", "work")
    assert detached.advice() is None


def test_a_commit_that_the_user_looks_at_is_none(clone):
    git("checkout", "-q", "--detach")
    assert detached.advice() is None


def test_without_git_nothing_is_said(clone, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert detached.advice() is None
