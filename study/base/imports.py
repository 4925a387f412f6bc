"""Large packages imported with Python's cyclic garbage collector off."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting() -> Iterator[None]:
    """What is imported within it lasts as long as the process, so the collector never looks at it.

    It would go through all of it again and again while torch is imported, in a training, and at the end: a third of a start.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
