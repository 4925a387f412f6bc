"""Images that stay in their file: for a dataset larger than the memory of a machine without a GPU.

A batch is read when it is trained on; the pages of the file that fit stay in the system's cache.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from study.base import machine

ROWS = 32_000_000  # bytes of images that are turned into planes at a time


class Mapped:
    """Images uint8 (N, C, H, W), those at ``indices`` of a memory map (M, H, W, C), as far as a trainer indexes a tensor."""

    def __init__(self, images: NDArray[np.uint8], indices: NDArray[np.int64]) -> None:
        self._images, self._indices = images, indices
        height, width, channels = images.shape[1:]
        self.shape = torch.Size((len(indices), channels, height, width))
        self.device = torch.device("cpu")

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, chosen: Tensor | slice) -> Tensor:
        """The images at ``chosen`` as a tensor of their own, contiguous, as indexing a tensor gives."""
        indices = self._indices[chosen if isinstance(chosen, slice) else chosen.numpy()]
        return torch.from_numpy(np.ascontiguousarray(self._images[indices].transpose(0, 3, 1, 2)))

    def split(self, size: int) -> Iterator[Tensor]:
        """The images by batches of ``size``, in order."""
        for start in range(0, len(self), size):
            yield self[start : start + size]


def planes(images: NDArray[np.uint8], indices: NDArray[np.int64], device: torch.device) -> "Tensor | Mapped":
    """The images (M, H, W, C) at ``indices`` as (N, C, H, W) on ``device``, never more than once in memory.

    On a CPU, images of which there is a file and that take more than half of the memory stay in the file.
    """
    mapped = Mapped(images, indices)
    pixels = int(np.prod(mapped.shape))
    if device.type == "cpu" and isinstance(images, np.memmap) and pixels > machine.memory() / 2:
        return mapped
    whole = torch.empty(mapped.shape, dtype=torch.uint8, device=device)
    step = max(1, ROWS * len(mapped) // max(1, pixels))
    for start, part in zip(range(0, len(mapped), step), mapped.split(step), strict=True):
        whole[start : start + step].copy_(part)
    return whole
