"""The state of each cell agrees with `dvc status`."""

import json
import re
import shutil
from pathlib import Path

import pytest
from clones import set_params, sh
from recorded_study import CNN, GLYPHS, one, put, record, show, states

from study.design import cells
from study.design.cells import Cell
from study.engine import resume
from study.pipeline import cell_states, standing
from study.pipeline.cell_states import CellState


def dirty():
    """The cells whose train or evaluate stage `dvc status` lists."""
    from dvc.repo import Repo

    with Repo() as repo:
        listed = repo.status()
    return {Cell.parse(name.split("@")[1]) for name in listed if name.startswith(("train@", "evaluate@"))}


def replace(path, old, new):
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


def drop_object(path):
    """Remove the first file of an output folder from DVC's cache."""
    entries = re.search(rf"path: {path}\n\s+hash: md5\n\s+md5: (\w\w)(\w+\.dir)", Path("dvc.lock").read_text())
    cache = Path(".dvc/cache/files/md5")
    md5 = json.loads((cache / entries[1] / entries[2]).read_text())[0]["md5"]
    (cache / md5[:2] / md5[2:]).unlink()


ALL = {"cnn_scratch", "cnn_glyphs"}
# what is done to the clone, the state of the cells that it touches, and those: by model, fraction or name
CHANGES = {
    "nothing": (lambda: None, None, set()),
    "another study's parameter": (lambda: set_params(Path(), "datasets.digits100.recipe.epochs=3"), None, set()),
    "the recipe": (lambda: set_params(Path(), "train.learning_rate=0.002"), CellState.STALE, ALL),
    "one model's recipe": (lambda: set_params(Path(), "+models.cnn_scratch.recipe.epochs=2"), CellState.STALE, {"cnn_scratch"}),
    "training's code": (lambda: put(Path("study/engine"), "training.py"), CellState.STALE, ALL),
    "training's code, gone": (lambda: Path("study/engine/training.py").unlink(), CellState.STALE, ALL),
    "evaluate's code": (lambda: put(Path("study/results"), "predictions.py"), CellState.TRAINED, ALL),
    "a new dependency": (
        lambda: replace(
            "dvc.yaml",
            "    - study/engine\n",
            "    - study/engine\n    - study/report/page.py\n",
        ),
        CellState.STALE,
        ALL,
    ),
    "train's command": (lambda: replace("dvc.yaml", "stages.train ${key}", "stages.train -u ${key}"), CellState.STALE, ALL),
    "the images": (lambda: (cells.raw("digits") / "train_images.npy").write_text("another"), CellState.STALE, ALL),
    "a checkpoint": (lambda: (cells.runs(CNN) / "checkpoint.safetensors").write_text("another"), CellState.STALE, {CNN}),
    "predictions": (lambda: (cells.predictions(CNN) / "metrics.json").write_text("another"), CellState.TRAINED, {CNN}),
    "a checkpoint, gone": (lambda: shutil.rmtree(cells.runs(CNN)), CellState.RECORDED, {CNN}),
    "predictions, gone": (lambda: shutil.rmtree(cells.predictions(CNN)), CellState.RECORDED, {CNN}),
    "the cache's copy of them, gone": (lambda: drop_object(cells.predictions(CNN)), CellState.RECORDED, {CNN}),
    "another fraction": (lambda: set_params(Path(), "fraction=0.3"), CellState.MISSING, {0.3}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_states_agree_with_dvc_status(clone, change):
    make, state, where = CHANGES[change]
    make()
    found = states()
    expected = {cell for cell in found if where & {cell, cell.model, cell.fraction}}
    assert {cell for cell, each in found.items() if each is not CellState.DONE} == expected
    assert {found[cell] for cell in expected} <= {state}
    assert dirty() == expected


def test_a_finished_training_whose_test_was_restored_is_not_said_to_go_on(clone):
    """Nobody clears its state then; later its cell becomes stale."""
    resume.Store(CNN, "0" * 64).save(resume.State(10, 1, {"seconds": 9.0}, b"", b""))
    assert one().state is CellState.DONE
    put(Path("study/engine"), "training.py")
    assert one().state is CellState.STALE and one().seconds is None
    shutil.rmtree(cells.runs(CNN))  # killed before the outs were written: the same command writes them
    Path("dvc.lock").unlink()
    assert one().state is CellState.STOPPED


def test_the_loader_of_dvc_lock_reads_what_dvc_writes(recorded):
    """DVC writes YAML 1.2 (eps: 1e-08), which PyYAML would take for text, and every cell for stale."""
    assert "eps: 1e-08" in (recorded / "dvc.lock").read_text()
    trained = [entry for name, entry in standing.recorded().items() if name.startswith("train@")]
    assert [entry["params"]["params.yaml"]["train"]["eps"] for entry in trained] == [1e-8] * len(trained) != []


def test_a_change_before_training_makes_cells_unsure(clone):
    set_params(clone, "split.val_fraction=0.2")
    study = cell_states.read()
    assert set(states(study).values()) == {CellState.UNSURE}
    assert dirty() == set()  # dvc status lists the splits alone: nobody knows yet
    assert one().before == {"split@digits-0.2-0"}
    output = show(clone)
    assert "earlier stages to run: split@digits-0.1-0" in output and "if all unsure cells turn out stale" in output


def test_fresh_clone_is_recorded_and_stale_where_parameters_changed(clone, tmp_path, monkeypatch):
    sh(clone, "git", "clone", "--quiet", str(clone), str(tmp_path / "fresh"))
    monkeypatch.chdir(tmp_path / "fresh")
    assert set(states().values()) == {CellState.RECORDED}
    assert one().seconds is None
    record(CNN)
    assert one().seconds > 0  # what a fan-out, which would train it again, may expect
    put(tmp_path / "fresh/study/results", "predictions.py")  # evaluate's code: there is no checkpoint that could be tested
    assert set(states().values()) == {CellState.RECORDED}
    set_params(tmp_path / "fresh", "+models.cnn_scratch.recipe.epochs=2")
    assert {cell.model for cell, state in states().items() if state is CellState.STALE} == {"cnn_scratch"}
    assert one(GLYPHS).state is CellState.RECORDED


def test_trained_but_not_recorded(clone):
    Path("dvc.lock").unlink()
    assert set(states().values()) == {CellState.UNRECORDED}
    shutil.rmtree(cells.runs(CNN))
    assert one().state is CellState.MISSING
