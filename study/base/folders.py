"""Output folders that are whole or absent, never half written."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """An empty folder beside ``folder`` to write into; it takes the place of ``folder`` when the block ends well.

    When the block raises, it is removed and ``folder`` stays as it was. What a killed run left is removed by the next; its
    name begins with a dot, and .dvcignore and .gitignore hide it.
    """
    draft, former = (folder.with_name(f".{folder.name}.{kind}") for kind in ("draft", "former"))
    _remove(draft)
    _remove(former)
    draft.mkdir(parents=True)
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


def _remove(path: Path) -> None:
    """Remove a folder, or a link to one: what the link leads to is not ours."""
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def hidden(path: Path) -> bool:
    """Whether ``path`` is what a killed run, an editor or a file manager leaves behind: .dvcignore hides it from DVC too."""
    return path.name.startswith(".") or path.name.endswith("~") or path.name in ("Thumbs.db", "desktop.ini")
