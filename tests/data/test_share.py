"""The test share of data that come without a test set."""

import numpy as np
import pytest

from study.base.errors import StudyError
from study.data.share import held_out


def test_each_class_has_its_share_and_one_at_least():
    labels = np.repeat([0, 1, 2], [100, 10, 2])
    assert np.bincount(labels[held_out(labels, ["a", "b", "c"], 0.2)]).tolist() == [20, 2, 1]
    assert np.bincount(labels[held_out(labels, ["a", "b", "c"], 0.99)]).tolist() == [99, 9, 1]


DRAWN = [0, 2, 3, 10, 13, 17]  # of twenty images of two classes by turns, at 0.3


def test_the_draw_is_the_same_for_ever():
    """numpy has frozen this stream: other numbers would make another test set out of everybody's data."""
    labels = np.arange(20) % 2
    assert np.flatnonzero(held_out(labels, ["a", "b"], 0.3)).tolist() == DRAWN
    shuffled = np.random.RandomState(0).permutation(1000)
    assert held_out(np.zeros(1000, np.int64), ["a"], 0.5)[shuffled].mean() == 0.5


def test_an_image_more_in_one_class_leaves_other_classes_when_they_come_first():
    labels = np.repeat([0, 1], [10, 10])
    before = held_out(labels, ["a", "b"], 0.2)
    after = held_out(np.append(labels, 1), ["a", "b"], 0.2)
    np.testing.assert_array_equal(before[:10], after[:10])


@pytest.mark.parametrize(("labels", "said"), [([0, 0, 1], "class b has 1 image, too few"), ([0, 0], "class b has 0 images")])
def test_a_class_that_cannot_be_divided(labels, said):
    with pytest.raises(StudyError, match=said):
        held_out(np.array(labels), ["a", "b"], 0.2)
