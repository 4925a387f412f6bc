"""Two reports side by side: in the workspace, at revisions, as a DVC experiment, and what is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from clones import GIT_IDENTITY

from study.base.errors import StudyError
from tools import compare


def write(root: Path, study: str, verdict: str, effect: str) -> None:
    folder = root / "reports" / study / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "verdicts.csv").write_text(f"key,claim,verdict\nH1,It helps,{verdict}\nC1,It grows,mixed\n")
    (folder / "parts_h1.csv").write_text(
        "part,unit,effect,effect_low,effect_high,verdict,missing\n"
        f"easy,points,{effect},{verdict},\nhard,points,,,,not tested,x\n"
    )


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    for name, value in GIT_IDENTITY.items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str) -> list[str]:
        monkeypatch.setattr(sys, "argv", ["compare", *arguments])
        compare.main()
        return capsys.readouterr().out.splitlines()

    return call


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


def test_two_reports_of_the_workspace(say, tmp_path):
    write(tmp_path, "cifar", "supported", "0.05,0.01,0.09")
    write(tmp_path, "cifar_lr", "refuted", "-0.05,-0.09,-0.01")
    assert say("cifar", "cifar_lr") == [
        "Hypothesis or claim  cifar      cifar_lr",
        "-------------------  ---------  --------",
        "H1: It helps         supported  refuted",
        "C1: It grows         mixed      mixed",
        "",
        "H1    cifar                        cifar_lr",
        "----  ---------------------------  -------------------------",
        "easy  +5.0 [+1.0, +9.0] supported  −5.0 [−9.0, −1.0] refuted",
        "hard  –                            –",
    ]


def test_reports_that_compare_other_families_have_rows_of_their_own(say, tmp_path):
    """The same key is another claim then; the verdict on one stands under no other."""
    for study, claim, worth in (("cifar", "The ViT loses more", ""), ("turned", "The CNN loses more", "in these trainings")):
        write(tmp_path, study, "supported", "0.05,0.01,0.09")
        (tmp_path / "reports" / study / "tables" / "verdicts.csv").write_text(
            f"key,claim,verdict,worth\nH1,It helps,supported,{worth}\nH3,{claim},supported,{worth}\n"
        )
    assert say("cifar", "turned")[2:5] == [
        "H1: It helps            supported  supported in these trainings",
        "H3: The ViT loses more  supported  –",
        "H3: The CNN loses more  –          supported in these trainings",
    ]


def test_parts_of_models_of_other_names_stand_in_one_row_where_they_read_alike(say, tmp_path):
    for study, key in (("cifar", "vit"), ("cifar_lr", "vit_slow")):
        write(tmp_path, study, "supported", "0.05,0.01,0.09")
        (tmp_path / "reports" / study / "tables" / "parts_h1.csv").write_text(
            "key,part,unit,effect,effect_low,effect_high,verdict\n"
            f"{key},The ViT loses more,points,0.05,0.01,0.09,supported\ncnn,The CNN loses more,points,0.02,0.01,0.03,supported\n"
            f"{key}-2,Only {key},points,0.02,0.01,0.03,supported\n"
        )
    rows = say("cifar", "cifar_lr")[7:]
    assert [row.count("supported") for row in rows] == [2, 2, 1, 1]


def test_reports_of_a_branch_and_of_an_experiment(say, tmp_path):
    git("init", "--quiet", "--initial-branch=main")
    write(tmp_path, "cifar", "supported", "0.05,0.01,0.09")
    git("add", "-A")
    git("commit", "--quiet", "-m", "one")
    write(tmp_path, "cifar", "mixed", "0.00,-0.01,0.01")
    git("commit", "--quiet", "-am", "two")
    git("update-ref", "refs/exps/ab/cdef/slow", "HEAD")
    git("reset", "--quiet", "--hard", "HEAD~1")
    lines = say("main:cifar", "slow:cifar")
    assert lines[0].split("  ")[1:] == ["cifar at main", "cifar at slow"]
    assert lines[2].split() == ["H1:", "It", "helps", "supported", "mixed"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("cifar:", "names no report"), ("cifar_lr", "no report of cifar_lr"), ("nowhere:cifar", "nowhere is no revision")],
)
def test_what_is_not_there_is_one_sentence(say, tmp_path, name, sentence):
    git("init", "--quiet")
    write(tmp_path, "cifar", "supported", "0.05,0.01,0.09")
    with pytest.raises(StudyError, match=sentence):
        say("cifar", name)


def test_a_project_that_is_a_folder_of_a_larger_repository(say, tmp_path, monkeypatch):
    git("init", "--quiet", "--initial-branch=main")
    write(tmp_path / "folder", "cifar", "supported", "0.05,0.01,0.09")
    git("add", "--all")
    git("commit", "--quiet", "-m", "report")
    monkeypatch.chdir(tmp_path / "folder")
    assert "supported" in say("main:cifar", "cifar")[2]


def test_an_encoding_that_lacks_signs_shows_others(root, tmp_path):
    write(tmp_path, "cifar", "refuted", "-0.05,-0.09,-0.01")
    done = subprocess.run(
        [sys.executable, "-m", "tools.compare", "cifar", "cifar"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and "?5.0 [?9.0, ?1.0] refuted" in done.stdout


def test_a_report_at_a_revision_is_read_in_utf_8_whatever_the_locale(root, tmp_path):
    git_in = {"cwd": tmp_path, "env": {**os.environ, **GIT_IDENTITY}, "check": True}
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], **git_in)
    write(tmp_path, "cifar", "größer", "0.05,0.01,0.09")
    subprocess.run(["git", "add", "--all"], **git_in)
    subprocess.run(["git", "commit", "--quiet", "-m", "report"], **git_in)
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-m", "tools.compare", "main:cifar", "cifar"],
        cwd=tmp_path,
        env={**os.environ, **plain, "PYTHONPATH": str(root)},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0 and done.stdout.count("größer") == 4, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("table", "content"),
    [
        ("verdicts", b"claim,verdict\nIt helps,supported\n"),
        ("verdicts", b"key,claim,verdict\nH1\n"),
        ("verdicts", b"key,claim,verdict\nH1,It helps,supported,more\n"),
        ("verdicts", b'key,claim,verdict\nH1,"It helps\n'),
        ("verdicts", b"\xff\xfe"),
        ("parts_h1", b"part,unit\neasy,points\n"),
        ("parts_h1", b"part,unit,effect,effect_low,effect_high,verdict\neasy,points,much,0,1,supported\n"),
        ("parts_h1", b"part,unit,effect,effect_low,effect_high,verdict\neasy,points\n"),
        ("parts_h1", b"a\n1\n"),
    ],
)
def test_a_damaged_table_is_one_sentence(say, tmp_path, table, content):
    write(tmp_path, "cifar", "supported", "0.05,0.01,0.09")
    (tmp_path / "reports/cifar/tables" / f"{table}.csv").write_bytes(content)
    with pytest.raises(StudyError, match=rf"reports/cifar/tables/{table}\.csv of cifar is damaged .*; dvc repro makes it anew"):
        say("cifar", "cifar")


def test_where_git_refuses_it_says_what_git_says(say, tmp_path):
    write(tmp_path, "cifar", "supported", "0.05,0.01,0.09")
    with pytest.raises(StudyError, match=r"git cannot look for main \(fatal: not a git repository.*\); run this in a clone"):
        say("main:cifar", "cifar")
