"""`python -m tools.status`: each cell's state agrees with `dvc status`, while DVC is at work too, and nothing is written."""

import dataclasses
import fcntl
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from clones import commit, copy, set_params, sh, working_tree

from study.base.errors import StudyError
from study.design import cells
from study.design.cells import Cell
from study.engine import resume
from study.pipeline import cell_states, timing
from study.pipeline.cell_states import CellState
from study.runtime import records
from study.settings import at_work
from study.settings.grid import Grid
from study.settings.params import Params
from tools import status as command

CNN = Cell("digits", "cnn_scratch", 0.2, 0)
GLYPHS = Cell("digits", "cnn_glyphs", 0.2, 0)
TINY = (
    "fraction=1.0",
    "study.seeds=[0]",
    "datasets.digits.recipe.epochs=10",
    "datasets.digits.recipe.budget=epochs",
    "datasets.digits.recipe.batch_size=64",
    "study.name=digits",
    "study.datasets=[digits]",
    "study.models=[cnn_scratch,cnn_glyphs]",
)
TWO_SEEDS = (
    "fraction=1.0",
    "study.seeds=[0,1]",
    "study.name=cifar32",
    "study.datasets=[cifar10,cifar100]",
    "study.models=[cnn32_scratch,cnn32_tiny,vit32_scratch,vit32_tiny]",
)


