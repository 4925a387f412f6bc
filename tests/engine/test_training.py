"""The loop: exactness, the recipe, and errors in one sentence."""

import hashlib
import json
import math

import numpy as np
import pytest
import torch
from tiny import CNN, VIT, make, outs, write_raw, write_split

from stages import evaluate, train
from study.base.errors import StudyError
from study.design import cells
from study.design.cells import Cell
from study.design.recipe import Recipe
from study.engine.batches import ImageSet, Preprocess
from study.engine.inputs import Inputs
from study.engine.run import Training
from study.engine.training import Trainer, learning_rate
from study.models.build import build
from study.results.history import Epoch, best
from study.runtime import records

RECIPE = Recipe(
    image_size=32,
    epochs=3,
    batch_size=16,
    learning_rate=0.002,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0.01,
    augmentation="none",
    precision="fp32",
)


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("STUDY_DEVICE", "cpu")


def run(cell: Cell) -> None:
    """One training, in this process."""
    train.train(cell)


def trainer(recipe=RECIPE, seed=0, arch=("test_vit", {"patch_size": 8, "depth": 1}), device="cpu") -> Trainer:
    random = np.random.RandomState(0)
    images, labels = random.randint(0, 256, (58, 32, 32, 3), np.uint8), np.arange(58) % 6
    chosen = torch.device(device)
    data = ImageSet.load(images, labels, chosen)
    preprocess = Preprocess(recipe.image_size, [0.5] * 3, [0.25] * 3, "bicubic", chosen)
    model = build(*arch, classes=6, image_size=recipe.image_size, seed=seed)
    return Trainer(model, recipe, seed, data, data, preprocess)


def quiet(images, loss):
    pass


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
    assert origin["train_images"] == 70
    assert origin["validation_images"] == 20
    assert origin["recipe"]["epochs"] == 4
    assert (origin["full_images"], origin["official_images"]) == (70, 90)
    assert set(origin["data_md5"]) == {"classes.json", "train_images.npy", "train_labels.npy"}
    assert origin["checkpoint_sha256"] == hashlib.sha256(outs(tmp_path, CNN)["checkpoint.safetensors"]).hexdigest()
    assert not {"wall_seconds", "images_per_second", "device", "python", "platform", "wandb_run_id"} & set(origin)
    record = records.Record.load(records.path(CNN))
    assert record.device.startswith("CPU (") and record.images_per_second > 0 and len(record.code_sha256) == 64
    errors = [float(line.split(",")[5]) for line in lines[1:]]
    assert origin["best_epoch"] == 1 + errors.index(min(errors))
    assert sorted(path.name for path in cells.runs(CNN).iterdir()) == ["checkpoint.safetensors"]


def test_learning_rate_is_annealed_per_epoch():
    rates = [learning_rate(RECIPE, epoch) for epoch in range(3)]
    assert rates == pytest.approx([0.002, 0.002 * 0.75, 0.002 * 0.25])
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.002)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3)
    for rate in rates:
        assert rate == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()


def test_the_best_epoch_is_that_of_the_lowest_loss_among_equals():
    lines = [(0.4, 1.0), (0.2, 0.9), (0.3, 0.1), (0.2, 0.7), (0.2, 0.7)]
    assert best([Epoch(place + 1, 0, 0, 0, loss, error) for place, (error, loss) in enumerate(lines)]) == 4


