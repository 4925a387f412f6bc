"""Ways to train the same models on made-up images: each a generator that does one step at a time.

ours        the stage's step and data path: uint8 images of 32 pixels, indexed, enlarged, normalised on the device
ours, step  the same on images that have the model's size already: indexed and normalised alone
native      ours, with the kernels that each library chooses for this processor: what the same bytes everywhere cost
bf16        ours under bf16 autocast, where the others are in fp32
synthetic   our step on one ready batch: no data path, the ceiling
plain       as the published study ran it: PIL Resize, ToTensor, Normalize in a DataLoader, fp32, Adam, torch's defaults
timm        timm at its best: its loader with prefetcher, channels-last, fused Adam; on CUDA bf16 autocast and torch.compile
plain, step  and
timm, step  the same steps fed by our data path, so that nothing but the step differs

On CUDA plain is in fp32 while the others are in bf16: that is what the published study ran. On a CPU all are in one precision.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.cases import Case
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
    """What is measured on a kind of machine: images, those that are kept at the models' size, processes of the loaders."""

    images: int
    enlarged: int
    workers: int


SIZES = {"cuda": Size(50_000, 4096, min(16, os.cpu_count() or 1)), "cpu": Size(2048, 512, 0)}


def size(device: torch.device) -> Size:
    return SIZES["cuda" if device.type == "cuda" else "cpu"]


def synchronise(device: torch.device) -> Callable[[], None]:
    """What waits until ``device`` has done all it was told."""
    if device.type == "cuda":
        return torch.cuda.synchronize
    return torch.mps.synchronize if device.type == "mps" else lambda: None


def steps(way: str, case: Case, batch: int, device: torch.device) -> Iterator[None]:
    """Endless steps of ``way``, training ``case`` at ``batch`` images a step."""
    if way.startswith(("plain", "timm")):
        make, loader = (plain, plain_loader) if way.startswith("plain") else (timms, timms_loader)
        return make(case, (our_loader if way.endswith(", step") else loader)(case, batch, device), device)
    return ours(way, case, batch, device)


def queued(way: str, device: torch.device) -> int:
    """How many batches a way's loader prepares ahead: those that cost nothing to somebody who has waited."""
    return 2 * size(device).workers + 2 if way in ("plain", "timm") and size(device).workers else 0


def ours(way: str, case: Case, batch: int, device: torch.device) -> Iterator[None]:
    """Steps of the stage train."""
    precision = "bf16" if way == "bf16" else case.precision
    if way != "native":
        exactness.pin(device, precision)
    pixels = case.image_size
    recipe = Recipe(pixels, 20, batch, 0.001, (0.9, 0.999), 1e-8, 1e-4, "none", precision)
    count, side = {"ours, step": (size(device).enlarged, pixels), "synthetic": (batch, pixels)}.get(
        way, (size(device).images, SIDE)
    )
    data, preprocess = our_data(case, max(count, batch), side, device)
    ready = preprocess(data.images[:batch])

    class Synthetic(Trainer):
        def inputs(self, indices: Tensor, movements: Tensor | None) -> tuple[Tensor, Tensor]:
            return ready, self.train.labels

    model = build(case.arch, case.options, CLASSES, pixels, seed=0)
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


def our_data(case: Case, count: int, side: int, device: torch.device) -> tuple[ImageSet, Preprocess]:
    """``count`` made-up images of ``side`` pixels on ``device``, and what makes batches of them."""
    data = ImageSet.load(*made_up(count, side), device)
    return data, Preprocess(case.image_size, list(MEAN), list(STD), "bicubic", device)


