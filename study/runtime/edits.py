"""Results whose code, data or parameters were edited while they were made are refused.

DVC reads these once more when a stage ends, and would record a result of the old ones as one of the new.
"""

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


def listing(folder: Path) -> list[tuple[Path, int, int]]:
    """Path, size and time of change of each file below ``folder`` that DVC would see too, for a ``look`` at many files."""
    return [(path, facts.st_size, facts.st_mtime_ns) for path in _seen(folder) for facts in [path.stat()]]


def contents(folders: Iterable[Path]) -> list[tuple[Path, str]]:
    """The sha256 of each file below ``folders`` that DVC would see too, for a ``look``."""
    return [(path, sha256(path)) for folder in folders for path in _seen(folder)]


def _seen(folder: Path) -> Iterator[Path]:
    """The files below ``folder``, without those that .dvcignore hides from DVC."""
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        if path.is_file() and not any(map(hidden, (below, *below.parents))):
            yield path
