"""Small archives that would unpack to gigabytes of memory, disk or time are refused; test_archive.py has large files in them."""

import gzip
import tarfile
import zipfile
from pathlib import Path

import pytest
from packing import files, tarred
from pictures import halves

from study.base.errors import StudyError
from study.data import archive, formats
from study.settings.params import Source

pytestmark = pytest.mark.usefixtures("project")


def load(path):
    Path("draft").mkdir()
    return formats.load(Source("folder", {"side": 8, "path": path}), Path("work"), Path("draft"))


@pytest.fixture
def contents(tmp_path):
    return files(halves(tmp_path / "plain"))


def header(kind, size):
    member = tarfile.TarInfo("x")
    member.type, member.size = kind, size
    return member.tobuf()


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_name_of_gigabytes_is_not_read(kind, contents):
    Path("x.tar").write_bytes(header(kind, 2 << 30) + tarred(contents, "w"))
    with pytest.raises(StudyError, match=r"x\.tar cannot be unpacked"):
        load("x.tar")


def test_what_is_passed_over_counts_as_well(contents, monkeypatch):
    monkeypatch.setattr(archive, "_GB", 0)
    Path("x.tar.gz").write_bytes(gzip.compress(header(b"Z", 10**7) + bytes(10**7 + -(10**7) % 512) + tarred(contents, "w")))
    with pytest.raises(StudyError, match=r"cannot be unpacked \(it unpacks to more than [\d,]+ bytes\)"):
        load("x.tar.gz")


def test_folders_count_as_well(monkeypatch):
    monkeypatch.setattr(archive, "_GB", 0)
    Path("x.tar.xz").write_bytes(tarred({f"{n}/" + "a/" * 90 + "x.png": b"" for n in range(100)}, "w:xz"))
    with pytest.raises(StudyError, match="unpacks to more than"):
        load("x.tar.xz")


def test_a_zip_that_unpacks_to_memory_whole_is_refused(contents):
    with zipfile.ZipFile("x.zip", "w", zipfile.ZIP_BZIP2) as packed:
        for name, content in contents.items():
            packed.writestr(name, content)
    with pytest.raises(StudyError, match=r"x\.zip cannot be unpacked \(only stored and deflated files are read\)"):
        load("x.zip")
