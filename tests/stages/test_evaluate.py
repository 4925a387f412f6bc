"""The stage evaluate: its files, its refusals, and the real models on a few real images."""

import json
import subprocess
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from tiny import CNN, VIT, make, run

from stages import evaluate
from study.base.atomic import write
from study.base.errors import StudyError
from study.data.formats import load as load_dataset
from study.design import cells
from study.design.recipe import Recipe
from study.engine import exactness, resume
from study.engine.batches import ImageSet, Preprocess
from study.engine.checkpoint import Checkpoint, packed
from study.engine.inference import logits
from study.engine.inputs import Inputs
from study.engine.run import Training
from study.engine.training import Trainer
from study.models.build import build, load
from study.results.predictions import Predictions
from study.settings.params import Params, Source


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A project with one trained cell, as the working directory."""
    monkeypatch.setenv("STUDY_DEVICE", "cpu")
    monkeypatch.chdir(make(tmp_path, epochs=2))
    Training(Inputs.read(CNN)).run(None)
    return tmp_path


def test_predictions_are_whole_compact_and_the_same_every_time(trained):
    evaluate.evaluate(CNN)
    file = cells.predictions(CNN) / "predictions.npz"
    first = file.read_bytes()
    with np.load(file) as arrays:
        assert {name: arrays[name].shape for name in arrays} == {
            "cell": (), "checkpoint_sha256": (), "classes": (6,),
            "labels": (40,), "predicted": (40,), "rank": (40,), "confidence": (40,), "nll": (40,),
        }  # fmt: skip
        metrics = json.loads((cells.predictions(CNN) / "metrics.json").read_text())
        assert metrics["top1_error"] == np.mean(arrays["predicted"] != arrays["labels"])
        assert metrics["top5_error"] == np.mean(arrays["rank"] >= 5)
    evaluate.evaluate(CNN)
    assert file.read_bytes() == first


def test_only_runs_and_raw_are_needed(trained):
    (trained / "params.yaml").unlink()
    subprocess.run(["rm", "-r", "data/history", "data/weights", "data/splits"], check=True)
    evaluate.evaluate(CNN)


def test_the_resume_state_is_removed(trained):
    assert resume.folder(CNN).is_dir()
    evaluate.evaluate(CNN)
    assert not resume.folder(CNN).exists()


def test_the_state_of_another_training_of_the_cell_stays(trained):
    """A queued experiment with another recipe keeps its state under the same root."""
    other = resume.Store(CNN, "0" * 64)
    with resume.exclusive(other.lock, CNN):
        other.save(resume.State(1, 1, {"seconds": 1.0}, b"", b"of another recipe"))
    evaluate.evaluate(CNN)
    assert [path.name for path in resume.folder(CNN).iterdir()] == ["0" * 64]
    assert other.load().best == b"of another recipe"


def test_a_checkpoint_of_another_cell_is_refused(trained):
    cells.runs(VIT).mkdir(parents=True)
    (cells.runs(CNN) / "checkpoint.safetensors").rename(cells.runs(VIT) / "checkpoint.safetensors")
    with pytest.raises(StudyError, match=f"is of {CNN} .* run python -m stages.train {VIT}"):
        evaluate.evaluate(VIT)


def test_a_checkpoint_of_another_architecture_is_one_sentence(trained):
    file = cells.runs(CNN) / "checkpoint.safetensors"
    weights, found = Checkpoint.read(file)
    write(file, replace(found, arch="test_vit", arch_options={"patch_size": 8}).pack(weights))
    done = run(trained, "evaluate", CNN)
    assert done.returncode == 1
    assert "does not fit VisionTransformer" in done.stderr
    assert "Traceback" not in done.stderr
    assert not cells.predictions(CNN).exists()


@pytest.mark.parametrize("damage", [lambda content: content[:100], lambda content: b"", lambda content: b"PK" + content])
def test_a_damaged_checkpoint_is_one_sentence(trained, damage):
    file = cells.runs(CNN) / "checkpoint.safetensors"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(StudyError, match="is damaged, or not a checkpoint of this study"):
        evaluate.evaluate(CNN)


def test_a_checkpoint_with_a_bit_flipped_is_one_sentence(trained):
    file = cells.runs(CNN) / "checkpoint.safetensors"
    content = bytearray(file.read_bytes())
    content[-4] ^= 1
    file.write_bytes(content)
    with pytest.raises(StudyError, match=r"checkpoint.safetensors is damaged, or of another training than data/history"):
        evaluate.evaluate(CNN)
    assert not cells.predictions(CNN).exists()


def test_a_damaged_provenance_beside_the_checkpoint_is_one_sentence(trained):
    (cells.history(CNN) / "provenance.json").write_text("{}")
    with pytest.raises(StudyError, match=r"provenance.json damaged; dvc checkout brings back what belongs together"):
        evaluate.evaluate(CNN)


@pytest.mark.parametrize("record", [{}, [], {"cell": str(CNN), "classes": 6}])
def test_a_foreign_record_is_one_sentence(trained, record):
    file = cells.runs(CNN) / "checkpoint.safetensors"
    write(file, packed(Checkpoint.read(file)[0], {"study": json.dumps(record)}))
    with pytest.raises(StudyError, match="is damaged, or not a checkpoint of this study"):
        evaluate.evaluate(CNN)


def test_class_names_that_occur_twice_are_one_sentence(trained):
    file = cells.raw("tiny") / "classes.json"
    names = json.loads(file.read_text())
    file.write_text(json.dumps([names[0], names[0], *names[2:]]))
    with pytest.raises(StudyError, match="classes.json is damaged: it has a name twice"):
        evaluate.evaluate(CNN)


def test_what_is_edited_meanwhile_is_not_recorded(trained, monkeypatch):
    from study.engine import testing

    def edited(cell, data):
        predictions = before(cell, data)
        labels = cells.raw("tiny") / "test_labels.npy"
        labels.write_bytes(labels.read_bytes()[:-1] + b"\1")
        return predictions

    before = testing._predict
    monkeypatch.setattr(testing, "_predict", edited)
    with pytest.raises(StudyError, match="were edited while it was made, so nothing was written"):
        evaluate.evaluate(CNN)
    assert not cells.predictions(CNN).exists()


def test_a_missing_checkpoint_is_one_sentence(trained):
    with pytest.raises(StudyError, match="is not here; the stage train makes it"):
        evaluate.evaluate(VIT)


def test_measured_is_a_flat_copy(trained):
    done = run(trained, "evaluate", CNN, "--measured")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"evaluate {CNN} on CPU (")
    names = sorted(path.name for path in cells.measured(CNN).iterdir())
    assert names == ["history.csv", "metrics.json", "predictions.npz", "provenance.json", "record.json"]


def test_a_cell_is_wrong_before_torch_is_imported(tmp_path):
    done = run(make(tmp_path), "train", "tiny-cnn-1-0")
    assert done.returncode == 1
    assert done.stderr.startswith("error: fraction is 1;")
    done = run(tmp_path, "train", "tiny-resnet-1.0-0")
    assert done.stderr.startswith("error: 'resnet' is not declared under models")


@pytest.mark.parametrize("arch", ["resnet50", "vit_small_patch16_224"])
def test_the_real_models_take_steps_on_real_images(arch, datasets_dir, tmp_path, monkeypatch):
    """Forward, backward, checkpoint and evaluation at 224 pixels; in a process whose kernels are those for bf16."""
    for name in exactness.PORTABLE:
        monkeypatch.delenv(name, raising=False)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
        fresh.submit(take_steps, arch, tmp_path).result()


def take_steps(arch, folder):
    import torch

    device = torch.device("cpu")
    dataset = load_dataset(Source("cifar10", {"url": "http://127.0.0.1:9"}), folder, folder)
    recipe = Recipe(**{**vars(Params.load().recipe("cifar10", "resnet50_scratch")), "batch_size": 4})
    exactness.pin(device, recipe.precision)
    few = ImageSet.load(dataset.train_images[:8], dataset.train_labels[:8], device)
    preprocess = Preprocess(224, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], "bicubic", device)
    trainer = Trainer(build(arch, {}, 10, 224, seed=0), recipe, 0, few, few, preprocess)
    line = trainer.run_epoch(0, lambda images, loss: None)
    assert 1 < line.train_loss < 6
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    record = Checkpoint(str(CNN), arch, {}, 10, 224, mean, std, "bicubic", recipe.precision, 1)
    write(folder / "checkpoint.safetensors", record.pack(trainer.model.state_dict()))

    weights, found = Checkpoint.read(folder / "checkpoint.safetensors")
    model = build(found.arch, {}, 10, 224, seed=1)
    load(model, weights, "checkpoint")
    tests = ImageSet.load(dataset.test_images[:8], dataset.test_labels[:8], device)
    outputs = logits(model, tests, preprocess, recipe.precision, trainer.channels_last).numpy()
    assert outputs.shape == (8, 10)
    assert np.array_equal(outputs, logits(trainer.model, tests, preprocess, recipe.precision, trainer.channels_last).numpy())
    assert Predictions.from_logits(CNN, "0" * 64, outputs, dataset.test_labels[:8], dataset.classes).metrics()["images"] == 8