def test_warm_up_climbs_in_equal_steps_and_the_cosine_takes_the_rest():
    recipe = Recipe(**{**vars(RECIPE), "epochs": 6, "warmup_epochs": 2, "learning_rate": 0.3})
    rates = [learning_rate(recipe, epoch) for epoch in range(6)]
    assert rates[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert rates[3:] == pytest.approx([0.15 * (1 + math.cos(math.pi * step / 4)) for step in (1, 2, 3)])


def test_a_budget_of_steps_gives_a_subset_the_steps_of_the_whole():
    recipe = Recipe(**{**vars(RECIPE), "budget": "steps"})
    ours = trainer(recipe)
    again = Trainer(ours.model, recipe, 0, ours.train, ours.validation, ours.preprocess, full=145)
    assert (len(ours.steps), len(again.steps)) == (4, 9)  # 16 images a step; the last image joins the step before
    seen = np.bincount(again._plan(0)[0].numpy(), minlength=58)
    assert seen.sum() == 145 and seen.min() == 2 and seen.max() == 3  # whole orders, one after the other
    assert len(Trainer(ours.model, RECIPE, 0, ours.train, ours.validation, ours.preprocess, full=145).steps) == 4


@pytest.mark.parametrize(
    ("recipe", "theirs"),
    [
        ({"optimizer": "adamw"}, lambda p: torch.optim.AdamW(p, lr=0.002, eps=1e-3, weight_decay=0.01)),
        ({"optimizer": "sgd", "momentum": 0.8}, lambda p: torch.optim.SGD(p, lr=0.002, momentum=0.8, weight_decay=0.01)),
        ({"clip_norm": 0.1}, lambda p: torch.optim.Adam(p, lr=0.002, eps=1e-3, weight_decay=0.01)),
        ({"label_smoothing": 0.1}, lambda p: torch.optim.Adam(p, lr=0.002, eps=1e-3, weight_decay=0.01)),
    ],
    ids=["adamw", "sgd", "clip", "smoothing"],
)
def test_other_recipes_do_what_a_plain_loop_does(recipe, theirs):
    from study.engine.batches import order

    ours = trainer(Recipe(**{**vars(RECIPE), "eps": 1e-3, **recipe}))
    ours.run_epoch(0, quiet)
    model = build("test_vit", {"patch_size": 8, "depth": 1}, classes=6, image_size=32, seed=0)
    optimizer = theirs(model.parameters())
    images, labels = (ours.train.images.float() / 255 - 0.5) / 0.25, ours.train.labels
    for batch in torch.from_numpy(order(58, 58, 0, 0)).split(16):
        smoothing = recipe.get("label_smoothing", 0.0)
        loss = torch.nn.functional.cross_entropy(model(images[batch]), labels[batch], label_smoothing=smoothing)
        optimizer.zero_grad()
        loss.backward()
        if "clip_norm" in recipe:
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe["clip_norm"])
        optimizer.step()
    for name, parameter in model.named_parameters():
        assert torch.allclose(parameter, ours.model.get_parameter(name), atol=1e-5), name


@pytest.mark.parametrize("augmentation", ["none", "flip_crop"])
def test_a_linear_probe_trains_the_classifier_alone(augmentation):
    recipe = Recipe(**{**vars(RECIPE), "trained": "head", "augmentation": augmentation})
    ours = trainer(recipe, arch=("resnet10t", {"stem_width": 8}))
    before = {name: tensor.clone() for name, tensor in ours.model.state_dict().items()}
    line = ours.run_epoch(0, quiet)
    changed = {name for name, tensor in ours.model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {"fc.weight", "fc.bias"}
    from study.engine.inference import logits

    found = logits(ours.model, ours.validation, ours.preprocess, "fp32", ours.channels_last)
    assert line.val_error == (found.argmax(1) != ours.validation.labels).double().mean().item()
    saved = {name: tensor.clone() for name, tensor in ours.tensors().items()}
    rest = trainer(recipe, arch=("resnet10t", {"stem_width": 8}))
    rest.restore(saved)
    assert ours.run_epoch(1, quiet) == rest.run_epoch(1, quiet)


def test_an_epoch_is_what_a_plain_loop_does():
    from study.engine.batches import order

    eps = 1e-3  # where a gradient is 0 but for rounding, a small one would make steps of the noise
    ours = trainer(Recipe(**{**vars(RECIPE), "eps": eps}))
    line = ours.run_epoch(0, quiet)

    model = build("test_vit", {"patch_size": 8, "depth": 1}, classes=6, image_size=32, seed=0)
    adam = torch.optim.Adam(model.parameters(), lr=0.002, betas=(0.9, 0.999), eps=eps, weight_decay=0.01)
    images, labels = (ours.train.images.float() / 255 - 0.5) / 0.25, ours.train.labels
    total, wrong = 0.0, 0
    for batch in torch.from_numpy(order(58, 58, 0, 0)).split(16):
        logits = model(images[batch])
        loss = torch.nn.functional.cross_entropy(logits, labels[batch])
        adam.zero_grad()
        loss.backward()
        adam.step()
        total += loss.item() * len(batch)
        wrong += (logits.argmax(1) != labels[batch]).sum().item()
    assert line.train_loss == pytest.approx(total / 58, rel=1e-5)
    assert line.train_error == wrong / 58
    for name, parameter in model.named_parameters():
        assert torch.allclose(parameter, ours.model.get_parameter(name), atol=1e-5), name


@pytest.mark.parametrize(
    "arch", [("test_vit", {"patch_size": 8, "depth": 1, "proj_drop_rate": 0.2}), ("resnet10t", {"stem_width": 8})]
)
def test_a_restored_trainer_goes_on_as_if_never_stopped(arch):
    recipe = Recipe(**{**vars(RECIPE), "augmentation": "flip_crop", "precision": "bf16"})
    whole = trainer(recipe, arch=arch)
    whole.run_epoch(0, quiet)
    saved = {name: tensor.clone() for name, tensor in whole.tensors().items()}
    rest = trainer(recipe, seed=0, arch=arch)
    rest.restore({name: tensor.contiguous() for name, tensor in saved.items()})
    assert whole.run_epoch(1, quiet) == rest.run_epoch(1, quiet)
    for name, tensor in whole.tensors().items():
        assert torch.equal(tensor, rest.tensors()[name]), name


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


def test_one_image_left_over_does_not_break_batch_normalisation(tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path, epochs=1))
    write_split(tmp_path, CNN, np.arange(65), np.arange(65, 90))  # 4 * 16 + 1
    run(CNN)


