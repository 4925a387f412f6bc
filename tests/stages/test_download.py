"""The stage download: from an archive over HTTP, or files under DATASETS_DIR, to data/raw/<dataset>/."""

import hashlib
import io
import os
import pickle
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from pickles import Evil, array_pickle
from servers import Files, serving

from stages import download as stage
from study.base.errors import StudyError
from study.data import cifar
from study.data.dataset import Dataset
from study.settings import sources
from study.settings.params import Source


def md5(content):
    return hashlib.md5(content).hexdigest()


def batch(rng, images):
    """A file of ``images`` random images of 3 classes, as the authors' files are made; and its arrays."""
    data = rng.integers(0, 256, (images, 3072), dtype=np.uint8)
    labels = rng.integers(0, 3, images)
    listed = b"U\x06labels]" + b"(" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    content = array_pickle(data)
    assert content.endswith(b"s.")
    return content[:-1] + listed + b"s.", data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels


@pytest.fixture(scope="module")
def fake():
    """A small archive like CIFAR-10's: files by name, images and labels, class names."""
    rng = np.random.default_rng(0)
    one, two, test = batch(rng, 5), batch(rng, 4), batch(rng, 3)
    names = b"(U\x03catU\x03dogU\x04frogl"
    files = {"one": one[0], "two": two[0], "test": test[0], "names": b"\x80\x02}U\x0blabel_names" + names + b"s."}
    images = np.concatenate([one[1], two[1]]), test[1]
    return files, images, (np.concatenate([one[2], two[2]]), test[2])


def packed(files, folder="fake-py", extra=()):
    """A .tar.gz of ``files`` below ``folder``, with ``extra`` members before them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for member in extra:
            tar.addfile(member)
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def described(files, archive):
    """The md5 table of ``files`` packed as ``archive``."""
    sums = {name: md5(content) for name, content in files.items()}
    return cifar.Archive(
        name="fake.tar.gz",
        folder="fake-py",
        md5=md5(archive),
        train={"one": sums["one"], "two": sums["two"]},
        test={"test": sums["test"]},
        meta={"names": sums["names"]},
        labels=b"labels",
        classes=b"label_names",
    )


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch, no_waiting):
    """An empty project whose downloads do not wait."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return folder


@pytest.fixture
def no_datasets_dir(monkeypatch):
    monkeypatch.delenv("DATASETS_DIR", raising=False)


def params(folder, **sources):
    datasets = {name: {"source": source, "recipe": {}} for name, source in sources.items()}
    (folder / "params.yaml").write_text(yaml.safe_dump({"datasets": datasets}))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def expect_fake(data, fake):
    _, images, labels = fake
    np.testing.assert_array_equal(data.train_images, images[0])
    np.testing.assert_array_equal(data.test_images, images[1])
    np.testing.assert_array_equal(data.train_labels, labels[0])
    np.testing.assert_array_equal(data.test_labels, labels[1])
    assert data.classes == ("cat", "dog", "frog")


@pytest.mark.usefixtures("no_datasets_dir")
def test_whole_stage_over_a_breaking_network(fake, project, monkeypatch, capsys):
    archive = packed(fake[0])
    monkeypatch.setattr(cifar, "CIFAR10", described(fake[0], archive))
    site = Files()
    site.files["/fake.tar.gz"] = archive
    site.cuts, site.statuses = [None, 2000], [503]  # the answer 503, then one that is cut
    with serving(site):
        params(project, small={"format": "cifar10", "url": f"{site.url}/fake.tar.gz"})
        stage.download("small")
        first = contents(project / "data/raw/small")
        stage.download("small")
    expect_fake(Dataset.read(Path("data/raw/small")), fake)
    assert set(first) == {"train_images.npy", "train_labels.npy", "test_images.npy", "test_labels.npy", "classes.json"}
    assert contents(project / "data/raw/small") == first
    assert [asked for _, _, asked in site.requests[:4]] == [None, None, "bytes=2000-", None]
    assert [path.name for path in Path(".dvc/tmp/downloads").iterdir()] == ["fake.tar.gz.lock"]
    assert [path.name for path in Path("data/raw").iterdir()] == ["small"]
    assert "9 train and 3 test images, 3 classes" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["folder", "archive"])
