"""Killed at any moment, a training goes on and ends in the same bytes; nothing else ever picks its state up."""

import hashlib
import json
import multiprocessing
import os
import random
import signal
import time

import numpy as np
import pytest
import yaml
from tiny import CNN, make, outs, run

from study.base.errors import StudyError
from study.data.splits import Split
from study.design import cells
from study.engine import resume
from study.engine.inputs import Inputs
from study.engine.run import Training

EPOCHS = 6


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """What a training that nobody disturbs writes."""
    folder = make(tmp_path_factory.mktemp("reference"), epochs=EPOCHS)
    done = run(folder, "train", CNN)
    assert done.returncode == 0, done.stderr
    return outs(folder, CNN)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The same project elsewhere, as the working directory."""
    monkeypatch.setenv("STUDY_DEVICE", "cpu")
    monkeypatch.chdir(make(tmp_path, epochs=EPOCHS))
    return tmp_path


def here(stop_after=None) -> None:
    """Train in this process; ``stop_after`` that many saved epochs, the way a power loss does."""
    training = Training(Inputs.read(CNN))
    if stop_after is not None:
        save, left = training.store.save, [stop_after]

        def counted(state):
            save(state)
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt

        training.store.save = counted
        with pytest.raises(KeyboardInterrupt):
            training.run(None)
    else:
        training.run(None)


def child(folder) -> None:
    """Train in a process of its own, which has torch and timm imported already."""
    os.environ["STUDY_DEVICE"] = "cpu"
    os.chdir(folder)
    here()


def sha256_of_best(store) -> str:
    return hashlib.sha256(store.load().best).hexdigest()


def state_files():
    (folder,) = resume.folder(CNN).iterdir()
    return folder, sorted(path.name for path in folder.iterdir())


def test_killed_at_twenty_moments_it_ends_in_the_same_bytes(project, reference):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["study.engine.run", "timm"])
    dice, kills, reached = random.Random(0), 0, set()
    longest: float | None = None  # seconds of a whole training here, which the first one tells
    while kills < 20:
        process = context.Process(target=child, args=(project,))
        begun = time.monotonic()
        process.start()
        process.join(longest and dice.uniform(0, longest))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            kills += 1
            reached |= {path.stem for path in resume.folder(CNN).glob("*/*.json")}
        else:
            longest = longest or time.monotonic() - begun
            assert process.exitcode == 0
            assert outs(project, CNN) == reference
            for path in (cells.runs(CNN), cells.history(CNN), resume.folder(CNN)):
                assert os.system(f"rm -r {path}") == 0
    assert len(reached) >= 3  # the moments were of all kinds
    here()
    assert outs(project, CNN) == reference


def test_it_goes_on_after_the_last_finished_epoch(project, reference, capsys):
    here(stop_after=3)
    capsys.readouterr()
    here()
    said = capsys.readouterr().out
    assert f"going on after epoch 3 of {EPOCHS}" in said
    assert "epoch 3/" not in said
    assert outs(project, CNN) == reference


def test_finished_but_not_recorded_is_not_trained_again(project, reference, capsys):
    here()
    os.system("rm -r data/runs data/history")  # dvc was killed before it recorded, and clears the outs
    capsys.readouterr()
    here()
    said = capsys.readouterr().out
    assert "was trained already" in said and "To train it anew, remove " in said
    assert "epoch 1/" not in said
    assert outs(project, CNN) == reference


def test_two_states_are_kept_and_no_more(project):
    here(stop_after=4)
    _, names = state_files()
    assert {"0003.json", "0003.safetensors", "0004.json", "0004.safetensors"} <= set(names)
    assert len([name for name in names if name.startswith("0")]) == 4


@pytest.mark.parametrize("damage", ["truncated", "tampered", "gone", "json truncated", "json tampered"])
def test_a_damaged_state_falls_back_to_the_one_before(project, reference, capsys, damage):
    here(stop_after=4)
    folder, _ = state_files()
    file = folder / ("0004.json" if damage.startswith("json") else "0004.safetensors")
    content = bytearray(file.read_bytes())
    if damage.endswith("truncated"):
        del content[-20:]
    elif damage == "json tampered":
        content = bytearray(json.dumps(json.loads(content)).replace('"seconds": ', '"seconds": 1').encode())
    else:
        content[-1] ^= 1
    file.write_bytes(content)
    if damage == "gone":
        file.unlink()
    capsys.readouterr()
    here()
    said = capsys.readouterr().out
    assert "0004.json is damaged" in said
    assert f"going on after epoch 3 of {EPOCHS}" in said
    assert outs(project, CNN) == reference


def test_with_both_states_damaged_it_starts_again(project, reference, capsys):
    here(stop_after=4)
    folder, names = state_files()
    for name in names:
        if name.endswith(".safetensors"):
            (folder / name).write_bytes(b"")
    here()
    assert "going on" not in capsys.readouterr().out
    assert outs(project, CNN) == reference


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
        Split("tiny", 1.0, 0, 0.1, 90, np.arange(69), np.arange(70, 90)).save(cells.split("tiny", 1.0, 0))
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


def test_a_training_elsewhere_with_the_same_state_refuses_too(project, monkeypatch):
    training = Training(Inputs.read(CNN))
    with resume.exclusive(training.store.lock, CNN), pytest.raises(StudyError, match="another process"):
        training.run(None)


def test_clear_leaves_a_running_training_alone(project):
    here(stop_after=1)
    store = Training(Inputs.read(CNN)).store
    with resume.exclusive(store.lock, CNN):
        resume.clear(CNN, sha256_of_best(store))
        assert store.load() is not None
    resume.clear(CNN, sha256_of_best(store))
    assert not resume.folder(CNN).exists()


def test_a_full_disk_keeps_the_last_good_state(project, reference, monkeypatch):
    here(stop_after=2)

    def full(handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as context, pytest.raises(OSError, match="No space left on device") as caught:
        context.setattr(os, "fsync", full)
        here()
    assert str(caught.value.filename).endswith("0003.safetensors")
    _, names = state_files()
    assert {"0001.json", "0002.json"} <= set(names)
    assert not [name for name in names if name.endswith(".part")]
    assert "No space left" in json.loads(cells.failed(CNN).read_text())["error"]
    here()
    assert outs(project, CNN) == reference


def test_time_is_up(project, reference, capsys):
    done = run(project, "train", CNN, "--budget", 0.001)
    assert done.returncode == 75
    assert f"{CNN} stands after epoch 1 of {EPOCHS}; the same command" in done.stdout  # one epoch at least
    assert not cells.failed(CNN).exists()
    with pytest.raises(SystemExit) as caught:
        Training(Inputs.read(CNN)).run(time.monotonic())
    assert caught.value.code == 75
    Training(Inputs.read(CNN)).run(time.monotonic() + 1000)
    assert outs(project, CNN) == reference
