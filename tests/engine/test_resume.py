"""Killed at any moment, a training goes on and ends in the same bytes."""

import json
import multiprocessing
import os
import random
import signal
import time

import pytest
from interrupted import EPOCHS, here
from tiny import CNN, make, outs, run

from study.design import cells
from study.engine import resume
from study.engine.inputs import Inputs
from study.engine.run import Training


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """What a training that nobody disturbs writes."""
    folder = make(tmp_path_factory.mktemp("reference"), epochs=EPOCHS)
    done = run(folder, "train", CNN)
    assert done.returncode == 0, done.stderr
    return outs(folder, CNN)


def child(folder) -> None:
    """Train in a process of its own, which has torch and timm imported already."""
    os.environ["STUDY_DEVICE"] = "cpu"
    os.chdir(folder)
    here()


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
