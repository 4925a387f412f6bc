"""What gzip says behind the last file of a .tar.gz: that what was unpacked is not what was packed."""

import gzip
import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from study.base.errors import StudyError
from study.data import archive, formats
from study.settings.params import Source


def packed() -> bytes:
    """A .tar of two classes of images, in a format that has no sums of its own."""
    buffer = io.BytesIO()
    random = np.random.RandomState(0)
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in ("ant/0.bmp", "ant/1.bmp", "bee/0.bmp", "bee/1.bmp"):
            image = io.BytesIO()
            Image.fromarray(random.randint(0, 256, (8, 8, 3), dtype=np.uint8)).save(image, "BMP")
            member = tarfile.TarInfo(name)
            member.size = len(image.getvalue())
            tar.addfile(member, io.BytesIO(image.getvalue()))
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(content: bytes) -> None:
    archive.Path("x.tar.gz").write_bytes(content)
    draft = archive.Path("draft")
    draft.mkdir(exist_ok=True)
    source = Source("folder", {"side": 8, "path": "x.tar.gz", "test": 0.5})
    formats.check(source, "datasets.mine.source")
    formats.load(source, archive.Path("work"), draft)


def test_a_changed_byte_in_the_pixels_is_found():
    content = bytearray(gzip.compress(packed(), 0))
    load(bytes(content))
    content[content.rindex(b"BM") + 100] ^= 0x40
    with pytest.raises(StudyError, match=r"x.tar.gz cannot be unpacked .CRC check failed"):
        load(bytes(content))


def test_zeros_behind_the_end_are_read_up_to_a_limit(monkeypatch):
    content = gzip.compress(packed() + bytes(10**7))
    load(content)
    monkeypatch.setattr(archive, "_GB", 10**5)
    with pytest.raises(StudyError, match="it goes on for ever behind its end"):
        load(content)
