"""Ways to train the same models on made-up images: each a generator that does one step at a time.

ours        the stage's step and data path: uint8 images of 32 pixels, indexed, enlarged, normalised on the device
ours, step  the same on images that have the model's size already: indexed and normalised alone
synthetic   the same step on one ready batch: no data path, the ceiling
plain       as the published study ran it: PIL Resize, ToTensor, Normalize in a DataLoader, fp32, Adam, torch's defaults
timm        timm at its best: its loader with prefetcher, bf16 autocast, channels-last, fused Adam, torch.compile
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from study.design.recipe import Recipe
from study.engine import exactness
from study.engine.batches import ImageSet, Preprocess
from study.engine.training import Trainer
from study.models.build import build, is_convolutional

CLASSES = 10
SIDE = 32  # pixels of the data sets' images
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Size:
    """What is measured on a kind of machine: pixels of the models' input, images, and processes of the loaders."""

    image_size: int
    images: int
    enlarged: int  # images that are kept at the models' size
    workers: int


SIZES = {"cuda": Size(224, 50_000, 4096, min(16, os.cpu_count() or 1)), "cpu": Size(64, 2048, 512, 0)}


def size(device: torch.device) -> Size:
    return SIZES["cuda" if device.type == "cuda" else "cpu"]


def synchronise(device: torch.device) -> Callable[[], None]:
    """What waits until ``device`` has done all it was told."""
    if device.type == "cuda":
        return torch.cuda.synchronize
    return torch.mps.synchronize if device.type == "mps" else lambda: None


def steps(way: str, arch: str, batch: int, device: torch.device) -> Iterator[None]:
    """Endless steps of ``way``, training ``arch`` at ``batch`` images a step."""
    make = {"plain": plain, "timm": timms}.get(way)
    return make(arch, batch, device) if make else ours(way, arch, batch, device)


def queued(way: str, device: torch.device) -> int:
    """How many batches a way's loader prepares ahead: those that cost nothing to somebody who has waited."""
    return 2 * size(device).workers + 2 if way in ("plain", "timm") and size(device).workers else 0


def ours(way: str, arch: str, batch: int, device: torch.device) -> Iterator[None]:
    """Steps of the stage train."""
    exactness.pin(device, "bf16")
    pixels = size(device).image_size
    recipe = Recipe(pixels, 20, batch, 0.001, (0.9, 0.999), 1e-8, 1e-4, "none", "bf16")
    count, side = {
        "ours": (size(device).images, SIDE), "ours, step": (size(device).enlarged, pixels), "synthetic": (batch, pixels)
    }[way]  # fmt: skip
    images, labels = made_up(max(count, batch), side)
    data = ImageSet.load(images, labels, device)
    preprocess = Preprocess(pixels, list(MEAN), list(STD), "bicubic", device)
    ready = preprocess(data.images[:batch])

    class Synthetic(Trainer):
        def inputs(self, indices: Tensor, movements: Tensor | None) -> tuple[Tensor, Tensor]:
            return ready, self.train.labels

    model = build(arch, {}, CLASSES, pixels, seed=0)
    if way == "synthetic":
        layout = torch.channels_last if is_convolutional(model) else torch.contiguous_format
        ready = ready.contiguous(memory_format=layout)
    trainer = (Synthetic if way == "synthetic" else Trainer)(model, recipe, 0, data, data, preprocess)
    model.train()
    order = torch.from_numpy(np.random.RandomState(0).permutation(len(data))).to(device)
    while True:  # an epoch as Trainer.run_epoch has it, without its partial batch
        trainer.step_number.zero_()
        for step in range(len(data) // batch):
            trainer._seed(0, step)
            trainer.full_step(order[step * batch : (step + 1) * batch], None)
            yield


def plain(arch: str, batch: int, device: torch.device) -> Iterator[None]:
    """The loop of most tutorials, and of the published study."""
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset
    from torchvision import transforms

    images, labels = made_up(size(device).images, SIDE)
    pixels, workers = size(device).image_size, size(device).workers
    transform = transforms.Compose(
        [transforms.Resize((pixels, pixels)), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    )

    class Images(Dataset[Any]):
        def __len__(self) -> int:
            return len(labels)

        def __getitem__(self, place: int) -> tuple[Any, int]:
            return transform(Image.fromarray(images[place])), int(labels[place])

    loader = DataLoader(
        Images(), batch, shuffle=True, num_workers=workers, drop_last=True, pin_memory=device.type == "cuda",
        persistent_workers=workers > 0,
    )  # fmt: skip
    model = build(arch, {}, CLASSES, pixels, seed=0).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, weight_decay=1e-4)
    criterion = torch.nn.CrossEntropyLoss()
    while True:
        for inputs, targets in loader:
            loss = criterion(model(inputs.to(device)), targets.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield


def timms(arch: str, batch: int, device: torch.device) -> Iterator[None]:
    """timm's own loader and its settings for speed; where there is no CUDA, without its prefetcher and uncompiled."""
    from PIL import Image
    from timm.data import create_loader

    images, labels = made_up(size(device).images, SIDE)
    pixels, workers = size(device).image_size, size(device).workers

    class Images(torch.utils.data.Dataset[Any]):
        transform: Any = None  # set by create_loader

        def __len__(self) -> int:
            return len(labels)

        def __getitem__(self, place: int) -> tuple[Any, int]:
            return self.transform(Image.fromarray(images[place])), int(labels[place])

    cuda = device.type == "cuda"
    loader = create_loader(
        Images(), (3, pixels, pixels), batch, is_training=True, no_aug=True, use_prefetcher=cuda, num_workers=workers,
        mean=MEAN, std=STD, interpolation="bicubic", crop_pct=1.0, device=device, pin_memory=cuda,
        persistent_workers=workers > 0,
    )  # fmt: skip
    torch.backends.cudnn.benchmark = True
    model = build(arch, {}, CLASSES, pixels, seed=0).to(device).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, weight_decay=1e-4, fused=True)
    forward = torch.compile(model) if cuda else model
    while True:
        for inputs, targets in loader:
            inputs = inputs.to(device).contiguous(memory_format=torch.channels_last)
            with torch.autocast(device.type, torch.bfloat16):
                loss = torch.nn.functional.cross_entropy(forward(inputs), targets.to(device))
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad()
            yield


def made_up(count: int, side: int) -> tuple[Any, Any]:
    """``count`` images of noise (N, side, side, 3) uint8, and their labels (N,) int64."""
    random = np.random.RandomState(0)
    return random.randint(0, 256, (count, side, side, 3), np.uint8), random.randint(0, CLASSES, count).astype(np.int64)


def flops(arch: str, image_size: int) -> int:
    """FLOPs of forward and backward on one image, counted by torch on tensors without memory."""
    from torch.utils.flop_counter import FlopCounterMode

    model = build(arch, {}, CLASSES, image_size, seed=0).to("meta")
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(2, 3, image_size, image_size, device="meta")).sum().backward()
    return int(counter.get_total_flops()) // 2


def matrix_rate(device: torch.device) -> float:
    """The highest rate of matrix products in FLOP/s that ``device`` reaches here, in bf16 or fp32: the best of ten."""
    import time

    wait = synchronise(device)
    side, best = (8192 if device.type == "cuda" else 1024), 0.0
    for kind in (torch.bfloat16, torch.float32):
        matrix = torch.randn(side, side, device=device, dtype=kind)
        for _ in range(10):
            wait()
            begun = time.perf_counter()
            for _ in range(4):
                matrix @ matrix
            wait()
            best = max(best, 2 * side**3 * 4 / (time.perf_counter() - begun))
    return best
