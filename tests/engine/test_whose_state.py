"""A state is picked up by the training that it belongs to, and by nothing else."""

import hashlib

import numpy as np
import pytest
import yaml
from interrupted import here
from tiny import CNN, run

from study.base.errors import StudyError
from study.data.splits import Split
from study.design import cells
from study.engine import resume
from study.engine.inputs import Inputs
from study.engine.run import Training


@pytest.mark.parametrize("change", ["recipe", "data", "indices", "card", "code", "libraries", "kernels"])
def test_what_determines_the_result_is_in_the_key(project, capsys, monkeypatch, change):
    here(stop_after=2)
    if change == "recipe":
        params = yaml.safe_load((project / "params.yaml").read_text())
        params["train"]["weight_decay"] = 0.0
        (project / "params.yaml").write_text(yaml.safe_dump(params))
    elif change == "data":
        file = cells.raw("tiny") / "train_images.npy"
        images = np.load(file)
        images[0, 0, 0, 0] ^= 1
        np.save(file, images)
    elif change == "indices":
        (project / "params.yaml").write_text(
            (project / "params.yaml").read_text().replace("val_fraction: 0.1", "val_fraction: 0.2")
        )
        Split.draw("tiny", 1.0, 0, np.arange(90) % 6, 0.2).save(cells.split("tiny", 1.0, 0))
    elif change == "card":
        card = cells.weights("cnn") / "card.json"
        card.write_text(card.read_text().replace("bilinear", "bicubic"))
    elif change == "code":
        monkeypatch.setattr("study.runtime.code.digest", lambda module: "other")
    elif change == "libraries":
        monkeypatch.setattr("study.engine.inputs.libraries", lambda: {"torch": "0"})
    else:
        monkeypatch.setattr("study.engine.exactness.pin", lambda device, precision: "another device's")
    capsys.readouterr()
    here(stop_after=1)
    assert "going on" not in capsys.readouterr().out
    assert len(list(resume.folder(CNN).iterdir())) == 2


def test_what_does_not_determine_the_result_is_not(project, capsys):
    here(stop_after=2)
    params = yaml.safe_load((project / "params.yaml").read_text())
    params["study"]["name"], params["fraction"] = "other", 0.5
    (project / "params.yaml").write_text(yaml.safe_dump(params))
    here()
    assert "going on after epoch 2" in capsys.readouterr().out


def test_the_state_lies_where_dvc_was_started(project, tmp_path_factory, monkeypatch):
    root = tmp_path_factory.mktemp("root")
    monkeypatch.setenv("DVC_ROOT", str(root))
    here(stop_after=1)
    assert list((root / ".dvc/tmp/training" / str(CNN)).glob("*/0001.json"))


def test_a_second_training_of_the_same_cell_refuses(project):
    with resume.exclusive(resume.workspace_lock(CNN), CNN):
        done = run(project, "train", CNN)
    assert done.returncode == 1
    assert done.stderr == f"error: {CNN} is being trained by another process; wait for it, or stop it first.\n"
    assert not cells.failed(CNN).exists()


def test_a_training_elsewhere_with_the_same_state_refuses_too(project):
    training = Training(Inputs.read(CNN))
    with resume.exclusive(training.store.lock, CNN), pytest.raises(StudyError, match="another process"):
        training.run(None)


def test_clear_leaves_a_running_training_alone(project):
    here(stop_after=1)
    store = Training(Inputs.read(CNN)).store
    best = hashlib.sha256(store.load().best).hexdigest()
    with resume.exclusive(store.lock, CNN):
        resume.clear(CNN, best)
        assert store.load() is not None
    resume.clear(CNN, best)
    assert not resume.folder(CNN).exists()
