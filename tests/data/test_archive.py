"""Packed data: unpacked inside their own folder or not at all, and gone afterwards."""

import hashlib
import io
import tarfile
import zipfile

import numpy as np
import pytest
from packing import files, tarred, zipped
from pictures import halves
from servers import Files, serving

from study.base.errors import StudyError
from study.data import archive, formats
from study.data.dataset import Dataset
from study.settings.params import Source

pytestmark = pytest.mark.usefixtures("project")


def load(**options):
    draft = archive.Path("draft")
    draft.mkdir(exist_ok=True)
    source = Source(options.pop("format", "folder"), {"side": 8, **options})
    formats.check(source, "datasets.mine.source")
    data = formats.load(source, archive.Path("work"), draft)
    assert not (draft / "unpacked").exists()
    return data


@pytest.fixture
def contents(tmp_path):
    return files(halves(tmp_path / "plain"))


@pytest.fixture
def plain(tmp_path, contents):
    return load(path=str(tmp_path / "plain"))


FORMS = {
    "x.zip": zipped,
    "x.tar": lambda contents: tarred(contents, "w"),
    "x.tar.gz": tarred,
    "x.TGZ": tarred,
    "x.tar.bz2": lambda contents: tarred(contents, "w:bz2"),
    "x.tar.xz": lambda contents: tarred(contents, "w:xz"),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("prefix", ["", "./", "data/mine/"])
def test_forms(name, prefix, plain, contents, project):
    (project / name).write_bytes(FORMS[name]({f"{prefix}{path}": content for path, content in contents.items()}))
    data = load(path=name)
    np.testing.assert_array_equal(data.train_images, plain.train_images)
    assert data.classes == plain.classes


def test_digest_is_that_of_the_folder(contents, project, tmp_path, capsys):
    load(path=str(tmp_path / "plain"))
    md5 = capsys.readouterr().out.rsplit(": ", 1)[1].strip()
    (project / "x.zip").write_bytes(zipped(contents))
    load(path="x.zip", md5=md5)


def test_under_datasets_dir_with_its_sha256(contents, project, tmp_path, monkeypatch):
    packed = zipped(contents)
    (tmp_path / "x.zip").write_bytes(packed)
    monkeypatch.setenv("DATASETS_DIR", str(tmp_path))
    load(path="x.zip", sha256=hashlib.sha256(packed).hexdigest())
    with pytest.raises(StudyError, match=rf"x.zip has the sha256 .* instead of {'0' * 64}; put the right one there"):
        load(path="x.zip", sha256="0" * 64)


def test_over_a_breaking_network(contents, plain):
    site = Files()
    site.files["/x.zip"] = packed = zipped(contents)
    site.cuts = [None, 100]
    site.statuses = [503]
    with serving(site):
        data = load(path=f"{site.url}/x.zip", sha256=hashlib.sha256(packed).hexdigest())
        assert [asked for _, _, asked in site.requests] == [None, None, "bytes=100-"]
        with pytest.raises(StudyError, match=r"deleted.*fetch it by hand and write its path"):
            load(path=f"{site.url}/x.zip", sha256="0" * 64)
        with pytest.raises(StudyError, match="needs its sha256"):
            load(path=f"{site.url}/x.zip")
        with pytest.raises(StudyError, match="does not end like an archive"):
            load(path=f"{site.url}/download", sha256="0" * 64)
    np.testing.assert_array_equal(data.train_images, plain.train_images)


def test_inside(contents, project):
    table = "file,y\n" + "".join(f"{name},{name.split('/')[-2]}\n" for name in contents)
    (project / "x.zip").write_bytes(zipped({**contents, "tables/x.csv": table.encode()}))
    options = {"format": "csv", "path": "x.zip", "image": "file", "label": "y", "test": 0.4, "images": ".."}
    assert load(**options, inside="tables/x.csv").classes == ("ant", "bee")
    with pytest.raises(StudyError, match=r"x.zip has no nothing inside; there are tables, test, train"):
        load(path="x.zip", inside="nothing")
    with pytest.raises(StudyError, match="outside the folder"):
        load(path="x.zip", inside="../project")
    with pytest.raises(StudyError, match="^x.zip is no table; write the path of the table in it: as `inside` for an archive"):
        load(**options)


@pytest.mark.parametrize("name", ["../out.png", "a/../../out.png", "/tmp/out-of-everything.png", "..\\out.png"])
@pytest.mark.parametrize("form", ["x.zip", "x.tar.gz"])
def test_escapes_are_refused_whole(name, form, contents, project, tmp_path):
    (project / form).write_bytes(FORMS[form]({**contents, name: b"x"}))
    before = files(tmp_path)
    with pytest.raises(StudyError, match="would lie outside the folder it is unpacked to; do not use it"):
        load(path=form)
    assert files(tmp_path) == before
    assert not archive.Path("/tmp/out-of-everything.png").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_passed_over(kind, contents, project, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    link = tarfile.TarInfo("train/cat")
    link.type, link.linkname = kind, str(secret)
    packed = {**contents, "train/cat/x.png": contents["train/ant/0.png"]}
    (project / "x.tar.gz").write_bytes(tarred(packed, extra=[link]))
    assert load(path="x.tar.gz").classes == ("ant", "bee", "cat")
    assert not list(secret.iterdir())


def link(name, to, kind):
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, to
    return made


def test_links_of_a_zip_are_no_files_and_all_that_are_passed_over_are_said(contents, project, capsys):
    entry = zipfile.ZipInfo("train/ant/9.png")
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    (project / "x.zip").write_bytes(zipped({**contents, entry: b"0.png"}))
    (project / "x.tar").write_bytes(tarred(contents, "w", [link("train/ant/9.png", "0.png", tarfile.SYMTYPE)]))
    for form in ("x.zip", "x.tar"):
        assert load(path=form).train_labels.tolist() == [0, 0, 1, 1]
        assert f"{form}: 1 link is passed over (train/ant/9.png)" in capsys.readouterr().out


def test_a_hard_link_in_a_tar_is_the_file_that_it_names(contents, project):
    """tar writes a file of two names once, and a link for the other name."""
    whole = tarred(contents, "w")
    buffer = io.BytesIO(whole)
    with tarfile.open(fileobj=buffer, mode="a") as packed:
        packed.addfile(link("train/bee/9.png", "train/ant/0.png", tarfile.LNKTYPE))
    (project / "x.tar").write_bytes(buffer.getvalue())
    data = load(path="x.tar")
    assert data.train_labels.tolist() == [0, 0, 1, 1, 1]
    np.testing.assert_array_equal(data.train_images[4], data.train_images[0])
    for to, said in (("../../secret", "would lie outside the folder"), ("train/nothing", "cannot be unpacked .*No such file")):
        (project / "x.tar").write_bytes(tarred(contents, "w", [link("train/bee/9.png", to, tarfile.LNKTYPE)]))
        with pytest.raises(StudyError, match=said):
            load(path="x.tar")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("form", ["x.zip", "x.tar"])
@pytest.mark.parametrize("name", ["./train/ant/0.png", "train/ant", "train/ant/0.png/more.png"])
def test_no_file_is_written_over_another(name, form, contents, project):
    (project / form).write_bytes(FORMS[form]({**contents, name: b"x"}))
    with pytest.raises(StudyError, match=f"{form} has two things called {name}; pack it anew"):
        load(path=form)


def test_names_in_utf_8_are_read_with_or_without_the_flag_that_says_so(contents, project, capsys):
    whole = zipped({name.replace("ant", "Käfer"): content for name, content in contents.items()})
    packed = bytearray(whole)
    for mark, place in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        start = -1
        while (start := packed.find(mark, start + 1)) >= 0:
            packed[start + place] &= ~8
    (project / "x.zip").write_bytes(bytes(packed))
    assert load(path="x.zip").classes == ("Käfer", "bee")
    (project / "x.zip").write_bytes(packed.replace("ä".encode(), b"\x84\x84"))  # no UTF-8: code page 437, as zip has it
    assert load(path="x.zip").classes == ("Kääfer", "bee")
    assert capsys.readouterr().out.count("names are not UTF-8 and read as code page 437 (test/Kääfer/0.png, ") == 1
    (project / "x.zip").write_bytes(whole.replace("ä".encode(), b"\xff\xff"))
    with pytest.raises(StudyError, match="x.zip cannot be unpacked .'utf-8' codec"):
        load(path="x.zip")


@pytest.mark.parametrize("form", ["x.zip", "x.tar.gz"])
def test_a_bomb_is_stopped(form, contents, project, monkeypatch):
    monkeypatch.setattr(archive, "_GB", 0)
    (project / form).write_bytes(FORMS[form]({**contents, "bomb.txt": bytes(10**7)}))
    with pytest.raises(StudyError, match=r"unpacks to more than [\d,]+ bytes, the free room here or 100 times its own size"):
        load(path=form)
    assert not (project / "draft/unpacked").exists()


@pytest.mark.parametrize("form", ["x.zip", "x.tar.gz", "x.tar.xz", "x.tar"])
@pytest.mark.parametrize("damage", ["cut", "nonsense", "empty"])
def test_damaged(form, damage, contents, project):
    whole = FORMS[form](contents)
    content = {"cut": whole[: len(whole) // 2], "nonsense": b"nonsense" * 100, "empty": b""}[damage]
    (project / form).write_bytes(content)
    with pytest.raises(StudyError, match=f"{form} cannot be unpacked"):
        load(path=form)


def test_a_password(contents, project):
    packed = bytearray(zipped({"a.png": b"x"}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(mark) + place] |= 1  # the flag that says encrypted
    (project / "x.zip").write_bytes(bytes(packed))
    with pytest.raises(StudyError, match=r"cannot be unpacked .*password"):
        load(path="x.zip")


def test_keys_of_archives_are_refused_elsewhere(tmp_path, contents):
    with pytest.raises(StudyError, match=r"is no archive .*; take `inside` and `sha256` out"):
        load(path=str(tmp_path / "plain"), inside="train")


def test_dataset_as_it_is_written_stays_when_what_it_was_made_of_is_gone(contents, project, tmp_path):
    (project / "x.zip").write_bytes(zipped(contents))
    data = load(path="x.zip")
    data.write(project / "draft")
    (project / "draft").rename(project / "done")
    again = Dataset.read(project / "done")
    np.testing.assert_array_equal(again.train_images, data.train_images)
