"""What is edited while a stage works is not recorded with a result of the old; what is damaged is not trained on."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.torch import save_file
from tiny import CNN, make, run

from stages import evaluate, split
from study.base.atomic import write
from study.base.errors import StudyError
from study.base.sums import sha256
from study.data.splits import Split
from study.design import cells
from study.engine import resume, testing
from study.engine.checkpoint import Checkpoint
from study.engine.inputs import Inputs
from study.engine.run import Training
from study.models.build import build
from study.models.card import WEIGHTS
from study.runtime import code, edits


@pytest.fixture
def trained(tmp_path, monkeypatch):
    monkeypatch.setenv("STUDY_DEVICE", "cpu")
    monkeypatch.chdir(make(tmp_path, epochs=1))
    Training(Inputs.read(CNN)).run(None)
    return tmp_path


def damage_images():
    file = cells.raw("tiny") / "test_images.npy"
    images = np.load(file)
    images[0] ^= 1
    np.save(file, images)


@pytest.mark.parametrize("what", ["code", "data", "checkpoint"])
def test_what_is_edited_during_a_test_is_refused(trained, monkeypatch, what):
    predict = testing._predict

    def edited(cell, data):
        found = predict(cell, data)
        if what == "data":
            damage_images()
        elif what == "checkpoint":
            with (cells.runs(CNN) / "checkpoint.safetensors").open("ab") as file:
                file.write(b"x")
        else:
            monkeypatch.setattr(code, "digest", lambda module: "edited")
        return found

    monkeypatch.setattr(testing, "_predict", edited)
    with pytest.raises(StudyError, match="were edited while it was made, so nothing was written"):
        evaluate.evaluate(CNN)
    assert not cells.predictions(CNN).exists()


def test_what_is_not_edited_passes():
    with edits.refused("x", lambda: 1):
        pass
    readings = iter((1, 2))
    with pytest.raises(StudyError, match="of x were edited"), edits.refused("x", lambda: next(readings)):
        pass


def test_weights_with_one_byte_changed_are_not_trained_on(tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path))
    folder = cells.weights("cnn")
    card = json.loads((folder / "card.json").read_text())
    save_file(build(card["arch"], card["arch_options"], 6, 32, 0).state_dict(), folder / WEIGHTS)
    (folder / "card.json").write_text(json.dumps(card | {"source": "weights/here", "sha256": sha256(folder / WEIGHTS)}))
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["models"]["cnn"]["weights"] = {"source": "weights/here", "sha256": None}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    Inputs.read(CNN)
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(StudyError, match=r"is damaged: its sha256 is not that of its card; run python -m stages\.weights cnn"):
        Inputs.read(CNN)


def test_a_split_of_another_val_fraction_is_not_trained_on(tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path))
    Split.draw("tiny", 1.0, 0, np.arange(90) % 6, 0.2).save(cells.split("tiny", 1.0, 0))
    with pytest.raises(
        StudyError,
        match=r"is of val_fraction 0\.2, params\.yaml and the dataset want 0\.1; run python -m stages\.split tiny 1\.0 0",
    ):
        Inputs.read(CNN)


def test_a_state_that_cannot_be_saved_is_an_error_not_a_pause(tmp_path):
    """In a loop on exit code 75 it would pause for ever."""
    folder = make(tmp_path, epochs=3)
    script = f"ulimit -f 8; exec {sys.executable} -m stages.train {CNN} --budget 1"
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1 and "error: File too large" in done.stderr and "Traceback" not in done.stderr


def test_a_test_clears_the_state_of_its_own_training_alone(trained):
    other = resume.folder(CNN) / "another"
    resume.Store(CNN, "another").save(resume.State(1, 1, {"seconds": 1.0}, b"tensors", b"another checkpoint"))
    evaluate.evaluate(CNN)
    assert [path.name for path in resume.folder(CNN).iterdir()] == [other.name]


def test_copies_that_a_file_manager_makes_beside_a_state_are_no_states(trained):
    (folder,) = resume.folder(CNN).iterdir()
    (folder / "0001 (copy).json").write_bytes((folder / "0001.json").read_bytes())
    store = resume.Store(CNN, folder.name)
    assert store.load().epoch == 1
    resume.folder(CNN).joinpath(".DS_Store").touch()
    resume.clear(CNN, "none")


def edit(what):
    """Change one thing, as an editor would."""
    if what == "code":
        path = Path("stages/split.py")
    else:
        path = {"labels": cells.raw("tiny") / "train_labels.npy", "params": Path("params.yaml")}[what]
    path.write_bytes(path.read_bytes().replace(b"val_fraction: 0.1", b"val_fraction: 0.2") + b"\n#")


@pytest.mark.parametrize("what", ["code", "labels", "params"])
def test_what_is_edited_during_a_split_is_refused(tmp_path, monkeypatch, root, what):
    monkeypatch.chdir(make(tmp_path))
    Path("stages").unlink()
    shutil.copytree(root / "stages", "stages")
    before = edits.contents([cells.split("tiny", 1.0, 0).parent])
    draw = Split.draw

    def drawn(*arguments):
        edit(what)
        return draw(*arguments)

    monkeypatch.setattr(split.Split, "draw", drawn)
    monkeypatch.setattr(sys, "argv", ["split", "tiny", "1.0", "0"])
    with pytest.raises(StudyError, match="were edited while it was made, so nothing was written"):
        split.main()
    assert before and edits.contents([cells.split("tiny", 1.0, 0).parent]) == before


def test_a_split_without_labels_names_the_stage_that_makes_them(tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path))
    (cells.raw("tiny") / "train_labels.npy").unlink()
    monkeypatch.setattr(sys, "argv", ["split", "tiny", "1.0", "0"])
    with pytest.raises(StudyError, match=r"train_labels.npy is absent or damaged; run dvc repro download@tiny, or"):
        split.main()


@pytest.mark.parametrize(
    ("command", "limit"), [("split tiny 1.0 0", 60_000), ("aggregate tiny", 280_000), (f"train {CNN}", 1_500_000)]
)
def test_little_memory_is_one_sentence(trained, root, command, limit):
    """ulimit -v in KiB: not enough for numpy, for pandas, for torch. At 300,000 Python itself at times has no room to say so."""
    shutil.copy(root / "dvc.yaml", "dvc.yaml")
    script = f"ulimit -v {limit}; exec {sys.executable} -m stages.{command}"
    done = subprocess.run(["bash", "-c", script], cwd=trained, capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0 or "error: " in done.stderr or "OpenBLAS error" in done.stderr


@pytest.mark.parametrize("options", [{"checkpoint_path": "/etc/passwd"}, {"pretrained": True}, {"cache_dir": "x"}])
def test_a_checkpoint_names_no_files(trained, options):
    file = cells.runs(CNN) / "checkpoint.safetensors"
    weights, found = Checkpoint.read(file)
    write(file, replace(found, arch_options={**found.arch_options, **options}).pack(weights))
    done = run(trained, "evaluate", CNN)
    assert done.returncode == 1 and "is no option of an architecture" in done.stderr
