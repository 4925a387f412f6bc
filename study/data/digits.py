"""The small study's datasets, from scikit-learn's handwritten digits: 1,797 grey images of 8x8 pixels, values 0 to 16.

(Optical Recognition of Handwritten Digits, E. Alpaydin, C. Kaynak, UCI 1998; it comes with scikit-learn, nothing is
downloaded.) Images are enlarged to 32x32 and grey becomes RGB, so that every dataset of the study has one shape.
Enlarging is bilinear with edges repeated, in whole numbers, and every draw is numpy's RandomState, whose stream numpy
has frozen: the same bytes on every machine.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from study.base.errors import StudyError
from study.data.dataset import Dataset

SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"  # of scikit-learn's images and labels as uint8
SIDE = 32  # pixels
BRIGHTEST = 16  # scikit-learn's value for full ink
TEST_PER_DIGIT = 60
TRAIN_PAIRS_PER_CLASS = 40
SEED = 0


def single() -> Dataset:
    """One digit per image, classes 0 to 9: 60 test images of each class, 1,197 train images."""
    grey, labels, test = _official()
    images = _rgb(_enlarge(grey, SIDE // 8))
    return Dataset(images[~test], labels[~test], images[test], labels[test], tuple(map(str, range(10))))


def pairs() -> Dataset:
    """Two digits side by side, classes 00 to 99: 3 test and 40 train images of each class.

    Test pairs are made of test digits, each of them in one pair alone; train pairs of train digits, no pair twice.
    """
    grey, labels, test = _official()
    halves = _enlarge(grey, SIDE // 16)
    of_digit = [np.flatnonzero(~test & (labels == digit)) for digit in range(10)]
    random = np.random.RandomState(SEED + 1)
    train = []
    for left in of_digit:
        for right in of_digit:
            drawn = random.permutation(len(left) * len(right))[:TRAIN_PAIRS_PER_CLASS]
            train.append(np.stack([left[drawn // len(right)], right[drawn % len(right)]], axis=1))
    # Of a digit's 60 test images, in an order drawn at random, the first 30 are left halves, the others right ones.
    orders = [random.permutation(np.flatnonzero(test & (labels == digit))).reshape(2, 10, -1) for digit in range(10)]
    tested = [np.stack([orders[a][0, b], orders[b][1, a]], axis=1) for a in range(10) for b in range(10)]
    classes = tuple(f"{number:02d}" for number in range(100))
    train_images, train_labels = _side_by_side(halves, train)
    test_images, test_labels = _side_by_side(halves, tested)
    return Dataset(train_images, train_labels, test_images, test_labels, classes)


def _official() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Grey images (1797, 8, 8), labels (1797,), and which of them are for testing: 60 of each digit, drawn at random."""
    bunch = load_digits()
    grey, labels = bunch.images.astype(np.uint8), bunch.target.astype(np.uint8)
    found = hashlib.sha256(grey.tobytes() + labels.tobytes()).hexdigest()
    if found != SHA256:
        raise StudyError(f"scikit-learn's digits have the sha256 {found} instead of {SHA256}; install the pinned scikit-learn.")
    random = np.random.RandomState(SEED)
    test = np.zeros(len(labels), dtype=np.bool_)
    for digit in range(10):
        test[random.permutation(np.flatnonzero(labels == digit))[:TEST_PER_DIGIT]] = True
    return grey.astype(np.int64), labels.astype(np.int64), test


def _enlarge(grey: NDArray[np.int64], times: int) -> NDArray[np.uint8]:
    """``grey`` (N, 8, 8) enlarged to (N, 8 * times, 8 * times), from 0 to 255, bilinear, rounded once at the end."""
    size = grey.shape[1]
    taps = np.zeros((size * times, size), dtype=np.int64)  # each row adds up to 2 * times
    for row in range(size * times):
        # The centre of the new pixel lies at (row + 0.5) / times - 0.5 old pixels: place / (2 * times).
        place = 2 * row + 1 - times
        below, share = divmod(place, 2 * times)
        taps[row, max(below, 0)] += 2 * times - share
        taps[row, min(below + 1, size - 1)] += share
    whole = BRIGHTEST * (2 * times) ** 2
    return ((taps @ grey @ taps.T * 255 + whole // 2) // whole).astype(np.uint8)


def _side_by_side(halves: NDArray[np.uint8], pairs: list[NDArray[np.intp]]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (N, 32, 32, 3) of ``halves`` (M, 16, 16), centred on black, and labels; ``pairs`` has indices (n, 2) per class."""
    chosen = np.concatenate(pairs)
    grey = np.zeros((len(chosen), SIDE, SIDE), dtype=np.uint8)
    top = (SIDE - halves.shape[1]) // 2
    grey[:, top:-top, : SIDE // 2] = halves[chosen[:, 0]]
    grey[:, top:-top, SIDE // 2 :] = halves[chosen[:, 1]]
    labels = np.repeat(np.arange(len(pairs), dtype=np.int64), [len(pair) for pair in pairs])
    return _rgb(grey), labels


def _rgb(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey images (N, H, W) as (N, H, W, 3)."""
    return np.repeat(grey[..., np.newaxis], 3, axis=-1)
