"""A git worktree with an empty DVC cache says so, and how it shares the main one's; every other place says nothing."""

import shlex
import subprocess

import pytest
from clones import commit

from study.runtime import worktree


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    main = tmp_path / "main"
    (main / ".dvc" / "cache" / "files").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(main)], check=True)
    commit(main, "as it is")
    subprocess.run(["git", "-C", str(main), "worktree", "add", "-q", str(tmp_path / "tree")], check=True)
    (tmp_path / "tree" / ".dvc").mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path / "tree")
    return tmp_path


def test_a_worktree_with_an_empty_cache_says_how_to_share_one(tree):
    said = worktree.advice()
    assert said and f"dvc cache dir --local {tree / 'main/.dvc/cache'} shares that cache" in said


@pytest.mark.parametrize("name", ["my main", "größe", "o'brien"])
def test_its_command_can_be_pasted_whatever_the_folder_is_called(tree, name):
    main = (tree / "main").rename(tree / name)
    (tree / "tree/.git").write_text(f"gitdir: {main}/.git/worktrees/tree\n")
    command = worktree.advice().partition("here; ")[2].removesuffix(" shares that cache.")
    assert shlex.split(command) == ["dvc", "cache", "dir", "--local", f"{main}/.dvc/cache"]


def test_a_worktree_that_git_knows_by_a_relative_path(tree, monkeypatch):
    (tree / "tree/.git").write_text("gitdir: ../main/.git/worktrees/tree\n")
    monkeypatch.chdir(tree / "main")
    monkeypatch.setenv("DVC_ROOT", str(tree / "tree"))
    assert f"--local {tree}/tree/../main/.dvc/cache shares" in worktree.advice()


@pytest.mark.parametrize("place", [".dvc/config", ".dvc/config.local", "../config/dvc/config"])
def test_with_a_cache_of_its_own_or_in_a_clone_it_says_nothing(tree, monkeypatch, place):
    path = tree / "tree" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[cache]\n    dir = /somewhere\n")
    assert worktree.advice() is None
    path.write_text("[broken\n")
    assert worktree.advice() is not None
    monkeypatch.chdir(tree / "main")
    assert worktree.advice() is None
