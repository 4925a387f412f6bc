"""The one error that users are meant to read, and how others are quoted in it."""

import csv
import struct
import tokenize
import zipfile
import zlib

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


class StudyError(Exception):
    """Something the user can put right: its text is one sentence that names the thing and the way out."""


def one_line(error: BaseException) -> str:
    """What ``error`` says, on one line and without a full stop, to stand inside a sentence; its kind where it says nothing."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
