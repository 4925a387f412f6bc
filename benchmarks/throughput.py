"""How fast we train, beside other ways to train the same models: one table from one run.

    python benchmarks/throughput.py --minutes 8

Each line is a process of its own, so that no way of training inherits another's settings and the time from the start of
the process to the end of its first step is measured too. Images are made up; no dataset file is needed. Without a CUDA
device the same code runs small models at 64 pixels: a test of the benchmark, not a result.

ours        the stage's step and data path: uint8 images of 32 pixels, indexed, enlarged, normalised on the device
ours, step  the same on images that have the model's size already: indexed and normalised alone
synthetic   the same step on one ready batch: no data path, the ceiling
plain       as the published study ran it: PIL Resize, ToTensor, Normalize in a DataLoader, fp32, Adam, torch's defaults
timm        timm at its best: its loader with prefetcher, bf16 autocast, channels-last, fused Adam, torch.compile
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START = time.time()
WAYS = ("ours", "ours, step", "synthetic", "plain", "timm")
BLOCKS = 8  # of steps, timed one by one: their median is the rate, their range the spread
CLASSES = 10
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Size:
    """What is measured on a kind of machine."""

    models: tuple[str, ...]
    image_size: int
    batch: int
    larger: tuple[int, ...]  # candidates for the best batch
    images: int
    workers: int


SIZES = {
    "cuda": Size(("resnet50", "vit_small_patch16_224"), 224, 64, (128, 256, 512, 1024), 8192, min(16, os.cpu_count() or 1)),
    "cpu": Size(("resnet10t", "test_vit"), 64, 16, (32,), 256, 0),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=8.0, help="time budget of the whole run")
    arguments.add_argument("--models", nargs="+", help="timm names, in place of the default ones")
    arguments.add_argument("--json", type=Path, help="write the measurements there as well")
    arguments.add_argument("--one", nargs=3, metavar=("WAY", "MODEL", "BATCH"), help=argparse.SUPPRESS)
    arguments.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.one:
        way, model, batch = given.one
        print(json.dumps(measure(way, model, int(batch), given.seconds)))
    else:
        compare(given.minutes * 60, given.models, given.json)


def compare(budget: float, models: list[str] | None, file: Path | None) -> None:
    """Measure every way for every model, print the table; what no longer fits into ``budget`` seconds is left out."""
    kind, name, rate = machine()
    size = SIZES[kind]
    chosen = tuple(models or size.models)
    print(f"{name}; {rate / 1e12:.1f} TFLOP/s in bf16 matrix products; images of {size.image_size} pixels\n")
    print(f"{'model':22} {'way':11} {'batch':>5} {'img/s':>8} {'spread':>15} {'/ plain':>8} {'/ timm':>7} {'of peak':>8} "
          f"{'memory':>8} {'first step':>10}")  # fmt: skip
    jobs = [(way, model, size.batch) for model in chosen for way in ("plain", "timm", "synthetic", "ours, step", "ours")]
    jobs += [("ours", model, batch) for model in chosen for batch in size.larger]
    seconds = budget / len(jobs) / 3  # the rest is for starting and compiling
    results: list[dict[str, Any]] = []
    for place, (way, model, batch) in enumerate(jobs):
        if time.time() - START > budget * 0.95:
            print(f"left out, the time is up: {len(jobs) - place} of {len(jobs)} lines, from {way} {model} at batch {batch}")
            break
        command = [sys.executable, __file__, "--one", way, model, str(batch), "--seconds", str(seconds)]
        left = max(budget - (time.time() - START), 30.0)
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=left, check=True)
        except subprocess.SubprocessError as error:
            reason = (getattr(error, "stderr", None) or "").strip().splitlines()
            print(f"{model:22} {way:11} {batch:5} failed: {reason[-1] if reason else error}", flush=True)
            continue
        result = json.loads(done.stdout.splitlines()[-1])
        results.append(result)
        print(line(result, results, rate), flush=True)
    for model in chosen:
        ours = [result for result in results if result["model"] == model and result["way"] == "ours"]
        if ours:
            best = max(ours, key=lambda result: result["rate"])
            print(f"{model}: the best batch is {best['batch']}, {best['rate']:.0f} img/s")
    if file:
        file.write_text(json.dumps({"machine": name, "matrix_flops": rate, "results": results}, indent=1) + "\n")


def line(result: dict[str, Any], results: list[dict[str, Any]], peak: float) -> str:
    """One line of the table; ratios are to the lines of the same model at the same batch, where there are any."""

    def ratio(way: str) -> str:
        same = [each for each in results if each["way"] == way and all(each[key] == result[key] for key in ("model", "batch"))]
        return f"{result['rate'] / same[0]['rate']:.2f}" if same else "-"

    spread = f"{result['slowest']:.0f} to {result['fastest']:.0f}"
    memory = f"{result['memory'] / 2**30:.1f} GiB" if result["memory"] else "-"
    return (
        f"{result['model']:22} {result['way']:11} {result['batch']:5} {result['rate']:8.0f} "
        f"{spread:>15} {ratio('plain'):>8} {ratio('timm'):>7} "
        f"{result['rate'] * result['flops'] / peak:8.1%} {memory:>8} {result['first_step']:8.1f} s"
    )


def machine() -> tuple[str, str, float]:
    """Kind and name of the device, and its measured rate of bf16 matrix products in FLOP/s (in a process of its own)."""
    code = (
        "import sys, time, torch; sys.path.insert(0, '.');"
        "from stages.lib import devices; from stages.lib.engine import exactness;"
        "device = devices.choose(); exactness.pin(device);"
        "side = 8192 if device.type == 'cuda' else 1024;"
        "a = torch.randn(side, side, device=device, dtype=torch.bfloat16);"
        "wait = torch.cuda.synchronize if device.type == 'cuda' else (lambda: None);"
        "[a @ a for _ in range(5)]; wait(); start = time.perf_counter(); [a @ a for _ in range(20)]; wait();"
        "print(device.type, 2 * side**3 * 20 / (time.perf_counter() - start), devices.describe(device), sep='|')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    kind, rate, name = done.stdout.strip().split("|")
    return ("cuda" if kind == "cuda" else "cpu"), name, float(rate)


def measure(way: str, arch: str, batch: int, seconds: float) -> dict[str, Any]:
    """The rate of one way in this process: img/s as median, slowest and fastest of the blocks."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    import torch

    from stages.lib import devices
    from stages.lib.engine import exactness

    device = devices.choose()
    size = SIZES["cuda" if device.type == "cuda" else "cpu"]
    if device.type == "cpu":  # every way with the stage's threads: more of them measure the other processes here
        torch.set_num_threads(exactness.THREADS)
    wait: Callable[[], None] = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    steps = {"plain": plain, "timm": timms}.get(way)
    run = steps(arch, batch, size, device) if steps else ours(way, arch, batch, size, device)
    next(run)
    wait()
    first_step = time.time() - START
    for _ in range(3):
        next(run)
    wait()
    begun = time.perf_counter()
    next(run)
    wait()
    count = max(1, int(seconds / BLOCKS / (time.perf_counter() - begun)))
    rates = []
    for _ in range(BLOCKS):
        begun = time.perf_counter()
        for _ in range(count):
            next(run)
        wait()
        rates.append(count * batch / (time.perf_counter() - begun))
    return {
        "way": way,
        "model": arch,
        "batch": batch,
        "rate": statistics.median(rates),
        "slowest": min(rates),
        "fastest": max(rates),
        "flops": flops(arch, size.image_size),
        "memory": torch.cuda.max_memory_allocated() if device.type == "cuda" else None,
        "first_step": first_step,
    }


