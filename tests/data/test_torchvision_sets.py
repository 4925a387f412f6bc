"""torchvision's datasets: official files by hand or over HTTP, md5s always checked, images as torchvision reads them."""

import gzip
import hashlib
import io
import json
import struct
import tarfile

import numpy as np
import pytest
from pictures import content
from servers import Files, serving

from study.base.errors import StudyError
from study.data import formats, torchvision_sets
from study.data.image import square
from study.settings import sources
from study.settings.params import Source

datasets = pytest.importorskip("torchvision.datasets")
RANDOM = np.random.RandomState(0)


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch, no_waiting):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATASETS_DIR", raising=False)
    (tmp_path / "draft").mkdir()
    return tmp_path


def load(project, name, **keys):
    source = Source("torchvision", {"name": name, "side": 8, **keys})
    formats.check(source, "datasets.mine.source")
    data = formats.load(source, project / "work", project / "draft")
    assert {path.name for path in (project / "draft").iterdir()} == {"train_images.npy", "test_images.npy"}
    return data


def md5(content):
    return hashlib.md5(content).hexdigest()


def lay(root, files):
    for name, held in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(held)


@pytest.fixture
def fashion(monkeypatch):
    """FashionMNIST of six and four images: its files by place, and its arrays."""
    arrays, files, resources = {}, {}, []
    for part, count in (("train", 6), ("t10k", 4)):
        images = RANDOM.randint(0, 256, (count, 28, 28)).astype(np.uint8)
        labels = np.arange(count, dtype=np.uint8) % 3
        arrays[part] = images, labels
        for name, magic, array in (("images-idx3", 2051, images), ("labels-idx1", 2049, labels)):
            content = gzip.compress(struct.pack(f">{1 + array.ndim}i", magic, *array.shape) + array.tobytes())
            resources.append((f"{part}-{name}-ubyte.gz", md5(content)))
            files[f"FashionMNIST/raw/{part}-{name}-ubyte.gz"] = content
    monkeypatch.setattr(datasets.FashionMNIST, "resources", resources)
    return files, arrays


def expect_fashion(data, arrays):
    assert data.classes[:2] == ("T-shirt/top", "Trouser")
    for part, images, labels in (("train", data.train_images, data.train_labels), ("t10k", data.test_images, data.test_labels)):
        assert labels.tolist() == arrays[part][1].tolist()
        np.testing.assert_array_equal(images, [square(image, 8, "crop") for image in arrays[part][0]])


@pytest.fixture
def three_classes(monkeypatch):
    """As many class names as these small files have labels."""
    monkeypatch.setattr(datasets.FashionMNIST, "classes", ["T-shirt/top", "Trouser", "Pullover"])


@pytest.mark.usefixtures("three_classes")
@pytest.mark.parametrize("where", ["DATASETS_DIR", "path"])
def test_files_laid_down_by_hand(where, fashion, project, monkeypatch):
    lay(project / "here", fashion[0])
    if where == "path":
        data = load(project, "FashionMNIST", path="here")
    else:
        monkeypatch.setenv("DATASETS_DIR", str(project / "here"))
        data = load(project, "FashionMNIST")
    expect_fashion(data, fashion[1])
    assert {path.name for path in (project / "here/FashionMNIST/raw").iterdir()} == {name[17:] for name in fashion[0]}


@pytest.mark.usefixtures("three_classes")
def test_over_a_breaking_network(fashion, project, monkeypatch):
    site = Files()
    site.files = {f"/{name.rsplit('/', 1)[1]}": content for name, content in fashion[0].items()}
    site.cuts, site.statuses = [None, 30], [503]
    with serving(site):
        monkeypatch.setattr(datasets.FashionMNIST, "mirrors", [f"{site.url}/"])
        expect_fashion(load(project, "FashionMNIST"), fashion[1])
        assert [asked for _, _, asked in site.requests[:3]] == [None, None, "bytes=30-"]
        site.files["/t10k-images-idx3-ubyte.gz"] += b"x"
        with pytest.raises(StudyError, match=r"instead of .* deleted.*put it at FashionMNIST/raw/t10k-images"):
            load(project, "FashionMNIST")


def test_a_changed_file_is_refused_although_an_unpacked_one_lies_beside_it(fashion, project):
    """torchvision itself takes what is unpacked and checks nothing then."""
    changed = "FashionMNIST/raw/train-labels-idx1-ubyte.gz"
    files = {name: content + b"x" * (name == changed) for name, content in fashion[0].items()}
    lay(project / "here", files | {name[:-3]: gzip.decompress(content) for name, content in fashion[0].items()})
    with pytest.raises(StudyError, match=rf"{changed} has the md5 {md5(files[changed])} instead of the official"):
        load(project, "FashionMNIST", path="here")
    assert not (project / "draft/torchvision").exists()


