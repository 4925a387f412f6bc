"""Images on the device as uint8, and what turns a batch of them into the model's input there.

No loader, no workers and no work per image in Python: a batch is an index into a tensor.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from study.design.seeds import derive
from study.engine.mapped import Mapped, planes
from study.engine.resize import Axis, apply, axis

# Pixels that a CPU resizes at a time, four images of 224 by 224: their sums stay in its caches, which is three times as fast.
CHUNK = 4 * 224 * 224


@dataclass(frozen=True)
class ImageSet:
    """``images`` (N, C, H, W) uint8 and ``labels`` (N,) int64, on one device; images that memory would not hold, in a file."""

    images: Tensor | Mapped
    labels: Tensor

    @classmethod
    def load(
        cls,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        device: torch.device,
        indices: NDArray[np.int64] | None = None,
    ) -> "ImageSet":
        """``images`` (N, H, W, C) and ``labels`` (N,), or those at ``indices`` alone, on ``device``."""
        chosen = np.arange(len(labels)) if indices is None else indices
        return cls(planes(images, chosen, device), torch.from_numpy(labels[chosen].astype(np.int64)).to(device))

    def __len__(self) -> int:
        return len(self.labels)


class Preprocess:
    """Resize to ``image_size`` and normalise by ``mean`` and ``std`` (of values in [0, 1], per channel)."""

    def __init__(self, image_size: int, mean: Sequence[float], std: Sequence[float], interpolation: str, device: torch.device):
        self.image_size = image_size
        self.interpolation = interpolation
        self._axes: dict[int, Axis] = {}
        self.mean = torch.tensor(mean, dtype=torch.float32, device=device).view(-1, 1, 1)
        self.std = torch.tensor(std, dtype=torch.float32, device=device).view(-1, 1, 1)

    def __call__(self, images: Tensor) -> Tensor:
        """``images`` (N, C, H, W) uint8 as float32 (N, C, image_size, image_size): ToTensor and Normalize.

        Bit for bit so, unless it is compiled for a GPU, where a compiler multiplies by reciprocals.
        """
        height, width = images.shape[2:]
        vertical, horizontal = self._axis(height), self._axis(width)
        chunk = max(1, CHUNK // self.image_size**2)
        if images.device.type == "cpu" and len(images) > chunk:
            parts = images.split(chunk)  # type: ignore[no-untyped-call]
            images = torch.cat([apply(part, vertical, horizontal) for part in parts])
        else:
            images = apply(images, vertical, horizontal)
        return images.float().div_(255).sub_(self.mean).div_(self.std)

    def _axis(self, old: int) -> Axis:
        """The taps from ``old`` pixels to the model's size, kept after the first use: compiled code finds them made."""
        if old not in self._axes:
            self._axes[old] = axis(old, self.image_size, self.interpolation, self.mean.device)
        return self._axes[old]


def order(count: int, images: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The places (images,) in [0, count) that an epoch goes through, from ``seed`` and ``epoch`` alone.

    The train set of ``count`` images is gone through in one order after the other, each of its own, until there are
    ``images``.
    """
    # RandomState, whose stream numpy promises never to change.
    random = np.random.RandomState(derive("order", seed, epoch))
    rounds = [random.permutation(count) for _ in range(-(-images // count))]
    return np.concatenate(rounds)[:images].astype(np.int64)


def bounds(count: int, batch_size: int) -> list[tuple[int, int]]:
    """(start, stop) of each step of an epoch over ``count`` images; the last, partial batch is kept.

    A last batch of one image joins the batch before it: batch normalisation has no statistics over a single image.
    """
    starts = list(range(0, count, batch_size))
    if len(starts) > 1 and count - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], count], strict=True))


def moves(count: int, height: int, width: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """How flip_crop moves each of an epoch's ``count`` images, in the epoch's order: (count, 3) mirrored, down, right.

    mirrored is 0 or 1; down and right are in pixels, up to an eighth of the image to either side.
    """
    random = np.random.RandomState(derive("flip_crop", seed, epoch))
    mirrored = random.randint(0, 2, count)
    down = random.randint(-(height // 8), height // 8 + 1, count)
    right = random.randint(-(width // 8), width // 8 + 1, count)
    return np.stack([mirrored, down, right], axis=1).astype(np.int64)


def flip_crop(images: Tensor, move: Tensor) -> Tensor:
    """``images`` (N, C, H, W) uint8, each mirrored and shifted by its row of ``move`` (N, 3); what moves in is black.

    The usual augmentation of CIFAR: a random horizontal flip and a random crop of the image padded by zeros.
    """
    count, _, height, width = images.shape
    tall, wide = height // 8, width // 8
    padded = F.pad(images, (wide, wide, tall, tall))
    mirrored, down, right = move.unbind(1)
    rows = torch.arange(height, device=images.device) + (tall - down).unsqueeze(1)
    columns = torch.arange(width, device=images.device) - right.unsqueeze(1)
    columns = torch.where(mirrored.unsqueeze(1) == 1, width - 1 - columns, columns) + wide
    which = torch.arange(count, device=images.device).view(-1, 1, 1)
    return padded.permute(0, 2, 3, 1)[which, rows.unsqueeze(2), columns.unsqueeze(1)].permute(0, 3, 1, 2)