def ours(way: str, arch: str, batch: int, size: Size, device: Any) -> Iterator[None]:
    """Steps of the stage train."""
    import numpy as np
    import torch
    from torch import Tensor

    from stages.lib.engine import exactness
    from stages.lib.engine.batches import ImageSet, Preprocess
    from stages.lib.engine.models import build, is_convolutional
    from stages.lib.engine.recipe import Recipe
    from stages.lib.engine.training import Trainer

    exactness.pin(device)
    recipe = Recipe(size.image_size, 20, batch, 0.001, (0.9, 0.999), 1e-8, 1e-4, "none", "bf16")
    side = 32 if way == "ours" else size.image_size
    images, labels = made_up(batch if way == "synthetic" else max(size.images, batch), side)
    data = ImageSet.load(images, labels, device)
    preprocess = Preprocess(size.image_size, list(MEAN), list(STD), "bicubic", device)
    ready = preprocess(data.images[:batch])

    class Synthetic(Trainer):
        def inputs(self, indices: Tensor, movements: Tensor | None) -> tuple[Tensor, Tensor]:
            return ready, self.train.labels

    model = build(arch, {}, CLASSES, size.image_size, seed=0)
    if way == "synthetic":
        layout = torch.channels_last if is_convolutional(model) else torch.contiguous_format
        ready = ready.contiguous(memory_format=layout)
    trainer = (Synthetic if way == "synthetic" else Trainer)(model, recipe, 0, data, data, preprocess)
    model.train()
    whole = len(data) // batch
    order = torch.from_numpy(np.random.RandomState(0).permutation(len(data))).to(device)
    step = 0
    while True:
        if step % whole == 0:
            trainer.place.zero_()
        start = step % whole * batch
        trainer.full_step(order[start : start + batch], None)
        step += 1
        yield


