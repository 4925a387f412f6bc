"""python -m tools.study NAME: the study section of params.yaml, what changed, and the word back."""

import json
import os
import sys

import psutil
import pytest
from small_project import make, run


@pytest.fixture
def project(tmp_path):
    return make(tmp_path, study="cifar")


def study(project, *words):
    return run(project, sys.executable, "-m", "tools.study", *words)


def test_there_and_back(project):
    before = (project / "params.yaml").read_bytes()
    there = study(project, "digits")
    assert "study.datasets: cifar10, cifar100 -> digits, digits100\n" in there.stdout
    assert "python -m tools.study cifar sets the former one" in there.stdout
    assert b"name: digits" in (project / "params.yaml").read_bytes()
    study(project, "cifar")
    assert (project / "params.yaml").read_bytes() == before


def test_a_study_without_a_name_comes_back_too(project):
    own = (
        (project / "params.yaml")
        .read_text()
        .replace("  - cifar100\n", "")
        .replace("  seeds:\n", "  # two\n  seeds:\n  - 7\n", 1)
    )
    (project / "params.yaml").write_text(own)
    assert "python -m tools.study back sets the former one" in study(project, "digits").stdout
    study(project, "cifar32")
    assert study(project, "back").returncode == 0
    assert (project / "params.yaml").read_text() == own
    again = study(project, "back")
    assert again.returncode == 1 and "no study to go back to; the named ones are" in again.stderr


def test_a_named_study_written_by_hand_comes_back_as_it_was_written(project):
    params = project / "params.yaml"
    own = (
        params.read_text().replace("  name: cifar\n", "  name: cifar  # ours\n").replace("  seeds:\n  - 0\n", "  seeds: [0]\n")
    )
    assert "# ours" in own and "seeds: [0]" in own
    params.write_text(own)
    assert "has study cifar already; nothing changed" in study(project, "cifar").stdout and params.read_text() == own
    assert "python -m tools.study back sets the former one" in study(project, "digits").stdout
    study(project, "back")
    assert params.read_text() == own


def test_back_and_forth_between_two_that_have_no_name(project):
    params = project / "params.yaml"
    named = params.read_text()
    one, two = (named.replace("  seeds:\n", f"  seeds:\n  - {seed}\n", 1) for seed in (7, 8))
    params.write_text(one)
    study(project, "digits")
    params.write_text(two)
    for text in (one, two, one):
        assert "python -m tools.study back sets the former one" in study(project, "back").stdout
        assert params.read_text() == text


def test_two_that_have_no_name_come_back_one_after_the_other(project):
    params = project / "params.yaml"
    named = params.read_text()
    first, second = (named.replace("  seeds:\n", f"  seeds:\n  - {seed}\n", 1) for seed in (7, 8))
    for text, name in ((first, "digits"), (second, "cifar32")):
        params.write_text(text)
        study(project, name)
    for text in (second, first, second):
        assert study(project, "back").returncode == 0 and params.read_text() == text


def test_a_way_back_that_is_barred_is_kept(project):
    params = project / "params.yaml"
    own = (
        params.read_text()
        .replace("  - cifar100\n", "  - mine\n")
        .replace("\ndatasets:\n", "\ndatasets:\n  mine: {source: {format: digits}, recipe: {}}\n")
    )
    params.write_text(own)
    study(project, "digits")
    lent = params.read_text()
    params.write_text(lent.replace("  mine: {source: {format: digits}, recipe: {}}\n", ""))
    before = params.read_bytes()
    done = study(project, "back")
    assert done.returncode == 1 and "study.datasets names 'mine', which is not declared" in done.stderr
    assert params.read_bytes() == before
    params.write_text(lent)
    assert study(project, "back").returncode == 0 and params.read_text() == own


def test_an_unknown_one_is_one_sentence_and_changes_nothing(project):
    before = (project / "params.yaml").read_bytes()
    done = study(project, "mnist")
    assert done.returncode == 1
    assert done.stderr.startswith("error: studies.yaml has no study mnist; there are cifar32, digits, cifar, ")
    (project / "studies.yaml").write_text("mnist: {datasets: [mnist], models: [cnn_scratch], seeds: [0]}")
    done = study(project, "mnist")
    assert done.returncode == 1 and "study.datasets names 'mnist', which is not declared" in done.stderr
    assert (project / "params.yaml").read_bytes() == before


def test_show_marks_the_one_that_is_set(project):
    assert "* cifar: cifar10, cifar100; resnet50_scratch" in study(project, "show").stdout


def test_it_is_refused_while_a_dvc_is_at_work_and_not_by_one_that_is_gone(project):
    lock = project / ".dvc/tmp/rwlock"
    lock.parent.mkdir(parents=True)
    ours = psutil.Process().cmdline()[-1]
    # One of the same command, one that is not there, and one whose number another process has by now.
    for process, command, code in (
        (os.getpid(), f"/bin/dvc {ours}", 1),
        (2**22 + 5, "dvc repro", 0),
        (os.getpid(), "dvc repro", 0),
    ):
        lock.write_text(json.dumps({"write": {"/project/data/raw": {"pid": process, "cmd": command}}}))
        study(project, "cifar")
        done = study(project, "digits")
        assert done.returncode == code, done.stderr
        assert ("dvc (process" in done.stderr) == bool(code)


@pytest.mark.parametrize("file", ["tools/status.py", "stages/train.py"])
def test_a_command_run_as_a_script_is_one_sentence(root, file):
    done = run(root, sys.executable, file)
    said = f"error: run it as python -m {file.partition('/')[0]}.NAME, in the project's root.\n"
    assert done.returncode == 1 and done.stderr == said
