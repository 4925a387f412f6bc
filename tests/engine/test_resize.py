"""Our resize against Pillow's, byte for byte."""

import numpy as np
import pytest
import torch
from PIL import Image

from study.engine.resize import FILTERS, resize, taps

PIL_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
SIZES = [
    ((16, 16), 32),
    ((32, 32), 224),
    ((32, 32), 33),
    ((8, 8), 32),
    ((32, 32), 7),
    ((224, 224), 32),
    ((20, 31), 24),
    ((5, 24), 24),
]


def by_pillow(images, size, interpolation):
    """(N, H, W, 3) uint8 to (N, size, size, 3) uint8."""
    return np.stack([Image.fromarray(image).resize((size, size), PIL_FILTERS[interpolation]) for image in images])


def by_us(images, size, interpolation, device="cpu"):
    planes = torch.from_numpy(images).permute(0, 3, 1, 2).to(device)
    return resize(planes, size, interpolation).permute(0, 2, 3, 1).cpu().numpy()


@pytest.fixture(scope="module")
def real_images(datasets_dir):
    from study.data.formats import load
    from study.settings.params import Source

    dataset = load(Source("cifar10", {"url": "http://127.0.0.1:9"}), datasets_dir.parent, datasets_dir.parent)
    return dataset.test_images[:300]


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize(("shape", "size"), SIZES)
def test_random_images_equal_pillow(shape, size, interpolation):
    random = np.random.RandomState(size)
    noise = random.randint(0, 256, (4, *shape, 3), np.uint8)
    extremes = random.choice(np.array([0, 255], np.uint8), (4, *shape, 3))  # bicubic overshoots: both clips are needed
    for images in (noise, extremes):
        assert np.array_equal(by_us(images, size, interpolation), by_pillow(images, size, interpolation))


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize("size", [16, 224])
def test_real_images_equal_pillow(real_images, size, interpolation):
    assert np.array_equal(by_us(real_images, size, interpolation), by_pillow(real_images, size, interpolation))


@pytest.mark.gpu
@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize(("shape", "size"), SIZES)
def test_random_images_on_cuda_equal_pillow(cuda, shape, size, interpolation):
    images = np.random.RandomState(size).randint(0, 256, (4, *shape, 3), np.uint8)
    assert np.array_equal(by_us(images, size, interpolation, cuda), by_pillow(images, size, interpolation))


@pytest.mark.gpu
@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize("size", [16, 224])
def test_real_images_on_cuda_equal_pillow(cuda, real_images, size, interpolation):
    assert np.array_equal(by_us(real_images, size, interpolation, cuda), by_pillow(real_images, size, interpolation))


def test_same_size_is_the_same_tensor():
    images = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    assert resize(images, 32, "bicubic") is images


@pytest.mark.parametrize("interpolation", FILTERS)
def test_weights_of_a_pixel_sum_to_one(interpolation):
    for old, new in ((32, 224), (224, 32), (7, 100)):
        _, weights = taps(old, new, interpolation)
        assert np.abs(weights.sum(axis=0) - (1 << 22)).max() <= len(weights)  # each is rounded


def test_memory_layout_does_not_matter():
    images = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8)
    strided = images.contiguous(memory_format=torch.channels_last)
    assert torch.equal(resize(images, 40, "bicubic"), resize(strided, 40, "bicubic"))
