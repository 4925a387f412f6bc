"""Files by names whose characters are composed (ä) where those on disk are decomposed (a and two dots), or the other way.

Macs write names decomposed, while tables and other systems have them as they were typed.
"""

import os
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from study.base.errors import StudyError

_Listing = Callable[[str], Mapping[str, list[str]]]


def on_disk(files: Iterable[str]) -> list[str | None]:
    """The paths of ``files`` as they are on disk, None for one that is no file there.

    Raises StudyError where a name may mean two files.
    """
    listing = cache(_names)
    return [file if os.path.isfile(file) else _file(file, listing) for file in files]  # noqa: PTH113 (there may be millions)


def _file(path: str, listing: _Listing) -> str | None:
    there = None if path.isascii() else _found(path, listing)
    return there if there and os.path.isfile(there) else None  # noqa: PTH113


def _found(path: str, listing: _Listing) -> str | None:
    """``path`` with each of its names as it is on disk."""
    if os.path.lexists(path):
        return path
    head, tail = os.path.split(path)
    above = _found(head, listing) if tail else None
    if above is None:
        return None
    same = listing(above).get(unicodedata.normalize("NFC", tail), [])
    if len(same) > 1:
        raise StudyError(f"{path} may be either of {len(same)} files there, in composed and decomposed characters; rename one.")
    return os.path.join(above, same[0]) if same else None  # noqa: PTH118


def _names(folder: str) -> dict[str, list[str]]:
    """What lies in ``folder``, by composed name."""
    names: dict[str, list[str]] = {}
    try:
        for name in os.listdir(folder):  # noqa: PTH208
            names.setdefault(unicodedata.normalize("NFC", name), []).append(name)
    except OSError:  # no folder, or one that may not be listed
        return {}
    return names
