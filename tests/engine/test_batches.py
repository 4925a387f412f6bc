"""Order, batches, augmentation and normalisation."""

import itertools

import numpy as np
import pytest
import torch

from study.engine.batches import ImageSet, Preprocess, bounds, flip_crop, moves, order


def test_order_depends_on_seed_and_epoch_alone():
    np.random.seed(0)  # noqa: NPY002 (the global state must not matter)
    first = order(100, 100, seed=3, epoch=5)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    assert np.array_equal(first, order(100, 100, seed=3, epoch=5))
    assert sorted(first) == list(range(100))
    assert not np.array_equal(first, order(100, 100, seed=3, epoch=6))
    assert not np.array_equal(first, order(100, 100, seed=4, epoch=5))


def test_order_is_pinned():
    # Another order is another study: a change here must be meant.
    assert order(8, 8, seed=0, epoch=0).tolist() == [3, 0, 1, 6, 2, 4, 7, 5]


def test_the_last_partial_batch_is_kept():
    assert bounds(10, 4) == [(0, 4), (4, 8), (8, 10)]
    assert bounds(8, 4) == [(0, 4), (4, 8)]
    assert bounds(3, 4) == [(0, 3)]


def test_a_last_image_alone_joins_the_batch_before():
    assert bounds(9, 4) == [(0, 4), (4, 9)]
    assert bounds(1, 4) == [(0, 1)]


@pytest.mark.parametrize("count", range(1, 40))
def test_batches_cover_an_epoch(count):
    steps = bounds(count, 8)
    assert steps[0][0] == 0
    assert steps[-1][1] == count
    assert all(before[1] == after[0] for before, after in itertools.pairwise(steps))


def test_normalised_as_torchvision_does():
    from torchvision.transforms import functional

    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    images = np.random.RandomState(0).randint(0, 256, (5, 20, 20, 3), np.uint8)
    ours = Preprocess(20, mean, std, "bilinear", torch.device("cpu"))(torch.from_numpy(images).permute(0, 3, 1, 2))
    theirs = torch.stack([functional.normalize(functional.to_tensor(image), mean, std) for image in images])
    assert torch.equal(ours, theirs)


def test_images_are_taken_by_index():
    images = np.random.RandomState(0).randint(0, 256, (6, 4, 4, 3), np.uint8)
    chosen = ImageSet.load(images, np.arange(6), torch.device("cpu"), np.array([4, 1]))
    assert chosen.labels.tolist() == [4, 1]
    assert torch.equal(chosen.images[0], torch.from_numpy(images[4]).permute(2, 0, 1))


def one_by_one(image, mirrored, down, right):
    """(H, W, C) moved with numpy, by the definition."""
    height, width, _ = image.shape
    image = image[:, ::-1] if mirrored else image
    result = np.zeros_like(image)
    for y in range(height):
        for x in range(width):
            if 0 <= y - down < height and 0 <= x - right < width:
                result[y, x] = image[y - down, x - right]
    return result


def test_flip_crop_moves_each_image_by_its_own_row():
    images = np.random.RandomState(0).randint(1, 256, (12, 16, 24, 3), np.uint8)
    plan = moves(12, 16, 24, seed=1, epoch=2)
    moved = flip_crop(torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(plan)).permute(0, 2, 3, 1).numpy()
    for image, result, (mirrored, down, right) in zip(images, moved, plan, strict=True):
        assert np.array_equal(result, one_by_one(image, mirrored, down, right))


def test_moves_use_their_whole_range_and_nothing_beyond():
    plan = moves(2000, 32, 16, seed=0, epoch=0)
    assert set(plan[:, 0]) == {0, 1}
    assert set(plan[:, 1]) == set(range(-4, 5))
    assert set(plan[:, 2]) == set(range(-2, 3))
    assert np.array_equal(plan, moves(2000, 32, 16, seed=0, epoch=0))
    assert not np.array_equal(plan, moves(2000, 32, 16, seed=0, epoch=1))
