"""The loop: exactness, the recipe, and what a plain loop does."""

import math

import numpy as np
import pytest
import torch

from study.design.recipe import Recipe
from study.engine.batches import ImageSet, Preprocess
from study.engine.training import Trainer, learning_rate
from study.models.build import build
from study.results.history import Epoch, History

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
    assert History(tuple(Epoch(place + 1, 0, 0, 0, loss, error) for place, (error, loss) in enumerate(lines))).best == 4


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
