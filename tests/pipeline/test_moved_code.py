"""Code that was edited without changing a result is recorded in dvc.lock as dvc commit -f does it, without any output."""

import shutil
from pathlib import Path

from clones import sh
from recorded_study import CNN, GLYPHS

from study.pipeline import moved_code

ENGINE = Path("study/engine/training.py")
READER = Path("study/data/digits.py")


def edit(*files):
    for file in files:
        file.write_text(file.read_text() + "# a comment\n")


def test_as_dvc_would_record_it_and_without_outputs(clone):
    before = Path("dvc.lock").read_bytes()
    edit(ENGINE)
    sh(clone, "dvc", "commit", "--quiet", "--force")
    wanted = Path("dvc.lock").read_bytes()
    assert wanted != before
    Path("dvc.lock").write_bytes(before)
    for folder in ("runs", "history", "predictions", "weights", "splits", "raw"):
        shutil.rmtree(Path("data") / folder)
    changed, left = moved_code.record(moved_code.today(), [CNN])
    assert Path("dvc.lock").read_bytes() == wanted
    assert {name.partition("@")[0] for name in changed} == {"train", "evaluate"} and left == []
    assert moved_code.record(moved_code.today(), [CNN]) == ([], [])


def test_data_and_weights_that_were_not_proved_are_named(clone):
    edit(READER, Path("study/models/pickled.py"))
    changed, left = moved_code.record(moved_code.today(), [CNN])
    assert set(changed) == {"download@digits", "weights@cnn_scratch"} and left == ["weights@cnn_glyphs"]
    assert moved_code.record(moved_code.today(), [CNN, GLYPHS]) == (["weights@cnn_glyphs"], [])
    assert "didn't change" in sh(clone, "dvc", "repro", "--dry", f"train@{CNN}")


def test_a_dependency_that_came_and_one_that_went(clone):
    """A file of code has moved to another room: dvc.yaml says so, and dvc.lock does not yet."""
    shutil.move("study/data/part.py", "study/data/portion.py")
    pipeline = Path("dvc.yaml")
    pipeline.write_text(pipeline.read_text().replace("study/data/part.py", "study/data/portion.py"))
    moved_code.record(moved_code.today(), [CNN, GLYPHS])
    text = Path("dvc.lock").read_text()
    assert "study/data/portion.py" in text and "study/data/part.py" not in text
    sh(clone, "dvc", "commit", "--quiet", "--force")
    assert Path("dvc.lock").read_text() == text
