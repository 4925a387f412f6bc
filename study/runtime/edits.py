"""Results whose code, data or parameters were edited while they were made are refused.

DVC reads these once more when a stage ends, and would record a result of the old ones as one of the new.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from study.base.errors import StudyError
from study.base.folders import hidden
from study.base.sums import sha256


@contextmanager
def refused(name: str, look: Callable[[], object]) -> Iterator[None]:
    """Within it ``name`` is made; StudyError at its end where ``look`` gives something else than at its start."""
    before = look()
    yield
    if look() != before:
        raise StudyError(
            f"code, data or parameters of {name} were edited while it was made, so nothing was written; run it again."
        )


def listing(folder: Path) -> list[tuple[str, int, int]]:
    """Path, size and time of change of each file below ``folder`` that DVC would see too, for a ``look`` at many files."""
    found = []
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        if path.is_file() and not any(map(hidden, (below, *below.parents))):
            facts = path.stat()
            found.append((os.fsdecode(below), facts.st_size, facts.st_mtime_ns))
    return found


def contents(folders: Iterable[Path]) -> list[tuple[Path, str]]:
    """The sha256 of each file below ``folders`` that DVC would see too, for a ``look``."""
    files = [(path, path.relative_to(folder)) for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return [(path, sha256(path)) for path, below in files if not any(map(hidden, (below, *below.parents)))]