def test_datasets_dir_takes_the_place_of_the_network(form, fake, tmp_path, monkeypatch):
    archive = packed(fake[0])
    if form == "folder":
        (tmp_path / "fake-py").mkdir()
        for name, content in fake[0].items():
            (tmp_path / "fake-py" / name).write_bytes(content)
    else:
        (tmp_path / "fake.tar.gz").write_bytes(archive)
    monkeypatch.setenv("DATASETS_DIR", str(tmp_path))
    data = cifar.load(described(fake[0], archive), "http://127.0.0.1:1/never.tar.gz", tmp_path / "work")
    expect_fake(data, fake)


@pytest.mark.parametrize("damage", ["changed", "missing", "folder", "archive"])
def test_damaged_files_under_datasets_dir_are_named(damage, fake, tmp_path, monkeypatch):
    archive = packed(fake[0])
    folder = tmp_path / "fake-py"
    if damage == "archive":
        (tmp_path / "fake.tar.gz").write_bytes(archive[:-9])
        named = r"fake\.tar\.gz has the md5 \w+ instead of the official"
    else:
        folder.mkdir()
        for name, content in fake[0].items():
            (folder / name).write_bytes(content)
        named = r"fake-py/two has the md5 \w+ instead of the official"
        if damage == "changed":
            (folder / "two").write_bytes(fake[0]["two"][:-1] + b"x")
        else:
            (folder / "two").unlink()
            named = r"fake-py/two cannot be read \(No such file or directory\)"
            if damage == "folder":
                (folder / "two").mkdir()
                named = r"fake-py/two cannot be read \(Is a directory\)"
    monkeypatch.setenv("DATASETS_DIR", str(tmp_path))
    with pytest.raises(StudyError, match=named):
        cifar.load(described(fake[0], archive), "http://127.0.0.1:1/never.tar.gz", tmp_path / "work")


