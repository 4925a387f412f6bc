"""The code for CUDA on a machine without it: fake tensors say where a step waits, a stand-in for CUDA's graphs replays one."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import test_training
import torch
from test_training import RECIPE, quiet, trainer
from tiny import ARCHS
from torch import Tensor, nn
from torch._subclasses.fake_tensor import DynamicOutputShapeException, FakeTensorMode, unset_fake_temporarily
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from study.base.errors import StudyError
from study.design.recipe import CHOICES, Recipe
from study.engine import cuda_graphs, exactness
from study.engine.inference import logits
from study.engine.memory import enough
from study.models.build import build

everything = pytest.mark.parametrize(
    ("family", "augmentation"), [(family, way) for family in ARCHS for way in CHOICES["augmentation"]]
)


def make(family, augmentation, device="cpu"):
    """A trainer of 58 images in batches of 16, which are enlarged from 32 to 40 pixels."""
    recipe = Recipe(**{**vars(RECIPE), "image_size": 40, "augmentation": augmentation})
    return trainer(recipe, arch=ARCHS[family], device=device)


class Crossings(TorchDispatchMode):
    """Counts the operations that see more than one device: copies to or from the host, which wait for it."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        known = func is not torch.ops.aten._fused_adam_.tensor_lr  # of which fake tensors know nothing; it changes its first
        result = func(*args, **(kwargs or {})) if known else None
        devices = {leaf.device for leaf in tree_leaves((args, kwargs, result)) if isinstance(leaf, Tensor)}
        self.count += len(devices) > 1
        return result


class Recording(TorchDispatchMode):
    """What a CUDA graph is, on the CPU: the operations of a step, run again on the memory that they had.

    Unlike CUDA it also does what it records.
    """

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, result))
        return result

    @torch.no_grad()
    def replay(self):
        for func, args, kwargs, result in self.calls:
            for old, new in zip(tree_leaves(result), tree_leaves(func(*args, **kwargs)), strict=True):
                if isinstance(old, Tensor) and old.untyped_storage().data_ptr() != new.untyped_storage().data_ptr():
                    old.copy_(new)


@pytest.fixture
def fake_cuda(monkeypatch):
    """Within it, tensors on cuda have shapes and devices but no memory; a question for their values raises an error.

    Three things cannot be had of fake tensors here: torch's way of moving a module, the check of a tensor that Adam's
    learning rate is, and, where there is no CUDA, the backward pass.
    """

    def move(module, function, recurse=True):
        for part in module.modules():
            for name, parameter in part.named_parameters(recurse=False):
                setattr(part, name, nn.Parameter(function(parameter.detach())))
            for name, buffer in part.named_buffers(recurse=False):
                setattr(part, name, function(buffer))
        return module

    def eager(trainer):
        trainer.preprocess(trainer.train.images[:1])  # makes the taps of the resize
        return trainer.step

    class Adam(torch.optim.Adam):
        def __init__(self, parameters, lr, **options):
            super().__init__(parameters, lr=1.0, **options)
            self.param_groups[0]["lr"] = lr
            self.zero_grad = lambda set_to_none: self._give_grads()

        def _give_grads(self):
            for parameter in self.param_groups[0]["params"]:
                parameter.grad = torch.empty_like(parameter)

    def built(*arguments, **options):
        with unset_fake_temporarily():  # timm computes with values as it builds
            return build(*arguments, **options)

    monkeypatch.setattr(test_training, "build", built)
    monkeypatch.setattr(nn.Module, "_apply", move)
    monkeypatch.setattr(torch.optim, "Adam", Adam)
    monkeypatch.setattr(Tensor, "backward", lambda loss: None)
    monkeypatch.setattr(cuda_graphs, "captured", eager)
    with FakeTensorMode(allow_non_fake_inputs=True):
        yield


@everything
def test_an_epoch_on_cuda_waits_for_nothing_until_its_last_step_and_mixes_no_devices(family, augmentation, fake_cuda):
    ours = make(family, augmentation, "cuda")
    assert {tensor.device.type for tensor in ours.tensors().values()} == {"cuda"}
    seen = []
    with Crossings() as crossings, pytest.raises(DynamicOutputShapeException, match="nonzero"):
        ours.run_epoch(0, lambda images, loss: seen.append((images, crossings.count)))
    plan = 1 if augmentation == "none" else 2  # the epoch's order, and its moves
    assert seen == [(images, plan) for images in (16, 32, 48, 58)]
    with Crossings() as crossings:
        outputs = logits(ours.model, ours.validation, ours.preprocess, "fp32", ours.channels_last)
    assert (outputs.device.type, outputs.shape, crossings.count) == ("cuda", (58, 6), 0)


@everything
def test_a_replayed_step_trains_to_the_same_bytes(family, augmentation, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda function, dynamic: function)
    stream = SimpleNamespace(wait_stream=lambda other: None)
    stand_ins = {
        "Stream": lambda device: stream,
        "current_stream": lambda device: stream,
        "stream": nullcontext,
        "CUDAGraph": Recording,
        "graph": lambda graph, stream: graph,
    }
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)

    def plain():
        made = make(family, augmentation)
        made.optimizer.param_groups[0]["lr"] = torch.tensor(1.0)  # as on CUDA
        return made

    def replayed():
        made = plain()
        before = made.snapshot()
        made.full_step = cuda_graphs.captured(made)
        assert same(before, made.tensors())
        return made

    def same(some, others):
        return all(torch.equal(tensor, others[name]) for name, tensor in some.items())

    reference, ours = plain(), replayed()
    assert reference.run_epoch(0, quiet) == ours.run_epoch(0, quiet)
    resumed = replayed()
    resumed.restore(ours.snapshot())
    assert reference.run_epoch(1, quiet) == ours.run_epoch(1, quiet) == resumed.run_epoch(1, quiet)
    assert same(reference.tensors(), ours.tensors())
    assert same(reference.tensors(), resumed.tensors())


def test_another_gpu_than_the_first_is_the_current_one(monkeypatch):
    chosen = []
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(torch, "use_deterministic_algorithms", chosen.append)
    monkeypatch.setattr(exactness.devices, "describe", str)
    exactness.pin(torch.device("cuda:1"), "bf16")
    exactness.pin(torch.device("cuda"), "bf16")
    assert chosen == [1, True, 0, True]


def test_memory_that_runs_out_in_a_recording_is_one_sentence():
    with pytest.raises(StudyError, match="GPU is out of memory"), enough("GPU", "lower it"):
        try:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        finally:
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture")
