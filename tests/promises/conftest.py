"""The small study, run whole at one epoch, and copies of it for each test, narrowed to a tiny grid."""

import shutil

import pytest
from clones import commit, copy, ran, set_params, sh, working_tree
from filelock import FileLock
from tiny_grid import MODELS

SMALL_STUDY = (
    "fraction=1.0",
    "study.seeds=[0]",
    "study.name=digits",
    "study.datasets=[digits,digits100]",
    "study.models=[cnn_scratch,cnn_glyphs,vit_scratch,vit_glyphs]",
    "datasets.digits.recipe.epochs=1",
    "datasets.digits.recipe.budget=epochs",
    "datasets.digits100.recipe.epochs=1",
    "datasets.digits100.recipe.budget=epochs",
)


@pytest.fixture(scope="session")
def whole(root, tmp_path_factory, worker_id):
    """A clone in which the small study was run whole, at one epoch; and what dvc printed. One for all workers of pytest."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "whole"
    folder.mkdir(exist_ok=True)
    clone, printed = folder / "clone", folder / "printed.txt"
    with FileLock(folder / "lock"):
        if not printed.exists():
            shutil.rmtree(clone, ignore_errors=True)
            working_tree(root, clone)
            (clone / "dvc.lock").unlink()  # DVC reads and writes all of it for every stage, and no entry in it is of one epoch
            set_params(clone, *SMALL_STUDY)
            commit(clone, "the small study at one epoch")
            printed.write_text(sh(clone, "dvc", "repro"))
    return clone, printed.read_text()


@pytest.fixture(scope="session")
def finished(whole, tmp_path_factory):
    """A clone in which the tiny grid was run and committed."""
    clone = copy(whole[0], tmp_path_factory.mktemp("finished") / "clone")
    set_params(clone, "study.datasets=[digits]", f"study.models=[{','.join(MODELS)}]")
    assert ran(sh(clone, "dvc", "repro")) == {"aggregate@digits"}
    commit(clone, "the tiny grid")
    return clone


@pytest.fixture
def clone(finished, tmp_path):
    return copy(finished, tmp_path / "clone")
