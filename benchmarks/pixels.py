"""Whether the device enlarges images to Pillow's bytes, and normalises them as a CPU does: a line of JSON for each answer.

python -m benchmarks.pixels
"""

import json
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from benchmarks.rows import BROKEN, HELD, Row
from study.engine import exactness, resize
from study.engine.batches import Preprocess
from study.runtime import devices

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
SIZES = ((32, 224), (32, 33), (28, 224), (224, 32))  # side of the images, side that the model sees
IMAGES = 64
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
CPU = torch.device("cpu")
NEAR = 1e-5  # by so much a GPU may be off in normalised pixels: it multiplies by reciprocals where a CPU divides


def main() -> None:
    device = devices.choose()
    exactness.pin(device, "bf16")
    for row in compare(device):
        print(json.dumps(vars(row)), flush=True)


def compare(device: torch.device) -> Iterator[Row]:
    """A row for each filter and size: resize against Pillow, and both steps against the CPU."""
    for name, pillow in FILTERS.items():
        for old, new in SIZES:
            images = _images(old)
            planes = torch.from_numpy(images).permute(0, 3, 1, 2)
            wanted = np.stack([np.asarray(Image.fromarray(image).resize((new, new), pillow)) for image in images])
            enlarged = resize.resize(planes.to(device), new, name).permute(0, 2, 3, 1).cpu().numpy()
            differ = int((enlarged != wanted).sum())
            said, values = f"{differ:,} of {wanted.size:,} values differ", {"differ": differ, "of": wanted.size}
            yield Row("pixels", f"{name} {old} to {new}, against Pillow", BROKEN if differ else HELD, said, values)
            here, there = (Preprocess(new, MEAN, STD, name, where)(planes.to(where)).cpu() for where in (device, CPU))
            yield _near(f"{name} {old} to {new}, normalised, against the CPU", here, there, device)
    if device.type == "cuda":  # as the training's compiled step has it
        planes = torch.from_numpy(_images(32)).permute(0, 3, 1, 2)
        compiled = torch.compile(Preprocess(224, MEAN, STD, "bicubic", device).__call__)
        there = Preprocess(224, MEAN, STD, "bicubic", CPU)(planes)
        yield _near("bicubic 32 to 224, compiled, against the CPU", compiled(planes.to(device)).cpu(), there, device)


def _near(what: str, here: Tensor, there: Tensor, device: torch.device) -> Row:
    """Normalised pixels of ``device`` against the CPU's."""
    differ, apart = int((here != there).sum()), (here - there).abs().max().item()
    verdict = HELD if apart <= (NEAR if device.type == "cuda" else 0) else BROKEN
    said = f"{differ:,} of {there.numel():,} values differ" + (f", by {apart:.0e} at most" if differ else "")
    return Row("pixels", what, verdict, said, {"differ": differ, "of": there.numel(), "apart": apart})


def _images(side: int) -> NDArray[np.uint8]:
    """Noise, and edges from 0 to 255, where rounding and clipping show: (IMAGES, side, side, 3)."""
    images = np.random.RandomState(side).randint(0, 256, (IMAGES, side, side, 3), np.uint8)
    images[::2] = np.where(images[::2] < 128, 0, 255)
    return images


if __name__ == "__main__":
    main()
