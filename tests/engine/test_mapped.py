"""Images on the device: the same bytes whether they are held or stay in their file."""

import numpy as np
import pytest
import torch

from study.base import machine
from study.engine import mapped
from study.engine.batches import ImageSet
from study.engine.mapped import Mapped

CPU = torch.device("cpu")


@pytest.fixture
def images(tmp_path):
    np.save(tmp_path / "images.npy", np.random.RandomState(0).randint(0, 256, (20, 6, 4, 3)).astype(np.uint8))
    return np.load(tmp_path / "images.npy", mmap_mode="r")


@pytest.mark.parametrize("rows", [1, 500, 10**9])
@pytest.mark.parametrize("chosen", [None, np.array([3, 1, 19, 7, 7])])
def test_held(rows, chosen, images, monkeypatch):
    monkeypatch.setattr(mapped, "ROWS", rows)
    labels = np.arange(20, dtype=np.int32)
    held = ImageSet.load(images, labels, CPU, chosen)
    places = np.arange(20) if chosen is None else chosen
    assert isinstance(held.images, torch.Tensor)
    assert held.images.is_contiguous()
    np.testing.assert_array_equal(held.images, np.asarray(images)[places].transpose(0, 3, 1, 2))
    assert held.labels.dtype == torch.int64
    assert held.labels.tolist() == places.tolist()


def test_kept_in_the_file(images, monkeypatch):
    held = ImageSet.load(images, np.arange(20), CPU, np.arange(20)[::-2])
    monkeypatch.setattr(machine, "memory", lambda: 700)  # the ten images have 720 bytes
    kept = ImageSet.load(images, np.arange(20), CPU, np.arange(20)[::-2])
    assert isinstance(kept.images, Mapped)
    assert kept.images.shape == held.images.shape
    assert len(kept) == len(held) == 10
    batch = torch.tensor([4, 0, 9])
    for one, two in ((kept.images[batch], held.images[batch]), (kept.images[:3], held.images[:3])):
        assert one.stride() == two.stride()
        assert torch.equal(one, two)
    assert [part.tolist() for part in kept.images.split(4)] == [part.tolist() for part in held.images.split(4)]


def test_an_array_without_a_file_is_held(images, monkeypatch):
    monkeypatch.setattr(machine, "memory", lambda: 1)
    assert isinstance(ImageSet.load(np.asarray(images).copy(), np.arange(20), CPU).images, torch.Tensor)