def our_loader(case: Case, batch: int, device: torch.device) -> Iterable[tuple[Tensor, Tensor]]:
    """Batches as the stage train makes them."""
    data, preprocess = our_data(case, max(size(device).images, batch), SIDE, device)

    class Loader:
        def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
            for indices in torch.randperm(len(data), device=device).split(batch)[: len(data) // batch]:  # type: ignore[no-untyped-call]
                yield preprocess(data.images[indices]), data.labels[indices]

    return Loader()


def plain_loader(case: Case, batch: int, device: torch.device) -> Iterable[tuple[Tensor, Tensor]]:
    """The loader of most tutorials, and of the published study."""
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset
    from torchvision import transforms

    images, labels = made_up(size(device).images, SIDE)
    workers = size(device).workers
    transform = transforms.Compose(
        [transforms.Resize((case.image_size, case.image_size)), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    )

    class Images(Dataset[Any]):
        def __len__(self) -> int:
            return len(labels)

        def __getitem__(self, place: int) -> tuple[Any, int]:
            return transform(Image.fromarray(images[place])), int(labels[place])

    return DataLoader(
        Images(), batch, shuffle=True, num_workers=workers, drop_last=True, pin_memory=device.type == "cuda",
        persistent_workers=workers > 0,
    )  # fmt: skip


def plain(case: Case, loader: Iterable[tuple[Tensor, Tensor]], device: torch.device) -> Iterator[None]:
    """The loop of most tutorials, and of the published study."""
    model = build(case.arch, case.options, CLASSES, case.image_size, seed=0).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, weight_decay=1e-4)
    criterion = torch.nn.CrossEntropyLoss()
    while True:
        for inputs, targets in loader:
            loss = criterion(model(inputs.to(device)), targets.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield


def timms_loader(case: Case, batch: int, device: torch.device) -> Iterable[tuple[Tensor, Tensor]]:
    """timm's own loader; where there is no CUDA, without its prefetcher."""
    from PIL import Image
    from timm.data import create_loader

    images, labels = made_up(size(device).images, SIDE)
    workers, cuda = size(device).workers, device.type == "cuda"

    class Images(torch.utils.data.Dataset[Any]):
        transform: Any = None  # set by create_loader

        def __len__(self) -> int:
            return len(labels)

        def __getitem__(self, place: int) -> tuple[Any, int]:
            return self.transform(Image.fromarray(images[place])), int(labels[place])

    return create_loader(  # type: ignore[no-any-return]
        Images(), (3, case.image_size, case.image_size), batch, is_training=True, no_aug=True, use_prefetcher=cuda,
        num_workers=workers, mean=MEAN, std=STD, interpolation="bicubic", crop_pct=1.0, device=device, pin_memory=cuda,
        persistent_workers=workers > 0,
    )  # fmt: skip


def timms(case: Case, loader: Iterable[tuple[Tensor, Tensor]], device: torch.device) -> Iterator[None]:
    """timm's settings for speed; where there is no CUDA, uncompiled."""
    torch.backends.cudnn.benchmark = True
    model = build(case.arch, case.options, CLASSES, case.image_size, seed=0).to(device).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, weight_decay=1e-4, fused=True)
    forward = torch.compile(model) if device.type == "cuda" else model
    while True:
        for inputs, targets in loader:
            inputs = inputs.to(device).contiguous(memory_format=torch.channels_last)
            with torch.autocast(device.type, torch.bfloat16, enabled=case.precision == "bf16"):
                loss = torch.nn.functional.cross_entropy(forward(inputs), targets.to(device))
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad()
            yield


def made_up(count: int, side: int) -> tuple[Any, Any]:
    """``count`` images of noise (N, side, side, 3) uint8, and their labels (N,) int64."""
    random = np.random.RandomState(0)
    return random.randint(0, 256, (count, side, side, 3), np.uint8), random.randint(0, CLASSES, count).astype(np.int64)


def flops(case: Case) -> int:
    """FLOPs of forward and backward on one image, counted by torch on tensors without memory."""
    from torch.utils.flop_counter import FlopCounterMode

    model = build(case.arch, case.options, CLASSES, case.image_size, seed=0).to("meta")
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(2, 3, case.image_size, case.image_size, device="meta")).sum().backward()
    return int(counter.get_total_flops()) // 2


def matrix_rate(device: torch.device) -> float:
    """The highest rate of matrix products in FLOP/s that ``device`` reaches here, in bf16 or fp32: the best of ten."""
    import time

    wait = synchronise(device)
    side, best = (8192 if device.type == "cuda" else 512), 0.0
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
