"""Where the files of a dataset are: `path` in params.yaml may be absolute, in the project, or under DATASETS_DIR.

Those of an archive lie in a folder that is gone when people read of it: they are told the archive and the path inside.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from study.base.errors import StudyError

_unpacked: dict[Path, str] = {}  # folders that archives are unpacked to at this moment, and the archives' paths


def found(path: str) -> Path:
    """The file or folder that ``path`` names; of a relative one the project's comes before that under DATASETS_DIR.

    Raises StudyError where there is nothing, or a pipe or a device, which would be waited for.
    """
    there = _there(path)
    if not there.is_file() and not there.is_dir():
        raise StudyError(f"{there} is neither a file nor a folder; put the data there, or write another path into params.yaml.")
    return there


def _there(path: str) -> Path:
    given = Path(os.path.expanduser(path))  # noqa: PTH111 (Path.expanduser raises where there is no such user)
    if given.exists():
        return given
    if given.is_absolute():
        raise StudyError(f"{path} is not here; put the data there, or write another path into params.yaml.")
    named = os.environ.get("DATASETS_DIR")
    if not named:
        raise StudyError(
            f"{path} is not in the project, and DATASETS_DIR names no folder to look in; set it, or put the data here."
        )
    if not Path(named).is_dir():
        raise StudyError(f"DATASETS_DIR is {named}, which is not a folder; unset it, or name the one with {path}.")
    below = Path(named, path)
    if not below.exists():
        raise StudyError(f"{path} is neither in the project nor under DATASETS_DIR ({named}); put the data into one of them.")
    return below


def beside(path: str | None, below: str) -> Path | None:
    """The file ``below`` the folder ``path``, or below DATASETS_DIR where no path is given; None where it is not there."""
    if path is not None:
        folder = found(path)
    elif named := os.environ.get("DATASETS_DIR"):
        folder = Path(named)
    else:
        return None
    return folder / below if (folder / below).is_file() else None


@contextmanager
def known_as(folder: Path, archive: str) -> Iterator[None]:
    """For the length of the block, and in errors that leave it, what lies in ``folder`` is called after ``archive``."""
    _unpacked[folder] = archive
    try:
        yield
    except StudyError as error:
        raise StudyError(by_archive(str(error))) from None
    finally:
        del _unpacked[folder]


def by_archive(text: str) -> str:
    """``text`` with `x.zip: a/b.csv` in the place of the file that it is unpacked to; later ones are `a/c.csv`."""
    for folder, archive in _unpacked.items():
        text = text.replace(f"{folder}/", f"{archive}: ", 1).replace(f"{folder}/", "").replace(str(folder), archive)
    return text


def written(folder: Path) -> str:
    """What names ``folder`` in a dataset's source: `path: ...`, or `inside: ...` where it lies in an archive."""
    for unpacked in _unpacked:
        if folder.is_relative_to(unpacked):
            return f"inside: {folder.relative_to(unpacked)}"
    return f"path: {folder}"
