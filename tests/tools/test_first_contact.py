"""What a first run needs, said before anything is installed: one sentence for each thing that is missing."""

import shlex
import shutil
import subprocess
import sys
from collections import namedtuple

import pytest
from small_project import ROOT, environment

from tools import first_contact

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    subprocess.run(["git", "init", "--quiet"], check=True)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, 10**12))
    return tmp_path


def found(**options):
    return list(first_contact.problems(**options))


def test_nothing_is_said_where_nothing_is_missing():
    assert found() == []


def test_an_old_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert found() == ["Python 3.9 is too old; name a newer one: make PYTHON=python3.11 quickstart"]


def test_no_repository(project):
    shutil.rmtree(project / ".git")
    (sentence,) = found()
    assert "this is no git repository" in sentence


def test_a_repository_of_another_user(monkeypatch):
    done = subprocess.CompletedProcess([], 128, b"", b"fatal: detected dubious ownership in repository at '/x'")
    shell = subprocess.CompletedProcess([], 0, b"", b"")
    spoken = []

    def run(command, env=None, **_):
        spoken.extend([env["LC_ALL"]] if command[0] == "git" else [])
        return done if command[0] == "git" else shell

    monkeypatch.setattr(subprocess, "run", run)
    (sentence,) = found()
    assert spoken == ["C"]  # in another language it would not be understood
    assert "git config --global --add safe.directory" in sentence


def test_no_git(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert found() == ["git is not installed; DVC needs it"]


@pytest.mark.parametrize("shell", ["/bin/false", "/no/such/shell"])
def test_a_shell_that_is_none(shell):
    assert found(shell=shell) == [f"make's shell is {shell}, which is none like sh: make SHELL=/bin/sh quickstart"]


def test_a_full_disk_and_less_where_the_packages_are_installed(project, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(10**12, 0, 4 * 10**9))
    (sentence,) = found()
    assert sentence.startswith("4.0 GB are free here, and 9 are needed")
    (project / ".venv/bin").mkdir(parents=True)
    for name in ("python", "bin/python", "study"):
        (project / ".venv" / name).touch()
    assert found() == []


def test_an_environment_that_make_did_not_make(project):
    (project / ".venv/bin").mkdir(parents=True)
    (sentence,) = found()
    assert "this .venv was not made by make" in sentence
    (project / ".venv/begun").touch()  # make was stopped in the middle: it goes on
    assert found() == []


def test_a_clone_that_was_moved(project):
    (project / ".venv/bin").mkdir(parents=True)
    (project / ".venv/python").touch()
    (project / ".venv/bin/python").touch()
    for place, problems in ((project / ".venv", 0), (project / "elsewhere/.venv", 1)):
        (project / ".venv/bin/activate").write_text(f"VIRTUAL_ENV='{place}'\nexport VIRTUAL_ENV\n")
        assert len(found()) == problems


def test_an_environment_whose_python_is_gone_and_one_that_is_a_file(project):
    (project / ".venv/bin").mkdir(parents=True)
    (project / ".venv/python").touch()
    (project / ".venv/bin/python").symlink_to("/usr/bin/python3.999")
    assert found() == ["the Python that .venv was made with is gone; remove .venv, and make makes it anew"]
    shutil.rmtree(project / ".venv")
    (project / ".venv").touch()
    assert found() == [".venv is no folder; move it away, and make makes one"]


@pytest.mark.parametrize("name", ["project", "my project", "Größe", "o'brien", "$HOME"])
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_a_clone_that_was_not_moved_whatever_it_is_called(tmp_path, monkeypatch, version, name):
    """As Python's venv writes bin/activate: from 3.12 on Windows' way first, from 3.13 on in shell's quotes."""
    folder = tmp_path / name
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/python").touch()
    (folder / ".venv/bin/python").touch()
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    place = shlex.quote(f"{folder}/.venv") if version == "3.13" else f'"{folder}/.venv"'
    windows = f'if [ "${{OSTYPE:-}}" = "cygwin" ]; then\n    export VIRTUAL_ENV=$(cygpath {place})\nelse\n' * (version > "3.11")
    text = f'unset VIRTUAL_ENV\n{windows}export VIRTUAL_ENV={place}\nPATH="$VIRTUAL_ENV/bin:$PATH"\n'
    (folder / ".venv/bin/activate").write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    assert found() == []
    monkeypatch.chdir(folder.rename(tmp_path / "moved"))
    (sentence,) = found()
    assert "this clone was moved or renamed" in sentence


def test_a_user_without_a_name(monkeypatch):
    import pwd

    def unknown(_):
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    (sentence,) = found()
    assert "export USER=me" in sentence


def test_make_says_it_before_it_installs_anything(tmp_path):
    folder = tmp_path / "zip"
    folder.mkdir()
    for name in ("Makefile", "requirements.txt", "tools"):
        (folder / name).symlink_to(ROOT / name)
    shutil.rmtree(tmp_path / ".git")
    for words, sentence in (
        (["PYTHON=no-python"], "there is no no-python here"),
        ([f"PYTHON={sys.executable}"], "no git repository"),
    ):
        done = subprocess.run(["make", "quickstart", *words], cwd=folder, env=environment(), capture_output=True, text=True)
        assert done.returncode != 0 and sentence in done.stderr and "Traceback" not in done.stderr
        assert not (folder / ".venv").exists()