def mat(**arrays):
    buffer = io.BytesIO()
    pytest.importorskip("scipy.io").savemat(buffer, arrays)
    return buffer.getvalue()


def test_svhn(project, monkeypatch):
    parts, split_list = {}, {"extra": ["http://127.0.0.1:1/extra", "extra", "0" * 32]}
    for part, count in (("train", 20), ("test", 10)):
        parts[part] = RANDOM.randint(0, 256, (32, 32, 3, count)).astype(np.uint8)
        content = mat(X=parts[part], y=(np.arange(count) % 10 + 1).reshape(-1, 1).astype(np.uint8))
        split_list[part] = [f"http://127.0.0.1:1/{part}", f"{part}_32x32.mat", md5(content)]
        lay(project, {f"{part}_32x32.mat": content})
    monkeypatch.setattr(datasets.SVHN, "split_list", split_list)
    data = load(project, "SVHN", path=".", side=32)
    assert data.classes == tuple("0123456789")
    assert data.train_labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0] * 2  # a label 10 is the digit 0
    np.testing.assert_array_equal(data.train_images, parts["train"].transpose(3, 0, 1, 2))
    np.testing.assert_array_equal(data.test_images, parts["test"].transpose(3, 0, 1, 2))


def packed(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def test_flowers(project, monkeypatch):
    files = {
        "102flowers.tgz": packed({f"jpg/image_{n:05d}.jpg": content(n, kind="JPEG") for n in range(1, 9)}),
        "imagelabels.mat": mat(labels=np.array([[1, 2, 1, 2, 1, 2, 1, 2]])),
        "setid.mat": mat(trnid=np.array([[1, 4, 3]]), valid=np.array([[2, 7]]), tstid=np.array([[8, 5, 6]])),
    }
    names = {"image": "102flowers.tgz", "label": "imagelabels.mat", "setid": "setid.mat"}
    monkeypatch.setattr(datasets.Flowers102, "_file_dict", {key: (name, md5(files[name])) for key, name in names.items()})
    monkeypatch.setattr(datasets.Flowers102, "classes", ["pink primrose", "orchid"])
    lay(project / "flowers-102", files)
    data = load(project, "Flowers102", path=".")
    assert data.train_labels.tolist() == [0, 1, 0]
    assert data.test_labels.tolist() == [1, 0, 1]
    np.testing.assert_array_equal(data.train_images[1], square(content(4, kind="JPEG"), 8, "crop"))
    np.testing.assert_array_equal(data.test_images[0], square(content(8, kind="JPEG"), 8, "crop"))


@pytest.mark.parametrize("name", ["Food101", "DTD"])
def test_sets_in_one_archive(name, project, monkeypatch):
    images = {f"{label}/{n}": content(n, kind="JPEG") for n in range(2) for label in ("ant", "bee")}
    if name == "Food101":
        meta = {part: {label: [f"{label}/{n}"] for label in ("ant", "bee")} for n, part in enumerate(("train", "test"))}
        contents = {f"food-101/meta/{part}.json": json.dumps(meta[part]).encode() for part in meta}
        contents |= {f"food-101/images/{path}.jpg": image for path, image in images.items()}
        place, archive = "food-101.tar.gz", packed(contents)
    else:
        parts = {"train": "ant/0.jpg\nbee/0.jpg\n", "test": "ant/1.jpg\nbee/1.jpg\n"}
        contents = {f"dtd/labels/{part}1.txt": lines.encode() for part, lines in parts.items()}
        contents |= {f"dtd/images/{path}.jpg": image for path, image in images.items()}
        place, archive = "dtd/dtd-r1.0.1.tar.gz", packed(contents)
    monkeypatch.setattr(getattr(datasets, name), "_MD5", md5(archive))
    lay(project, {place: archive})
    data = load(project, name, path=".")
    assert data.classes == ("ant", "bee")
    assert data.train_labels.tolist() == data.test_labels.tolist() == [0, 1]
    np.testing.assert_array_equal(data.test_images[1], square(content(1, kind="JPEG"), 8, "crop"))


def test_names_are_those_that_can_be_read():
    for name in torchvision_sets.KNOWN:
        assert sources.FORMATS["torchvision"]["name"].accepts(name)
        files = torchvision_sets.KNOWN[name].files(getattr(datasets, name))
        assert all(len(md5) == 32 and url.startswith("http") for _, url, md5 in files)
    with pytest.raises(StudyError, match=r"source.name is 'ImageNet'; format torchvision needs DTD or FashionMNIST or"):
        formats.check(Source("torchvision", {"name": "ImageNet", "side": 8}), "source")
