"""The one error that users are meant to read, and how others are quoted in it."""

import csv
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Sequence

# What the readers of Python and numpy raise for files (JSON, CSV, npy, npz) that hold something else than they should.
UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    EOFError,
    MemoryError,
    csv.Error,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
OUT_OF_MEMORY = "memory ran out (ulimit -v, or the machine's own); nothing was recorded, free some and run it again."
UNMAPPED = "failed to map segment from shared object"  # how the system's loader says that memory is too little for a library
LONGEST = 80  # characters of somebody else's text in a sentence


class StudyError(Exception):
    """Something the user can put right: its text is one sentence that names the thing and the way out.

    It may quote files that came from elsewhere, so it is made printable here, for all.
    """

    def __init__(self, text: str):
        super().__init__(plain(text))


def one_line(error: BaseException) -> str:
    """What ``error`` says, on one line and without a full stop, to stand inside a sentence; its kind where it says nothing."""
    return plain(str(error)).rstrip(".") or type(error).__name__


def plain(text: str) -> str:
    """``text`` on one line; what is no character for people (a terminal would obey some of them) is written out."""
    line = " ".join(text.split())
    return line if line.isprintable() else repr(line)[1:-1]


def told(text: str) -> str:
    """``text`` from a file or a command line, to stand inside a sentence: in quotes and cut where it is long or unprintable."""
    return text if text.isprintable() and len(text) <= LONGEST else repr(text[:LONGEST])


def counted(number: int, one: str, many: str = "") -> str:
    """``1 image``, ``2,000 images``, for a sentence; ``many`` where it is more than ``one`` with an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def listed(texts: Sequence[str], shown: int = 5, comma: str = ", ") -> str:
    """``a, b and 3 more``: the first ``shown`` of ``texts``, for a sentence that counts the rest."""
    return comma.join(texts[:shown]) + (f" and {len(texts) - shown:,} more" if len(texts) > shown else "")
