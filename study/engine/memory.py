"""What a device without enough memory says, in one sentence instead of a traceback."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from study.base.errors import StudyError

# torch has an error class of its own for its allocator alone; cuBLAS, cuDNN, the driver and the CPU use words.
WORDS = re.compile(r"out of memory|ALLOC_FAILED|ALLOCATION_FAILED|can't allocate memory")


@contextmanager
def enough(device: str, way_out: str) -> Iterator[None]:
    """Within it, running out of memory raises StudyError that names ``device`` and ``way_out`` ("lower x")."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, MemoryError) and not any(WORDS.search(str(each)) for each in _story(error)):
            raise
        raise StudyError(f"{device} is out of memory; free it of other processes, or {way_out}.") from None


def _story(error: BaseException | None) -> Iterator[BaseException]:
    """``error`` and those before it: a recording that fails ends in an error of its own, which hides the first one."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