def test_datasets_dir_that_is_no_folder(fake, tmp_path, monkeypatch):
    monkeypatch.setenv("DATASETS_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(StudyError, match=r"DATASETS_DIR is .*nowhere, which is not a folder"):
        cifar.load(described(fake[0], b""), "http://127.0.0.1:1/never.tar.gz", tmp_path / "work")


def test_nothing_is_unpickled_before_every_md5_is_right(fake, tmp_path, monkeypatch):
    files = {**fake[0], "names": fake[0]["names"] + b"x"}  # the last file to be checked
    (tmp_path / "fake-py").mkdir()
    for name, content in files.items():
        (tmp_path / "fake-py" / name).write_bytes(content)
    monkeypatch.setenv("DATASETS_DIR", str(tmp_path))
    monkeypatch.setattr(cifar.plain_pickle, "loads", lambda *_: pytest.fail("unpickled"))
    with pytest.raises(StudyError, match="fake-py/names has the md5"):
        cifar.load(described(fake[0], b""), "", tmp_path)


def fetch(archive, described, tmp_path):
    """``archive`` as it comes over HTTP, read as ``described`` says."""
    site = Files()
    site.files["/fake.tar.gz"] = archive
    with serving(site):
        return cifar.load(described, f"{site.url}/fake.tar.gz", tmp_path / "work")


@pytest.mark.usefixtures("no_datasets_dir")
def test_another_archive_is_refused_and_deleted(fake, tmp_path):
    with pytest.raises(StudyError, match=r"deleted.*DATASETS_DIR"):
        fetch(packed(fake[0]), described(fake[0], b"other"), tmp_path)
    assert [path.suffix for path in (tmp_path / "work").iterdir()] == [".lock"]


@pytest.mark.usefixtures("no_datasets_dir")
def test_what_else_an_archive_may_do_wrong(fake, tmp_path):
    good = fake[0]
    truncated = packed(good)[:-200]
    with pytest.raises(StudyError, match=r"no readable \.tar\.gz"):
        fetch(truncated, described(good, truncated), tmp_path)
    without = packed({name: content for name, content in good.items() if name != "two"})
    with pytest.raises(StudyError, match="has no file fake-py/two; it is not the official archive"):
        fetch(without, described(good, without), tmp_path)
    changed = packed({**good, "two": good["one"]})
    with pytest.raises(StudyError, match=r"fake-py/two in .* has the md5"):
        fetch(changed, described(good, changed), tmp_path)
    link = tarfile.TarInfo("fake-py/two")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    linked = packed({name: content for name, content in good.items() if name != "two"}, extra=[link])
    with pytest.raises(StudyError, match="has no file fake-py/two"):
        fetch(linked, described(good, linked), tmp_path)


@pytest.mark.usefixtures("no_datasets_dir")
def test_members_that_nobody_asked_for_write_nowhere(fake, tmp_path, project):
    outside = tarfile.TarInfo("../../outside")
    archive = packed(fake[0], extra=[outside, tarfile.TarInfo("/tmp/outside-of-everything")])
    expect_fake(fetch(archive, described(fake[0], archive), tmp_path), fake)
    assert not list(tmp_path.rglob("outside*"))
    assert not Path("/tmp/outside-of-everything").exists()


@pytest.mark.usefixtures("no_datasets_dir")
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (pickle.dumps(Evil(), 2), r"one is a pickle that asks for \S+exec"),
        (array_pickle(np.zeros((2, 5), np.uint8))[:-1] + b"U\x06labels](K\x00K\x01es.", r"one holds uint8 \(2, 5\)"),
        (array_pickle(np.zeros((1, 3072), np.uint8))[:-1] + b"U\x06labels](K\x07es.", "one holds labels outside 0 to 2"),
    ],
)
def test_files_that_are_no_batches(content, sentence, fake, tmp_path):
    files = {**fake[0], "one": content}
    archive = packed(files)
    with pytest.raises(StudyError, match=sentence):
        fetch(archive, described(files, archive), tmp_path)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (Source("cifar11", {}), "source.format is 'cifar11'; it must be one of cifar10, cifar100, digits"),
        (Source("digits", {"size": 3}), "source.size is not a key of format digits; there are format"),
        (Source("cifar10", {"uri": "x"}), "source.uri is not a key of format cifar10; there are format, url"),
        (Source("cifar10", {}), "source.url is None; format cifar10 needs an http or https URL"),
        (Source("cifar100", {"url": 5}), "source.url is 5; format cifar100 needs an http or https URL"),
    ],
)
def test_sources_are_checked(source, sentence, tmp_path):
    with pytest.raises(StudyError, match=sentence):
        sources.check(source, "datasets.small.source")


def command(project, root, *arguments):
    return subprocess.run(
        [sys.executable, *arguments], cwd=project, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True
    )


def test_command_line(project, root):
    params(project, small={"format": "digits"})
    done = command(project, root, "-m", "stages.download", "small")
    assert (done.returncode, done.stderr) == (0, "")
    data = Dataset.read(project / "data/raw/small")
    assert len(data.train_labels) == 1197
    failed = command(project, root, "-m", "stages.download", "big")
    assert failed.returncode == 1
    assert failed.stderr == "error: 'big' is not declared under datasets in params.yaml; there are small.\n"


def test_a_failure_leaves_what_was_there(project, monkeypatch):
    params(project, small={"format": "digits"})
    stage.download("small")
    before = contents(project / "data/raw/small")

    def full(self, folder):
        (folder / "train_images.npy").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Dataset, "write", full)
    with pytest.raises(OSError, match="No space left"):
        stage.download("small")
    assert contents(project / "data/raw/small") == before
    assert [path.name for path in Path("data/raw").iterdir()] == ["small"]


def test_starts_without_torch_pandas_or_sklearn(project, root):
    program = "import sys, stages.download, study.data.cifar; print({'torch', 'sklearn', 'pandas'} & set(sys.modules))"
    assert command(project, root, "-c", program).stdout == "set()\n"


def test_reading_what_is_not_there_or_damaged(project, tmp_path):
    with pytest.raises(
        StudyError, match=r"nothing/train_images\.npy is not here; dvc pull, or python -m stages\.download nothing"
    ):
        Dataset.read(tmp_path / "nothing")
    params(project, small={"format": "digits"})
    folder = stage.download("small")
    path = folder / "train_images.npy"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(StudyError, match="small is damaged"):
        Dataset.read(folder)