def plain(arch: str, batch: int, size: Size, device: Any) -> Iterator[None]:
    """The loop of most tutorials, and of the published study."""
    import timm
    import torch
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset
    from torchvision import transforms

    images, labels = made_up(size.images, 32)
    transform = transforms.Compose(
        [transforms.Resize((size.image_size,) * 2), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    )

    class Images(Dataset[Any]):
        def __len__(self) -> int:
            return len(labels)

        def __getitem__(self, place: int) -> tuple[Any, int]:
            return transform(Image.fromarray(images[place])), int(labels[place])

    loader = DataLoader(
        Images(), batch, shuffle=True, num_workers=size.workers, drop_last=True, pin_memory=device.type == "cuda",
        persistent_workers=size.workers > 0,
    )  # fmt: skip
    sized = {"img_size": size.image_size} if "vit" in arch else {}
    model = timm.create_model(arch, num_classes=CLASSES, **sized).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, weight_decay=1e-4)
    criterion = torch.nn.CrossEntropyLoss()
    while True:
        for inputs, targets in loader:
            loss = criterion(model(inputs.to(device)), targets.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield


def timms(arch: str, batch: int, size: Size, device: Any) -> Iterator[None]:
    """timm's own loader and its usual settings for speed."""
    import timm
    import torch
    from PIL import Image
    from timm.data import create_loader

    images, labels = made_up(size.images, 32)

    class Images(torch.utils.data.Dataset[Any]):
        transform: Any = None  # set by create_loader

        def __len__(self) -> int:
            return len(labels)

        def __getitem__(self, place: int) -> tuple[Any, int]:
            return self.transform(Image.fromarray(images[place])), int(labels[place])

    cuda = device.type == "cuda"
    loader = create_loader(
        Images(), (3, size.image_size, size.image_size), batch, is_training=True, no_aug=True, use_prefetcher=cuda,
        num_workers=size.workers, mean=MEAN, std=STD, interpolation="bicubic", crop_pct=1.0, device=device, pin_memory=cuda,
        persistent_workers=size.workers > 0,
    )  # fmt: skip
    torch.backends.cudnn.benchmark = True
    sized = {"img_size": size.image_size} if "vit" in arch else {}
    model = timm.create_model(arch, num_classes=CLASSES, **sized).to(device).to(memory_format=torch.channels_last)
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
    import numpy as np

    random = np.random.RandomState(0)
    return random.randint(0, 256, (count, side, side, 3), np.uint8), random.randint(0, CLASSES, count).astype(np.int64)


def flops(arch: str, image_size: int) -> int:
    """FLOPs of forward and backward on one image, counted by torch on tensors without memory."""
    import timm
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    sized = {"img_size": image_size} if "vit" in arch else {}
    with torch.device("meta"):
        model = timm.create_model(arch, num_classes=CLASSES, **sized)
        with FlopCounterMode(display=False) as counter:
            model(torch.zeros(2, 3, image_size, image_size)).sum().backward()
    return int(counter.get_total_flops()) // 2


if __name__ == "__main__":
    main()
