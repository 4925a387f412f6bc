"""The stage train: the same bytes again, its outputs, and errors in one sentence."""

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import yaml
from safetensors.torch import load_file
from tiny import CNN, VIT, make, outs

from stages import evaluate, train
from study.base.errors import StudyError
from study.data.part import Part
from study.design import cells
from study.design.cells import Cell
from study.engine import checkpoint
from study.engine.checkpoint import Checkpoint
from study.engine.inputs import Inputs
from study.engine.run import Training
from study.engine.training import Trainer
from study.results.predictions import Predictions
from study.runtime import records


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("STUDY_DEVICE", "cpu")


def run(cell: Cell) -> None:
    """One training, in this process."""
    train.train(cell)


@pytest.mark.parametrize("cell", [CNN, VIT], ids=str)
def test_the_same_cell_twice_gives_the_same_bytes(cell, tmp_path, monkeypatch):
    found = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(make(tmp_path / name))
        torch.manual_seed(len(found))  # nothing global has a say
        np.random.seed(len(found))  # noqa: NPY002
        run(cell)
        found.append(outs(tmp_path / name, cell))
    assert found[0] == found[1]


def test_another_seed_gives_another_result(tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path))
    other = Cell("tiny", "cnn", 1.0, 1)
    run(CNN)
    run(other)
    assert outs(tmp_path, CNN)["history.csv"] != outs(tmp_path, other)["history.csv"]


def test_outs_are_those_of_the_contract(tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path))
    run(CNN)
    lines = (cells.history(CNN) / "history.csv").read_text().splitlines()
    assert lines[0] == "epoch,learning_rate,train_loss,train_error,val_loss,val_error"
    assert len(lines) == 1 + 4
    origin = json.loads((cells.history(CNN) / "provenance.json").read_text())
    assert origin["cell"] == str(CNN)
    assert origin["train_images"] == 78
    assert origin["validation_images"] == 12
    assert origin["recipe"]["epochs"] == 4
    assert (origin["full_images"], origin["official_images"]) == (78, 90)
    assert set(origin["data_md5"]) == {"classes.json", "train_images.npy", "train_labels.npy"}
    assert origin["checkpoint_sha256"] == hashlib.sha256(outs(tmp_path, CNN)["checkpoint.safetensors"]).hexdigest()
    assert origin["history_sha256"] == hashlib.sha256(outs(tmp_path, CNN)["history.csv"]).hexdigest()
    assert not {"wall_seconds", "images_per_second", "device", "python", "platform", "wandb_run_id"} & set(origin)
    record = records.Record.load(records.path(CNN))
    assert record.device.startswith("CPU (") and record.images_per_second > 0 and len(record.code_sha256) == 64
    curves = [tuple(map(float, line.split(","))) for line in lines[1:]]
    assert origin["best_epoch"] == min(curves, key=lambda line: (line[5], line[4]))[0]
    assert sorted(path.name for path in cells.runs(CNN).iterdir()) == ["checkpoint.safetensors"]


def test_an_infinite_loss_names_epoch_and_step(tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path, learning_rate=1e30, precision="fp32"))
    with pytest.raises(StudyError, match=r"the loss is (nan|inf) in step \d of epoch 1; lower the learning rate"):
        run(CNN)
    failed = json.loads(cells.failed(CNN).read_text())
    assert failed["cell"] == str(CNN)
    assert failed["when_epoch"] == 1
    assert "lower the learning rate" in failed["error"]
    assert not cells.runs(CNN).exists()


def test_a_success_removes_the_record_of_the_failure(tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path, epochs=1))
    cells.failed(CNN).parent.mkdir()
    cells.failed(CNN).write_text("{}")
    run(CNN)
    assert not cells.failed(CNN).exists()


@pytest.mark.parametrize("where", ["__init__", "run_epoch"])
@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
    ids=["allocator", "cuBLAS", "CPU", "Python"],
)
def test_out_of_memory_is_one_sentence(error, where, tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path))

    def fail(*_):
        raise error

    monkeypatch.setattr(Trainer, where, fail)
    with pytest.raises(StudyError, match=r"is out of memory; free it of other processes, or lower train\.batch_size"):
        run(CNN)
    assert "out of memory" in json.loads(cells.failed(CNN).read_text())["error"]


