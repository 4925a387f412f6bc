"""The split's promises, for any labels: disjoint, stratified to within one image, nested over fractions, reproducible."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from study.base.errors import StudyError
from study.data.splits import split

LABELS = arrays(np.int64, st.integers(40, 400), elements=st.integers(0, 4))
FRACTION = st.floats(0.05, 1.0)
SEED = st.integers(0, 2**32 - 1)


def split_or_skip(labels, fraction, val_fraction, seed):
    try:
        return split(labels, fraction, val_fraction, seed)
    except StudyError:
        assume(False)


@given(LABELS, FRACTION, st.floats(0.05, 0.5), SEED)
def test_disjoint_sorted_and_stratified(labels, fraction, val_fraction, seed):
    train, validation = split_or_skip(labels, fraction, val_fraction, seed)
    assert not np.intersect1d(train, validation).size
    assert np.all(np.diff(train) > 0) and np.all(np.diff(validation) > 0)
    for label in np.unique(labels):
        count = np.sum(labels == label)
        held_out = np.sum(labels[validation] == label)
        assert abs(held_out - val_fraction * count) <= 1
        assert abs(np.sum(labels[train] == label) - fraction * (count - held_out)) <= 1


@given(LABELS, st.tuples(FRACTION, FRACTION), SEED)
def test_nested_with_one_validation_set(labels, fractions, seed):
    small, large = sorted(fractions)
    train_small, validation_small = split_or_skip(labels, small, 0.1, seed)
    train_large, validation_large = split_or_skip(labels, large, 0.1, seed)
    assert np.isin(train_small, train_large).all()
    assert np.array_equal(validation_small, validation_large)


@given(LABELS, SEED)
def test_whole_training_set_is_used_at_one(labels, seed):
    train, validation = split_or_skip(labels, 1.0, 0.1, seed)
    assert len(train) + len(validation) == len(labels)


def test_fixed_bytes():
    """These very indices stand behind the committed dvc.lock; a numpy that draws others must not go unnoticed."""
    train, validation = split(np.repeat([0, 1], 10), 0.5, 0.2, seed=7)
    assert train.tolist() == [0, 1, 2, 9, 10, 12, 15, 19]
    assert validation.tolist() == [5, 8, 11, 13]


def test_seeds_differ():
    labels = np.repeat(np.arange(10), 50)
    assert not np.array_equal(split(labels, 0.5, 0.1, 0)[0], split(labels, 0.5, 0.1, 1)[0])


@pytest.mark.parametrize(("fraction", "val_fraction", "part"), [(0.01, 0.1, "train subset"), (1.0, 0.01, "validation set")])
def test_empty_class_is_an_error(fraction, val_fraction, part):
    with pytest.raises(StudyError, match=f"class 0 .* {part}"):
        split(np.repeat([0, 1], 10), fraction, val_fraction, 0)
