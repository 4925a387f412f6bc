"""Pickles of plain data, and nothing else: a pickle is a program, and this reader refuses to run one.

Allowed are dict, list, tuple, bytes, str, numbers, None, and numpy arrays of numbers as Python 2 wrote them.
"""

import io
import pickle
from typing import Any

import numpy as np

from study.base.errors import StudyError

NUMBERS = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8")  # dtypes that a pickled array may have


def loads(content: bytes, name: str) -> Any:
    """What the pickle ``content`` holds; texts of Python 2 come as bytes. ``name`` is for the message of a StudyError."""
    try:
        return _PlainUnpickler(io.BytesIO(content), encoding="bytes").load()
    except _RefusedError as error:
        raise StudyError(f"{name} is a pickle that asks for {error}, which is no plain data: it was not read.") from None
    # A damaged pickle can make the unpickler raise nearly anything.
    except Exception as error:
        raise StudyError(f"{name} is not a readable pickle ({type(error).__name__}: {error}); fetch it again.") from None


class _RefusedError(Exception):
    """Something other than plain data; the text names it."""


class _NumberType:
    """Stands for a numpy dtype while a pickle is read: of numbers alone, since one of objects is a way to anything."""

    def __init__(self, code: bytes | str, *_: object):
        self.code = code.decode("ascii") if isinstance(code, bytes) else code
        if not isinstance(self.code, str) or self.code not in NUMBERS:
            raise _RefusedError(f"an array of {self.code!r}")
        self.order = "|"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1].decode("ascii") if isinstance(state[1], bytes) else state[1]
        if order not in ("|", "<", ">", "=") or any(part is not None for part in state[2:5]):
            raise _RefusedError(f"an array of {self.code!r} with {state!r}")
        self.order = order


class _Array(np.ndarray[Any, Any]):
    """An array on its way out of a pickle."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        version, shape, dtype, fortran, raw = state
        if not isinstance(dtype, _NumberType) or not isinstance(raw, bytes):
            raise _RefusedError("an array of other things than numbers")
        super().__setstate__((version, shape, np.dtype(dtype.order + dtype.code), fortran, raw))


_NDARRAY = object()  # what a pickle gets for numpy.ndarray: something it can name, but not call


def _empty_array(subtype: object, *_: object) -> _Array:
    """The empty array that the pickle fills next."""
    if subtype is not _NDARRAY:
        raise _RefusedError(f"an array of type {subtype!r}")
    return _Array((0,), np.int8)


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """The three names that a pickled array consists of, each in a narrow form; no other name is looked up."""
        match f"{module}.{name}":
            case "numpy.core.multiarray._reconstruct" | "numpy._core.multiarray._reconstruct":
                return _empty_array
            case "numpy.ndarray":
                return _NDARRAY
            case "numpy.dtype":
                return _NumberType
        raise _RefusedError(f"{module}.{name}")
