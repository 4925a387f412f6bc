"""PIL's resize on batches of uint8 images, with the same bytes on every device.

After Pillow's ``Resample.c`` (ImagingResampleHorizontal_8bpc and its neighbours): two passes of integer taps, each tap a
fixed-point number of 22 bits, rounded and clipped to uint8 in between. Integers do not depend on the order of a sum, so
CPU and GPU agree bit for bit.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

PRECISION_BITS = 22  # Pillow: 32 bits, less 8 of the pixel and 2 of headroom for overshoot


def _bilinear(x: float) -> float:
    return max(0.0, 1.0 - abs(x))


def _bicubic(x: float) -> float:
    x, a = abs(x), -0.5
    if x < 1.0:
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    return (((x - 5.0) * x + 8.0) * x - 4.0) * a if x < 2.0 else 0.0


# Filter and its support in pixels, as in Pillow.
FILTERS: dict[str, tuple[Callable[[float], float], float]] = {"bilinear": (_bilinear, 1.0), "bicubic": (_bicubic, 2.0)}


# For each tap: the input pixel (new,) int64 that each output pixel sees through it, and its weight there (new,) int32.
Axis = list[tuple[Tensor, Tensor]]


@lru_cache(maxsize=64)
def taps(old: int, new: int, interpolation: str) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """For each of ``new`` output pixels: which of ``old`` input pixels it sees, and their fixed-point weights.

    Both are (taps, new). Outputs that see fewer pixels than others are filled up with weight 0.
    """
    kernel, support = FILTERS[interpolation]
    scale = old / new
    stretch = max(scale, 1.0)  # shrinking widens the filter, so that every input pixel counts
    width = math.ceil(support * stretch) * 2 + 1
    indices = np.zeros((width, new), np.int64)
    weights = np.zeros((width, new), np.int32)
    for place in range(new):
        center = (place + 0.5) * scale
        first = max(int(center - support * stretch + 0.5), 0)
        last = min(int(center + support * stretch + 0.5), old)
        values = [kernel((x - center + 0.5) * (1.0 / stretch)) for x in range(first, last)]
        total = sum(values)
        for tap, value in enumerate(values):
            share = (value / total if total else value) * (1 << PRECISION_BITS)
            indices[tap, place] = first + tap
            weights[tap, place] = int(share - 0.5) if share < 0 else int(share + 0.5)
    used = weights.any(axis=1)
    return indices[used], weights[used]


def axis(old: int, new: int, interpolation: str, device: torch.device) -> Axis:
    """``taps`` as tensors on ``device``; nothing where the sizes are equal: PIL leaves such an axis alone."""
    if old == new:
        return []
    indices, weights = (torch.from_numpy(array).to(device) for array in taps(old, new, interpolation))
    return list(zip(indices.unbind(), weights.unbind(), strict=True))


def resize(images: Tensor, size: int, interpolation: str) -> Tensor:
    """``images`` (N, C, H, W) uint8 on any device, as (N, C, size, size) uint8: what PIL's Image.resize makes of each.

    ``interpolation`` is bilinear or bicubic.
    """
    height, width = images.shape[2:]
    device = images.device
    return apply(images, axis(height, size, interpolation, device), axis(width, size, interpolation, device))


def apply(images: Tensor, vertical: Axis, horizontal: Axis) -> Tensor:
    """``images`` (N, C, H, W) uint8 after the pass along the width, then the one along the height, as PIL orders them."""
    return _along(_along(images, 3, horizontal), 2, vertical)


def _along(images: Tensor, dimension: int, axis: Axis) -> Tensor:
    total: Tensor | None = None
    for place, weight in axis:
        part = images.index_select(dimension, place).to(torch.int32).mul_(weight.unsqueeze(1) if dimension == 2 else weight)
        total = part.add_(1 << (PRECISION_BITS - 1)) if total is None else total.add_(part)
    return images if total is None else total.bitwise_right_shift_(PRECISION_BITS).clamp_(0, 255).to(torch.uint8)
