"""Files written whole or not at all, whatever ends the process or the machine."""

import os
from contextlib import suppress
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` so that a reader, or a power loss, meets the old file or the new one, whole.

    The temporary file has one fixed name: what a killed process left is overwritten, not piled up. Raises OSError that
    names ``path``, the old file being in place still.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):  # it was not made, or the file system is read-only by now: the first error is the one to tell
            temporary.unlink()
        error.filename = str(path)  # a full disk fails in write(), which names no file
        raise


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` outlive a power loss."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
