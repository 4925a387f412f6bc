"""Output folders that are whole or absent, never half written."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from study.base.errors import StudyError


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """An empty folder beside ``folder`` to write into; it takes the place of ``folder`` when the block ends well.

    When the block raises, it is removed and ``folder`` stays as it was. What a killed run left is removed by the next; its
    name begins with a dot, and .dvcignore and .gitignore hide it. Raises StudyError where another process writes ``folder``.
    """
    draft, former = (folder.with_name(f".{folder.name}.{kind}") for kind in ("draft", "former"))
    with _own(draft, folder):
        _remove(former)
        try:
            yield draft
            if os.path.lexists(folder):
                folder.rename(former)
            draft.rename(folder)
        except OSError as error:
            if error.filename is None:  # a full disk fails in write(), which names no file
                error.filename = str(folder)
            raise
        finally:
            if os.path.lexists(former) and not os.path.lexists(folder):  # stopped between the two
                former.rename(folder)
            _remove(draft)
            _remove(former)


@contextmanager
def _own(draft: Path, folder: Path) -> Iterator[None]:
    """``draft`` empty and locked: the lock is on the folder itself, goes with it to its place, and ends with the process."""
    if draft.is_symlink():
        draft.unlink()
    draft.mkdir(parents=True, exist_ok=True)
    handle = os.open(draft, os.O_RDONLY)
    try:
        with suppress(OSError):  # of a file system without locks
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StudyError(f"{folder} is being written by another process; wait for it, or stop it first.") from None
        if not draft.is_dir() or not os.path.samestat(os.fstat(handle), draft.stat()):  # the other one ended in between
            raise StudyError(f"{folder} was written by another process a moment ago; run the same command again.")
        for path in draft.iterdir():
            if path.is_dir():
                _remove(path)
            else:
                path.unlink()
        yield
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    """Remove a folder, or a link to one: what the link leads to is not ours."""
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def is_inside(relpath: str) -> bool:
    """Whether a path in the list of a folder's files stays in that folder; a list may come from a remote."""
    return not Path(relpath).is_absolute() and ".." not in Path(relpath).parts and "\\" not in relpath


def hidden(path: Path) -> bool:
    """Whether ``path`` is what a killed run, an editor or a file manager leaves behind: .dvcignore hides it from DVC too."""
    return path.name.startswith(".") or path.name.endswith("~") or path.name in ("Thumbs.db", "desktop.ini")
