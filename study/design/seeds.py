"""Seeds for everything random in a training, from what it is for and where it stands: no generator carries over.

So an epoch or step can be computed again without the ones before it, and a resumed training needs no generator state.
"""

import hashlib


def derive(purpose: str, *numbers: int) -> int:
    """A seed in [0, 2**32) from ``purpose`` ("order") and ``numbers`` (seed, epoch, step), spread evenly.

    From BLAKE2b, so that it is the same with every version of Python, numpy and torch, and neighbours are unrelated.
    """
    text = "/".join([purpose, *map(str, numbers)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
