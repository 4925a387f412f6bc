"""CIFAR from an archive or from DATASETS_DIR: every md5 is checked, and nothing else of an archive is used."""

import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from fake_cifar import FILES, described, expect_fake, lay, packed
from pickles import Evil, array_pickle
from servers import Files, serving

from study.base.errors import StudyError
from study.data import cifar

pytestmark = pytest.mark.usefixtures("project")


@pytest.mark.parametrize("form", ["folder", "archive"])
def test_datasets_dir_takes_the_place_of_the_network(form, tmp_path, monkeypatch):
    archive = packed(FILES)
    if form == "folder":
        lay(FILES, tmp_path / "fake-py")
    else:
        (tmp_path / "fake.tar.gz").write_bytes(archive)
    monkeypatch.setenv("DATASETS_DIR", str(tmp_path))
    data = cifar.load(described(FILES, archive), "http://127.0.0.1:1/never.tar.gz", tmp_path / "work")
    expect_fake(data)


@pytest.mark.parametrize("damage", ["changed", "missing", "folder", "archive"])
def test_damaged_files_under_datasets_dir_are_named(damage, tmp_path, monkeypatch):
    archive = packed(FILES)
    folder = tmp_path / "fake-py"
    if damage == "archive":
        (tmp_path / "fake.tar.gz").write_bytes(archive[:-9])
        named = r"fake\.tar\.gz has the md5 \w+ instead of the official"
    else:
        lay(FILES, folder)
        named = r"fake-py/two has the md5 \w+ instead of the official"
        if damage == "changed":
            (folder / "two").write_bytes(FILES["two"][:-1] + b"x")
        else:
            (folder / "two").unlink()
            named = r"fake-py/two cannot be read \(No such file or directory\)"
            if damage == "folder":
                (folder / "two").mkdir()
                named = r"fake-py/two cannot be read \(Is a directory\)"
    monkeypatch.setenv("DATASETS_DIR", str(tmp_path))
    with pytest.raises(StudyError, match=named):
        cifar.load(described(FILES, archive), "http://127.0.0.1:1/never.tar.gz", tmp_path / "work")


def test_datasets_dir_that_is_no_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DATASETS_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(StudyError, match=r"DATASETS_DIR is .*nowhere, which is not a folder"):
        cifar.load(described(FILES, b""), "http://127.0.0.1:1/never.tar.gz", tmp_path / "work")


def test_nothing_is_unpickled_before_every_md5_is_right(tmp_path, monkeypatch):
    lay({**FILES, "names": FILES["names"] + b"x"}, tmp_path / "fake-py")  # the last file to be checked
    monkeypatch.setenv("DATASETS_DIR", str(tmp_path))
    monkeypatch.setattr(cifar.plain_pickle, "loads", lambda *_: pytest.fail("unpickled"))
    with pytest.raises(StudyError, match="fake-py/names has the md5"):
        cifar.load(described(FILES, b""), "", tmp_path)


def fetch(archive, described, tmp_path):
    """``archive`` as it comes over HTTP, read as ``described`` says."""
    site = Files()
    site.files["/fake.tar.gz"] = archive
    with serving(site):
        return cifar.load(described, f"{site.url}/fake.tar.gz", tmp_path / "work")


def test_another_archive_is_refused_and_deleted(tmp_path):
    with pytest.raises(StudyError, match=r"deleted.*DATASETS_DIR"):
        fetch(packed(FILES), described(FILES, b"other"), tmp_path)
    assert [path.suffix for path in (tmp_path / "work").iterdir()] == [".lock"]


def test_what_else_an_archive_may_do_wrong(tmp_path):
    truncated = packed(FILES)[:-200]
    with pytest.raises(StudyError, match=r"no readable \.tar\.gz"):
        fetch(truncated, described(FILES, truncated), tmp_path)
    without = packed({name: content for name, content in FILES.items() if name != "two"})
    with pytest.raises(StudyError, match="has no file fake-py/two; it is not the official archive"):
        fetch(without, described(FILES, without), tmp_path)
    changed = packed({**FILES, "two": FILES["one"]})
    with pytest.raises(StudyError, match=r"fake-py/two in .* has the md5"):
        fetch(changed, described(FILES, changed), tmp_path)
    link = tarfile.TarInfo("fake-py/two")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    linked = packed({name: content for name, content in FILES.items() if name != "two"}, extra=[link])
    with pytest.raises(StudyError, match="has no file fake-py/two"):
        fetch(linked, described(FILES, linked), tmp_path)


def test_members_that_nobody_asked_for_write_nowhere(tmp_path):
    outside = tarfile.TarInfo("../../outside")
    archive = packed(FILES, extra=[outside, tarfile.TarInfo("/tmp/outside-of-everything")])
    expect_fake(fetch(archive, described(FILES, archive), tmp_path))
    assert not list(tmp_path.rglob("outside*"))
    assert not Path("/tmp/outside-of-everything").exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (pickle.dumps(Evil(), 2), r"one is a pickle that asks for \S+exec"),
        (array_pickle(np.zeros((2, 5), np.uint8))[:-1] + b"U\x06labels](K\x00K\x01es.", r"one holds uint8 \(2, 5\)"),
        (array_pickle(np.zeros((1, 3072), np.uint8))[:-1] + b"U\x06labels](K\x07es.", "one holds labels outside 0 to 2"),
    ],
)
def test_files_that_are_no_batches(content, sentence, tmp_path):
    files = {**FILES, "one": content}
    archive = packed(files)
    with pytest.raises(StudyError, match=sentence):
        fetch(archive, described(files, archive), tmp_path)