def test_what_is_edited_meanwhile_is_not_recorded_as_the_result_of_the_edit(tmp_path, monkeypatch, capsys):
    """DVC reads params.yaml again when a stage ends."""
    params = make(tmp_path) / "params.yaml"
    monkeypatch.chdir(tmp_path)
    before = params.read_text()
    whole = Training(Inputs.read(CNN))
    run_epoch = Trainer.run_epoch

    def edited(*arguments):
        params.write_text(before.replace("learning_rate: 0.003", "learning_rate: 0.006"))
        return run_epoch(*arguments)

    monkeypatch.setattr(Trainer, "run_epoch", edited)
    with pytest.raises(StudyError, match="were edited while it was trained, so nothing was written; put them back"):
        whole.run(None)
    assert params.read_text() != before
    assert not cells.runs(CNN).exists()
    params.write_text(before)
    run(CNN)
    assert "was trained already" in capsys.readouterr().out
    assert cells.runs(CNN).exists()


def test_a_reader_that_has_gone_is_no_failure(tmp_path, monkeypatch):
    """python -m stages.train ... | head"""
    monkeypatch.chdir(make(tmp_path))

    def fail(*_):
        raise BrokenPipeError

    monkeypatch.setattr(Trainer, "run_epoch", fail)
    with pytest.raises(BrokenPipeError):
        run(CNN)
    assert not cells.failed(CNN).exists()


def test_other_errors_stay_what_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path))

    def fail(*_):
        raise RuntimeError("a defect")

    monkeypatch.setattr(Trainer, "run_epoch", fail)
    with pytest.raises(RuntimeError, match="a defect"):
        run(CNN)


@pytest.mark.parametrize(
    ("missing", "way_out"),
    [
        (cells.raw("tiny") / "train_images.npy", "stages.download tiny"),
        (cells.weights("cnn") / "card.json", "stages.weights cnn"),
        (cells.split("tiny", 1.0, 0) / "train.npy", "stages.split tiny 1.0 0"),
    ],
)
def test_a_missing_input_names_the_command_that_makes_it(missing, way_out, tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path))
    missing.unlink()
    with pytest.raises(StudyError, match=way_out):
        run(CNN)


def test_a_card_of_another_arch_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path))
    (cells.weights("vit") / "card.json").replace(cells.weights("cnn") / "card.json")
    with pytest.raises(StudyError, match=r"is of test_vit .* params.yaml wants resnet10t .* stages.weights cnn"):
        run(CNN)


def test_a_card_of_other_weights_is_refused(tmp_path, monkeypatch):
    """Somebody edited `weights` in params.yaml, and trains by hand with those of before."""
    monkeypatch.chdir(make(tmp_path))
    content = yaml.safe_load(Path("params.yaml").read_text())
    for weights in ({"source": "weights/other", "sha256": None}, {"source": "weights/other", "sha256": "0" * 64}):
        content["models"]["cnn"]["weights"] = weights
        Path("params.yaml").write_text(yaml.safe_dump(content))
        with pytest.raises(StudyError, match=r"is of no weights .* params.yaml wants weights/other.*stages.weights cnn"):
            run(CNN)


def test_one_image_left_over_does_not_break_batch_normalisation(tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path, epochs=1, batch_size=11))
    assert len(Inputs.read(CNN).split.train) == 7 * 11 + 1
    run(CNN)


def test_evaluate_measures_what_train_saved(tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path, epochs=2, image_size=16, precision="fp32"))
    run(CNN)
    evaluate.evaluate(CNN)
    metrics = json.loads((cells.predictions(CNN) / "metrics.json").read_text())
    assert metrics["images"] == 40
    assert math.isclose(metrics["top1_accuracy"] + metrics["top1_error"], 1)
    # The same by timm, safetensors and torch alone.
    file, data = cells.runs(CNN) / checkpoint.FILE, Part.read(cells.raw(CNN.dataset), "test")
    _, said = Checkpoint.read(file)
    model = timm.create_model(said.arch, num_classes=said.classes, **said.arch_options).eval()
    model.load_state_dict(load_file(file))
    pixels = (torch.tensor(np.array(data.images)) / 255 - torch.tensor(said.mean)) / torch.tensor(said.std)
    assert pixels.shape[1] == said.image_size
    with torch.inference_mode():
        logits = model(pixels.permute(0, 3, 1, 2))
    found, labels = Predictions.load(cells.predictions(CNN), CNN), torch.tensor(np.array(data.labels)).long()
    assert found.predicted.tolist() == logits.argmax(1).tolist()
    np.testing.assert_allclose(found.nll, torch.nn.functional.cross_entropy(logits, labels, reduction="none"), atol=1e-4)
