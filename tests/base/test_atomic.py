"""A write that fails leaves the old file, and its error names that file, whatever fails on the way out too."""

import errno
import os
from pathlib import Path

import pytest

from study.base import atomic


def test_the_error_is_the_first_one_and_names_the_file(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    def read_only(path, missing_ok=False):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    file = tmp_path / "params.yaml"
    file.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(Path, "unlink", read_only)
    with pytest.raises(OSError, match="No space left") as error:
        atomic.write(file, b"new")
    assert error.value.filename == str(file) and file.read_text() == "old"
