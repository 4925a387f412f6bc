"""Which files below a folder are images, in an order that no file system and no locale decides."""

import os
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from study.base.console import say
from study.base.errors import StudyError, counted, listed, plain
from study.data.image import ENDINGS
from study.data.place import by_archive

_UNSEEN = {"thumbs.db", "desktop.ini", "__macosx"}  # left behind by file managers; names that begin with a dot as well


@dataclass
class Found:
    """What lies below a folder: images as path below it -> file, in order, and what was passed over."""

    images: dict[str, str] = field(default_factory=dict)
    strays: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)


def walk(folder: Path, endings: tuple[str, ...] = ENDINGS) -> Found:
    """All images below ``folder``, known by their ``endings``; links to folders are followed, hidden folders are strays.

    Paths have composed characters (NFC), as some systems keep them decomposed, and are sorted by their bytes in UTF-8.
    Raises StudyError where a folder cannot be read, or two paths are one when composed.
    """
    found = Found()
    above = {os.fspath(folder): {os.path.realpath(folder)}}  # of each folder to come, the real ones down to it: no circles
    for directory, subfolders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        way = above.pop(directory)
        below = os.path.relpath(directory, folder)
        if not subfolders and not names:
            found.empty.append(_path(below, ""))
        for name in names:
            path = _path(below, name)
            if _hidden(name) or not name.lower().endswith(endings):
                found.strays.append(path)
            elif path in found.images:
                raise StudyError(f"{folder} has {path} twice, in composed and decomposed characters; rename one.")
            else:
                found.images[path] = os.path.join(directory, name)  # noqa: PTH118 (a string: there may be millions)
        kept = []
        for name in subfolders:
            there = os.path.join(directory, name)  # noqa: PTH118
            real = os.path.realpath(there)
            if name.startswith("."):
                found.strays.append(_path(below, name))  # a class may be called so
            elif not _hidden(name) and real not in way:
                kept.append(name)
                above[there] = way | {real}
        subfolders[:] = kept
    found.images = {path: found.images[path] for path in sorted(found.images, key=in_bytes)}
    found.strays.sort(key=in_bytes)
    return found


def in_bytes(path: str) -> bytes:
    """What paths and classes are sorted by."""
    return path.encode("utf-8", "surrogateescape")


def tell(folder: Path, found: Found, images: int) -> None:
    """One line on what is read below ``folder`` and what is passed over, with the folders in it that have no image at all."""
    line = f"{folder}: {counted(images, 'image')}"
    if found.strays:
        line += (
            f"; {counted(len(found.strays), 'other file is', 'other files are')} passed over ({plain(listed(found.strays))})"
        )
    strays, read = ({path.split("/")[0] for path in paths if "/" in path} for paths in (found.strays, found.images))
    if bare := sorted(strays - read, key=in_bytes):
        line += f"; no image in {plain(listed(bare))}"
    if found.empty:
        line += f"; {counted(len(found.empty), 'empty folder')}"
    say(by_archive(line))


def _hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _UNSEEN


def _path(below: str, name: str) -> str:
    path = name if below == "." else f"{below}/{name}" if name else below
    return unicodedata.normalize("NFC", path)


def _refuse(error: OSError) -> None:
    raise StudyError(f"{error.filename} cannot be read ({error.strerror}); put that right and run the same command.")
