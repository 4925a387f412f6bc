"""A small archive like CIFAR-10's: its files, what they hold, and the table of their md5s."""

import hashlib
import io
import tarfile

import numpy as np
from pickles import array_pickle

from study.data import cifar


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


ONE, TWO, TEST = (batch(np.random.default_rng(seed), images) for seed, images in enumerate((5, 4, 3)))
NAMES = b"\x80\x02}U\x0blabel_names(U\x03catU\x03dogU\x04frogls."
FILES = {"one": ONE[0], "two": TWO[0], "test": TEST[0], "names": NAMES}


def lay(files, folder):
    """``files`` in a new ``folder``."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def packed(files, extra=()):
    """A .tar.gz of ``files`` in their folder, with ``extra`` members before them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for member in extra:
            tar.addfile(member)
        for name, content in files.items():
            member = tarfile.TarInfo(f"fake-py/{name}")
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


def expect_fake(data):
    """Nothing but what the files hold."""
    np.testing.assert_array_equal(data.train_images, np.concatenate([ONE[1], TWO[1]]))
    np.testing.assert_array_equal(data.test_images, TEST[1])
    np.testing.assert_array_equal(data.train_labels, np.concatenate([ONE[2], TWO[2]]))
    np.testing.assert_array_equal(data.test_labels, TEST[2])
    assert data.classes == ("cat", "dog", "frog")
