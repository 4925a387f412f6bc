"""Pickles: plain data comes through, everything else is refused before it runs."""

import datetime
import pickle
import pickletools

import numpy as np
import pytest
from pickles import Evil, array_pickle

from study.base.errors import StudyError
from study.data import plain_pickle


def test_plain_data_comes_through():
    data = {b"labels": [1, 2, 3], b"name": b"test", "text": "é", "nested": {"pair": (1.5, None, True), "big": 1 << 80}}
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        # Python 3 pickles bytes through codecs.encode below protocol 3, which is a call like any other.
        plain = data if protocol >= 3 else {"labels": [1, 2, 3], "nested": {"pair": (1.5, None, True)}}
        loaded = plain_pickle.loads(pickle.dumps(plain, protocol), "file")
        assert loaded == plain or protocol == 0  # texts of protocol 0 are Python 2's unicode


@pytest.mark.parametrize(("dtype", "code", "order"), [("u1", b"u1", b"|"), ("<i8", b"i8", b"<"), (">f4", b"f4", b">")])
def test_arrays_of_python_2(dtype, code, order):
    array = np.arange(24, dtype=dtype).reshape(2, 3, 4)
    found = np.asarray(plain_pickle.loads(array_pickle(array, code, order), "file")[b"data"])
    assert type(found) is np.ndarray
    assert found.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "thing", [Evil(), print, datetime.date(2020, 1, 1), np.int64(3), {"deep": [Evil()]}, object(), StudyError("x")]
)
def test_anything_else_is_refused_and_never_runs(thing, protocol):
    with pytest.raises(StudyError, match=r"^file is a pickle that asks for \S+, which is no plain data: it was not read\.$"):
        plain_pickle.loads(pickle.dumps(thing, protocol), "file")


def test_arrays_of_objects_are_refused():
    with pytest.raises(StudyError, match="asks for an array of 'O8'"):
        plain_pickle.loads(array_pickle(np.zeros(1, np.int64), b"O8"), "file")


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x02cnumpy\nndarray\nK\x05\x85R.",  # ndarray called
        b"\x80\x02cnumpy\nndarray\nK\x05\x85\x81.",  # ndarray made by NEWOBJ
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\ndtype\nK\x00\x85U\x01b\x87R.",  # another type reconstructed
        b"\x80\x02cbuiltins\neval\nU\x011\x85R.",
        b"(S'1'\nios\nsystem\n.",  # INST
        b"\x80\x02\x82\x01.",  # a copyreg extension
        b"\x80\x02U\x01xQ.",  # a persistent id
    ],
)
def test_ways_around(program):
    with pytest.raises(StudyError):
        plain_pickle.loads(program, "file")


def test_every_cut_of_a_pickle_is_one_sentence():
    whole = array_pickle(np.arange(5, dtype=np.uint8))
    assert [op.name for op, _, _ in pickletools.genops(whole)][-1] == "STOP"
    for length in range(len(whole)):
        with pytest.raises(StudyError, match=r"^file is not a readable pickle"):
            plain_pickle.loads(whole[:length], "file")