def test_evaluate_measures_what_train_saved(tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path, epochs=2))
    run(CNN)
    evaluate.evaluate(CNN)
    metrics = json.loads((cells.predictions(CNN) / "metrics.json").read_text())
    assert metrics["images"] == 40
    assert math.isclose(metrics["top1_accuracy"] + metrics["top1_error"], 1)
    write_raw(tmp_path / "other", classes=5)


@pytest.mark.parametrize("augmentation", ["none", "flip_crop"])
def test_the_whole_step_can_be_compiled_in_one_piece(augmentation):
    """What CUDA compiles and records: no graph break, data path included."""
    ours = trainer(Recipe(**{**vars(RECIPE), "image_size": 64, "augmentation": augmentation}))
    indices = torch.arange(16)
    movements = None if augmentation == "none" else torch.ones(16, 3, dtype=torch.int64)
    expected = ours.loss(indices, movements)
    found = torch.compile(ours.loss, dynamic=False, fullgraph=True, backend="eager")(indices, movements)
    assert torch.equal(found[0], expected[0])
    assert torch.equal(found[1], expected[1])


@pytest.mark.gpu
@pytest.mark.parametrize("arch", [("resnet10t", {}), ("test_vit", {"patch_size": 8, "proj_drop_rate": 0.1})])
@pytest.mark.parametrize("augmentation", ["none", "flip_crop"])
def test_a_cuda_training_is_exact_and_near_the_cpu(cuda, arch, augmentation):
    from study.engine import exactness

    exactness.pin(cuda, "bf16")
    recipe = Recipe(**{**vars(RECIPE), "augmentation": augmentation, "precision": "bf16"})
    runs = [trainer(recipe, arch=arch, device="cuda") for _ in range(2)]
    lines = [[each.run_epoch(epoch, quiet) for epoch in range(3)] for each in runs]
    assert lines[0] == lines[1]
    for name, tensor in runs[0].tensors().items():
        assert torch.equal(tensor, runs[1].tensors()[name]), name
    if "proj_drop_rate" not in arch[1]:
        reference = trainer(recipe, arch=arch)
        assert reference.run_epoch(0, quiet).train_loss == pytest.approx(lines[0][0].train_loss, rel=0.05)
    saved = {name: tensor.cpu() for name, tensor in runs[0].tensors().items()}
    resumed = trainer(recipe, arch=arch, device="cuda")
    resumed.restore(saved)
    assert resumed.run_epoch(2, quiet) == runs[0].run_epoch(2, quiet)