def put(folder, *names):
    """Files that differ from folder to folder and are quick to hash."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(f"{name} of {folder}\n")


def record(cell, device="CPU", rate=100.0, full_images=1000, **recipe):
    """What a training of ``cell`` took here; ``full_images`` are the train images of fraction 1.0."""
    recipe = {"image_size": 32, "batch_size": 64, "precision": "fp32", **recipe}
    rest = {"wall_seconds": 1.0, "python": "3.11", "platform": "Linux", "code_sha256": "0" * 64, "wandb_run_id": None}
    records.Record(str(cell), **recipe, full_images=full_images, images_per_second=rate, device=device, **rest).save()


def outputs():
    """What all stages would have written for the study of params.yaml here."""
    grid = Grid.load(Params.load())
    for dataset in grid.datasets:
        put(cells.raw(dataset), "train_images.npy", "train_labels.npy", "test_images.npy", "test_labels.npy", "classes.json")
    for model in grid.models:
        put(cells.weights(model.name), "card.json")
    for cell in grid.cells():
        put(cells.split(cell.dataset, cell.fraction, cell.seed), "train.npy", "validation.npy", "split.json")
        put(cells.runs(cell), "checkpoint.safetensors")
        put(cells.history(cell), "history.csv", "provenance.json")
        put(cells.predictions(cell), "predictions.npz", "metrics.json")
    put(cells.report(grid.name), "summary.json")
    return grid.cells()


def committed(root, folder, *overrides):
    """A clone whose study is recorded by DVC as if it had run."""
    working_tree(root, folder)
    (folder / "dvc.lock").unlink(missing_ok=True)
    set_params(folder, *overrides)
    before = Path.cwd()
    os.chdir(folder)
    try:
        outputs()
    finally:
        os.chdir(before)
    sh(folder, "dvc", "commit", "--quiet", "--force")
    commit(folder, "results")
    return folder


@pytest.fixture(scope="module")
def recorded(root, tmp_path_factory):
    return committed(root, tmp_path_factory.mktemp("recorded") / "clone", *TINY)


@pytest.fixture
def clone(recorded, tmp_path, monkeypatch):
    folder = copy(recorded, tmp_path / "clone")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def by_hand(root, tmp_path, monkeypatch):
    """A folder without DVC: the two files of parameters and nothing else."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(root / name, tmp_path)
    set_params(tmp_path, *TINY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def states(study=None):
    return {each.cell: each.state for each in (study or cell_states.read()).cells}


def one(cell=CNN):
    (found,) = [each for each in cell_states.read().cells if each.cell == cell]
    return found


def show(folder, *arguments, **env):
    """The command as users call it; an exit code other than 0 fails the test."""
    output = sh(folder, "python", "-m", "tools.status", *arguments, **env)
    assert "Traceback" not in output
    return output


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


def test_a_damaged_lock_file_is_said_and_the_files_still_tell(clone):
    Path("dvc.lock").write_text("stages: [")
    output = show(clone)
    assert "8 cells: 8 done" in output and "stale is unknown: dvc.lock cannot be read" in output


def test_a_lock_file_that_dvc_is_writing_is_waited_for(clone):
    whole = Path("dvc.lock").read_text()
    Path("dvc.lock").write_text(whole[: whole.index("md5: ", len(whole) // 2) + 9])
    writing = threading.Timer(0.4, Path("dvc.lock").write_text, [whole])
    writing.start()
    study = cell_states.read()
    writing.join()
    assert study.unknown is None and set(states(study).values()) == {CellState.DONE}


def test_nothing_is_written(clone):
    def everything():
        return {
            str(path): (path.lstat().st_mtime_ns, path.lstat().st_ino, path.lstat().st_size)
            for path in clone.rglob("*")
            if "__pycache__" not in path.parts
        }

    cells.failed(CNN).parent.mkdir()
    cells.failed(CNN).write_text("{}")
    before = everything()
    show(clone, PYTHONDONTWRITEBYTECODE="1")
    assert everything() == before


STUB = """
import sys, time
from pathlib import Path
from study.engine import resume
from study.design.cells import Cell
cell = Cell.parse(sys.argv[1])
store = resume.Store(cell, "0" * 64)
with resume.exclusive(resume.workspace_lock(cell), cell), resume.exclusive(store.lock, cell):
    store.save(resume.State(3, 1, {"seconds": 6.0}, b"", b""))
    Path("started").touch()
    while not Path("go").exists():
        time.sleep(0.05)
"""


def test_while_dvc_repro_runs_a_training(clone):
    (clone / "stages/train.py").write_text(STUB)
    with subprocess.Popen(
        [Path(sys.executable).parent / "dvc", "repro", "--single-item", f"train@{CNN}"],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as dvc:
        while not (clone / "started").exists():
            assert dvc.poll() is None, dvc.stdout.read()
            time.sleep(0.05)
        sh(clone, "dvc", "status", f"train@{CNN}", fails=True)  # it is busy
        output = show(clone)
        found = json.loads(show(clone, "--json"))
        (clone / "go").touch()
        dvc.communicate(timeout=60)
    assert "running 3/10" in output and output.count("stale") > 7
    (running,) = [each for each in found["cells"] if each["cell"] == str(CNN)]
    assert (running["state"], running["epoch"], running["epochs"], running["seconds"]) == ("running", 3, 10, 14.0)
    assert found["counts"] == {"running": 1, "stale": 7} and found["staleness_unknown"] is None
    assert one().state is CellState.STOPPED  # the stub wrote no outputs: dvc recorded nothing


def test_works_while_dvc_holds_its_lock(clone):
    from dvc.repo import Repo

    with Repo() as repo, repo.lock:
        assert "8 done" in show(clone)


def test_without_dvc_the_files_tell(clone, monkeypatch):
    shutil.rmtree(cells.runs(CNN))
    shutil.rmtree(cells.predictions(GLYPHS))
    monkeypatch.setitem(sys.modules, "dvc.repo", None)  # importing it fails
    study = cell_states.read()
    assert study.unknown == "dvc is not installed here; pip install -r requirements.txt."
    found = states(study)
    assert (found.pop(CNN), found.pop(GLYPHS)) == (CellState.RECORDED, CellState.TRAINED)
    assert set(found.values()) == {CellState.DONE}


def test_by_hand_without_a_dvc_project(by_hand):
    assert set(states().values()) == {CellState.MISSING}
    outputs()
    study = cell_states.read()
    assert set(states(study).values()) == {CellState.DONE}
    assert any("no DVC project" in line for line in command.lines(study))


def test_a_defect_in_dvc_is_said_and_not_shown_as_a_traceback(clone, monkeypatch):
    monkeypatch.setattr("dvc.parsing.DataResolver.resolve", lambda self: {}["another DVC"])
    assert cell_states.read().unknown == "DVC could not be asked: KeyError: 'another DVC'"


def test_failed_and_stopped(by_hand):
    store = resume.Store(CNN, "0" * 64)
    with resume.exclusive(store.lock, CNN):
        store.save(resume.State(7, 1, {"seconds": 70.0}, b"", b""))
        store.save(resume.State(8, 1, {"seconds": 80.0}, b"", b""))
        assert one().state is CellState.RUNNING  # in another workspace, as a queued experiment would
    assert (one().state, one().epoch, one().seconds) == (CellState.STOPPED, 8, 20.0)
    cells.failed(CNN).parent.mkdir(parents=True)
    cells.failed(CNN).write_text(json.dumps({"cell": str(CNN), "when_epoch": 9, "error": "the loss is NaN; lower it."}))
    assert one().state is CellState.FAILED
    text = list(command.lines(cell_states.read()))
    assert f"failed: {CNN}, epoch 9: the loss is NaN; lower it." in text
    cells.failed(CNN).write_text("{")
    assert "cannot be read" in one().error


def test_a_started_training_without_a_saved_epoch_is_running(by_hand):
    with resume.exclusive(resume.workspace_lock(CNN), CNN):
        assert (one().state, one().epoch) == (CellState.RUNNING, 0)
        assert any("running 0/10" in line for line in command.lines(cell_states.read()))
    assert one().state is CellState.MISSING


def test_a_failure_of_old_does_not_hide_a_result(clone):
    cells.failed(CNN).parent.mkdir()
    cells.failed(CNN).write_text("{}")  # trained elsewhere since, and pulled
    assert one().state is CellState.DONE


def test_time_left_by_the_rate_of_the_model(by_hand):
    assert one().seconds is None
    for fraction, rate in ((1.0, 90.0), (0.5, 100.0), (0.1, 500.0)):
        record(Cell("digits", "cnn_scratch", fraction, 0), rate=rate)
    assert (one().seconds, one().device) == (200 * 10 / 100.0, "CPU")
    assert one(GLYPHS).seconds is None
    text = " ".join(" ".join(command.lines(cell_states.read())).split())
    assert "time left: not known for 4 cells of cnn_glyphs: no finished training" in text
    assert "time left: 3 min for the training of 4 cells, one after another, by rates measured on CPU" in text


def test_rates_of_the_commonest_device_and_of_the_same_size_count(by_hand):
    record(Cell("digits", "cnn_scratch", 1.0, 0), "H200", 1000.0)
    record(Cell("digits", "cnn_glyphs", 1.0, 0), "H200", 2000.0)
    record(Cell("digits", "cnn_glyphs", 0.5, 0), "CPU", 10.0)
    record(Cell("digits", "cnn_glyphs", 0.1, 0), "H200", 9.0, image_size=224)
    rates, recipe = timing.Timing(Params.load()), Params.load().recipe("digits", "cnn_glyphs")
    assert rates.rate(GLYPHS, recipe) == timing.Rate(2000.0, "H200")
    assert rates.rate(Cell("digits", "vit_scratch", 0.2, 0), recipe) is None
    for fraction in (1.0, 0.1):
        records.path(Cell("digits", "cnn_glyphs", fraction, 0)).unlink()
    record(Cell("digits", "cnn_scratch", 0.5, 0), "H200", 1000.0)
    assert timing.Timing(Params.load()).rate(GLYPHS, recipe) == timing.Rate(10.0, "CPU")  # all that there is


def test_damaged_records_are_passed_over(by_hand):
    record(GLYPHS)
    for name, content in (("a", "{"), ("b", "[]"), ("c", '{"cell": "x"}')):
        (cells.DATA / "records" / f"{name}.json").write_text(content)
    assert one(Cell("digits", "cnn_glyphs", 1.0, 0)).seconds == 1000 * 10 / 100.0


def images(params, budget):
    recipe = dataclasses.replace(params.recipe(CNN.dataset, CNN.model), budget=budget)
    return timing.Timing(params).images(CNN, recipe)


def test_images_of_a_dataset_that_was_never_trained_on(by_hand):
    import numpy as np

    cells.raw("digits").mkdir(parents=True)
    np.save(cells.raw("digits") / "train_labels.npy", np.zeros(1000, np.int64))
    assert images(Params.load(), "epochs") == pytest.approx(1000 * 0.9 * 0.2)
    assert images(Params.load(), "steps") == pytest.approx(1000 * 0.9)


def test_mistakes_in_params_are_one_sentence(clone):
    set_params(clone, "fraction=1.5")
    output = sh(clone, "python", "-m", "tools.status", fails=True)
    assert output.startswith("error: params.yaml: fraction is 1.5") and output.count("\n") == 1


def test_looking_at_a_lock_stops_no_training(tmp_path):
    path = tmp_path / "lock"
    path.touch()
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # as tools.status does, for longer than it takes there
        threading.Timer(0.1, fcntl.flock, (file.fileno(), fcntl.LOCK_UN)).start()
        with resume.exclusive(path, CNN):
            pass
    with resume.exclusive(path, CNN):
        assert at_work.held(path)
        with pytest.raises(StudyError, match="another process"), resume.exclusive(path, CNN):
            pass
    assert not at_work.held(path)
    assert not at_work.held(tmp_path / "absent")


def test_a_reader_that_has_seen_enough_is_no_error(by_hand, root):
    line = f"{sys.executable} -m tools.status | true"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_durations():
    assert [command.duration(seconds) for seconds in (0.2, 59.4, 59.6, 3569, 3600, 11400, 172800 + 7200)] == [
        "0 s", "59 s", "1 min", "59 min", "1 h 00 min", "3 h 10 min", "2 days 2 h",
    ]  # fmt: skip


def test_sixty_four_cells_in_time_and_in_width(root, tmp_path):
    clone = committed(root, tmp_path / "clone", *TWO_SEEDS)
    set_params(clone, "+models.vit32_scratch.recipe.epochs=30", "split.val_fraction=0.2")
    show(clone)  # files are compiled and hashed
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    output = show(clone)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "64 cells: 16 stale, 48 unsure" in output
    assert max(map(len, output.splitlines())) <= 100
    # Processor time: on a busy machine the wall says nothing.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2.0, f"{wall:.1f} s on the wall"


def test_the_widest_words_fit_a_hundred_columns(root, tmp_path, monkeypatch):
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(root / name, tmp_path)
    set_params(tmp_path, *TWO_SEEDS)
    monkeypatch.chdir(tmp_path)
    for cell in Grid.load(Params.load()).cells():
        store = resume.Store(cell, "0" * 64)
        store.save(resume.State(12, 1, {"seconds": 9.0}, b"", b""))
        cells.failed(cell).parent.mkdir(parents=True, exist_ok=True)
    text = list(command.lines(cell_states.read()))
    assert sum(line.count("stopped 12/20") for line in text) == 64
    assert max(map(len, text)) <= 100
