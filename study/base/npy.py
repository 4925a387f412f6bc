"""Arrays in .npy files that somebody else may have written: what the head claims is held against the file before numpy acts.

numpy itself sets memory aside for whatever a head claims, and divides by nothing where an item has no bytes.
"""

import io
import math
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

KINDS = "biuf"  # truth values and numbers


def load(path: Path, mapped: bool = False) -> NDArray[Any]:
    """The array of numbers in the file ``path``, ``mapped`` into memory where it is large.

    Raises one of base.errors.UNREADABLE; FileNotFoundError, which is one of them, names the file.
    """
    with path.open("rb") as file:
        _check(file, path.stat().st_size)
    found: NDArray[Any] = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    return found


def loads(content: bytes) -> NDArray[Any]:
    """The array of numbers that a .npy file of this ``content`` holds; raises as ``load`` does."""
    _check(io.BytesIO(content), len(content))
    found: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    return found


def _check(file: BinaryIO, size: int) -> None:
    """Raise ValueError where the head of ``file`` does not fit its ``size`` in bytes, or where it is of other kinds."""
    version = np.lib.format.read_magic(file)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, _, dtype = read[version](file)
    if dtype.kind not in KINDS or any(type(side) is not int or side < 0 for side in shape):
        raise ValueError(f"it holds {dtype} of shape {shape}")
    if math.prod(shape) * dtype.itemsize != size - file.tell():
        raise ValueError(f"it has {size:,} bytes, which do not fit {dtype} of shape {shape}")
