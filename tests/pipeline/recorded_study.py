"""A small study that DVC has recorded as if it had run, and what tools.status says of it."""

import contextlib

from clones import commit, set_params, sh, working_tree

from study.design import cells
from study.design.cells import Cell
from study.pipeline import cell_states
from study.runtime import records
from study.settings.grid import Grid
from study.settings.params import Params

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


def put(folder, *names):
    """Files that differ from folder to folder and are quick to hash."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(f"{name} of {folder}\n")


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


def committed(root, folder, *overrides):
    """A clone whose study is recorded by DVC as if it had run."""
    working_tree(root, folder)
    (folder / "dvc.lock").unlink(missing_ok=True)
    set_params(folder, *overrides)
    with contextlib.chdir(folder):
        outputs()
    sh(folder, "dvc", "commit", "--quiet", "--force")
    commit(folder, "results")
    return folder


def record(cell, device="CPU", rate=100.0, full_images=1000, **recipe):
    """What a training of ``cell`` took here; ``full_images`` are the train images of fraction 1.0."""
    recipe = {"image_size": 32, "batch_size": 64, "precision": "fp32", **recipe}
    rest = {"wall_seconds": 1.0, "python": "3.11", "platform": "Linux", "code_sha256": "0" * 64, "wandb_run_id": None}
    records.Record(str(cell), **recipe, full_images=full_images, images_per_second=rate, device=device, **rest).save()


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
