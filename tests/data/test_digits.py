"""The small study's datasets: sizes, no overlap of train and test, and the same bytes everywhere."""

import hashlib

import numpy as np
import pytest
from sklearn.datasets import load_digits

from study.data import digits


@pytest.fixture(scope="module")
def single():
    return digits.single()


@pytest.fixture(scope="module")
def pairs():
    return digits.pairs()


def test_sizes(single, pairs):
    assert single.train_images.shape == (1197, 32, 32, 3)
    assert np.bincount(single.test_labels).tolist() == [60] * 10
    assert single.classes == tuple("0123456789")
    assert pairs.train_images.shape == (4000, 32, 32, 3)
    assert np.bincount(pairs.train_labels).tolist() == [40] * 100
    assert np.bincount(pairs.test_labels).tolist() == [3] * 100
    assert pairs.classes[:11] == (*(f"0{i}" for i in range(10)), "10")
    assert all(images.dtype == np.uint8 for data in (single, pairs) for images in (data.train_images, data.test_images))


def keys(images):
    return [image.tobytes() for image in images]


def test_digits_divides_the_official_images(single):
    official, labels = load_digits(return_X_y=True)
    enlarged = digits._rgb(digits._enlarge(official.reshape(-1, 8, 8).astype(np.int64), 4))
    expected = sorted(zip(keys(enlarged), labels, strict=True))
    images = keys(single.train_images) + keys(single.test_images)
    found = sorted(zip(images, np.concatenate([single.train_labels, single.test_labels]), strict=True))
    assert found == expected


def halves(images):
    assert not images[:, :8].any()
    assert not images[:, 24:].any()
    return [*keys(images[:, 8:24, :16, 0]), *keys(images[:, 8:24, 16:, 0])]


def test_every_test_digit_is_in_one_pair_alone_and_in_no_train_pair(single, pairs):
    grey, _, test = digits._official()
    small = digits._enlarge(grey, 2)
    tested = halves(pairs.test_images)
    assert sorted(tested) == sorted(keys(small[test]))
    assert set(halves(pairs.train_images)) <= set(keys(small[~test]))
    assert not set(halves(pairs.train_images)) & set(tested)


def test_labels_of_pairs_are_their_digits(pairs):
    grey, labels, _ = digits._official()
    digit = dict(zip(keys(digits._enlarge(grey, 2)), labels, strict=True))
    for images, expected in ((pairs.train_images, pairs.train_labels), (pairs.test_images, pairs.test_labels)):
        found = [digit[half] for half in halves(images)]
        left, right = np.array(found[: len(images)]), np.array(found[len(images) :])
        np.testing.assert_array_equal(10 * left + right, expected)


def test_no_train_pair_twice(pairs):
    assert len(set(keys(pairs.train_images))) == len(pairs.train_images)


@pytest.mark.parametrize("times", [2, 4])
def test_enlarging_is_bilinear(times):
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 17, (3, 8, 8))
    places = np.clip((np.arange(8 * times) + 0.5) / times - 0.5, 0, 7)
    rows = np.stack([[np.interp(places, range(8), row) for row in image] for image in grey])
    exact = np.stack([[np.interp(places, range(8), column) for column in image.T] for image in rows]).transpose(0, 2, 1)
    found = digits._enlarge(grey, times)
    assert np.abs(found - exact * 255 / 16).max() <= 0.5 + 1e-9
    assert digits._enlarge(np.full((1, 8, 8), 16), times).min() == 255
    assert not digits._enlarge(np.zeros((1, 8, 8), np.int64), times).any()


def test_bytes_are_those_of_every_machine(single, pairs):
    found = [
        hashlib.sha256(array.tobytes()).hexdigest()[:16]
        for data in (single, pairs)
        for array in (data.train_images, data.train_labels, data.test_images, data.test_labels)
    ]
    assert found == [
        "84fa9e01fadf2e84",
        "2804d64fe1759055",
        "baa0e3ba028f5a08",
        "71fe078f39a9b349",
        "d4d14ed8e66a2076",
        "9267dbacbdebdfcd",
        "988c0593880887e8",
        "f7d8d72bb7d45848",
    ]
