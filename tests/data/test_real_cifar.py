"""CIFAR-10 and CIFAR-100 from the authors' own files: sizes, pixels, checksums, and what torchvision reads of them."""

import dataclasses
import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from servers import Files, serving

from stages import download as stage
from study.data import cifar
from study.data.dataset import Dataset


@pytest.fixture(scope="module")
def real(datasets_dir, tmp_path_factory):
    """Both datasets as their stage writes them, read back."""
    patch = pytest.MonkeyPatch()
    patch.setenv("DATASETS_DIR", str(datasets_dir))
    folder = tmp_path_factory.mktemp("real")
    data = {}
    for archive in (cifar.CIFAR10, cifar.CIFAR100):
        (folder / archive.folder).mkdir()
        cifar.load(archive, "", folder).write(folder / archive.folder)
        data[archive.folder] = Dataset.read(folder / archive.folder)
    patch.undo()
    return data


def test_real_sizes_and_classes(real):
    for data in real.values():
        assert data.train_images.shape == (50_000, 32, 32, 3)
        assert data.test_images.shape == (10_000, 32, 32, 3)
        share = 1 / len(data.classes)
        assert set(np.bincount(data.train_labels)) == {50_000 * share}
        assert set(np.bincount(data.test_labels)) == {10_000 * share}
    ten, hundred = real["cifar-10-batches-py"].classes, real["cifar-100-python"].classes
    assert ten == ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    assert (len(set(hundred)), hundred[0], hundred[99]) == (100, "apple", "worm")


def test_real_pixels(real):
    ten = real["cifar-10-batches-py"]
    assert ten.train_images[0, 0, :2].tolist() == [[59, 62, 63], [43, 46, 45]]
    assert ten.classes[ten.train_labels[0]] == "frog"
    hundred = real["cifar-100-python"]
    assert hundred.classes[hundred.train_labels[0]] == "cattle"
    assert hundred.train_images[0, 0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize("name", ["CIFAR10", "CIFAR100"])
def test_checksums_are_those_that_torchvision_knows(name):
    reader = getattr(pytest.importorskip("torchvision.datasets"), name)
    archive = getattr(cifar, name)
    assert (archive.name, archive.md5, archive.folder) == (reader.filename, reader.tgz_md5, reader.base_folder)
    assert archive.files == dict([*reader.train_list, *reader.test_list, (reader.meta["filename"], reader.meta["md5"])])


@pytest.mark.parametrize("name", ["CIFAR10", "CIFAR100"])
def test_real_files_as_torchvision_reads_them(name, real, datasets_dir):
    reader = getattr(pytest.importorskip("torchvision.datasets"), name)
    ours = real[getattr(cifar, name).folder]
    for train, images, labels in ((True, ours.train_images, ours.train_labels), (False, ours.test_images, ours.test_labels)):
        theirs = reader(datasets_dir, train=train)
        np.testing.assert_array_equal(theirs.data, images)
        np.testing.assert_array_equal(theirs.targets, labels)
    assert list(ours.classes) == theirs.classes


def test_real_files_over_http(datasets_dir, real, tmp_path, monkeypatch, no_waiting):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATASETS_DIR")
    official = cifar.CIFAR10
    files = {name: (datasets_dir / official.folder / name).read_bytes() for name in official.files}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=0) as tar:  # no time is lost on compression
        for name, content in files.items():
            member = tarfile.TarInfo(f"{official.folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    archive = buffer.getvalue()
    monkeypatch.setattr(cifar, "CIFAR10", dataclasses.replace(official, md5=hashlib.md5(archive).hexdigest()))
    site = Files()
    site.files["/cifar-10-python.tar.gz"] = archive
    site.cuts = [50_000_000]
    with serving(site):
        source = {"format": "cifar10", "url": f"{site.url}/cifar-10-python.tar.gz"}
        Path("params.yaml").write_text(json.dumps({"datasets": {"cifar10": {"source": source, "recipe": {}}}}))  # JSON is YAML
        data = Dataset.read(stage.download("cifar10"))
    np.testing.assert_array_equal(data.train_images, real[official.folder].train_images)
    assert json.loads(Path("data/raw/cifar10/classes.json").read_text())[0] == "airplane"
