"""The split's promises, for any labels: disjoint, stratified to within one image, nested over fractions, reproducible."""

import numpy as np
import pytest
import tiny
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from study.base.errors import StudyError
from study.data import digits
from study.data.splits import Split, split
from study.pipeline.proof import folder_md5
from study.settings.params import Params

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


def test_a_class_that_validation_takes_whole_wants_a_smaller_share_for_it():
    with pytest.raises(StudyError, match=r"val_fraction 0\.5 leaves class 1 \(1 image\) .* train subset; choose a smaller one"):
        split(np.repeat([0, 1], [20, 1]), 1.0, 0.5, 0)


# Classes of so few images that their share of a part is none


@pytest.mark.parametrize("few", [1, 2, 3, 4])
def test_a_class_of_few_images_is_refused_by_its_name(few):
    labels = np.repeat([0, 1], [20, few])
    with pytest.raises(StudyError, match=rf"0\.1 leaves class newt \({few} images?\) without .* validation set.* rare: train "):
        split(labels, 1.0, 0.1, 0, names=["frog", "newt"])


@given(st.integers(1, 4), FRACTION, st.floats(0.05, 0.5), SEED)
def test_a_class_of_few_images_can_be_kept_for_training(few, fraction, val_fraction, seed):
    labels = np.repeat([0, 1, 2], [60, few, 60])
    train, validation = split(labels, fraction, val_fraction, seed, "train")
    assert set(labels[train]) == {0, 1, 2}
    assert {0, 2} <= set(labels[validation])
    assert not np.intersect1d(train, validation).size
    whole, same = split(labels, 1.0, val_fraction, seed, "train")
    assert np.isin(train, whole).all() and np.array_equal(validation, same)
    assert len(whole) + len(validation) == len(labels)
    if not np.any(labels[validation] == 1):
        assert np.sum(labels[whole] == 1) == few


@given(LABELS, FRACTION, st.floats(0.05, 0.5), SEED)
def test_rare_changes_nothing_where_every_class_has_its_share(labels, fraction, val_fraction, seed):
    expected = split_or_skip(labels, fraction, val_fraction, seed)
    found = split(labels, fraction, val_fraction, seed, "train")
    assert all(np.array_equal(one, other) for one, other in zip(expected, found, strict=True))


def test_no_validation_image_at_all_is_refused():
    with pytest.raises(StudyError, match="leaves no image of any class for validation"):
        split(np.repeat([0, 1], 4), 1.0, 0.1, 0, "train")


def test_a_training_set_without_an_image_is_refused():
    with pytest.raises(StudyError, match="leaves no image of any class for validation"):
        split(np.array([], dtype=np.int64), 1.0, 0.1, 0)


@pytest.fixture
def rare(tmp_path):
    """The small project with a class of two train images, ``class 5``."""
    tiny.make(tmp_path)
    file = tmp_path / "data/raw/tiny/train_labels.npy"
    labels = np.load(file)
    labels[np.flatnonzero(labels == 5)[2:]] = 0
    np.save(file, labels)
    return tmp_path


def test_the_stage_stops_at_a_rare_class_unless_it_may_train(rare):
    stopped = tiny.run(rare, "split", "tiny", 1.0, 0)
    assert stopped.returncode == 1
    assert "leaves class class 5 (2 images) without an image in the validation set" in stopped.stderr
    params = yaml.safe_load((rare / "params.yaml").read_text())
    params["split"]["rare"] = "train"
    (rare / "params.yaml").write_text(yaml.safe_dump(params))
    done = tiny.run(rare, "split", "tiny", 1.0, 0)
    assert done.returncode == 0, done.stderr
    assert "1 of 6 classes have no validation image (rare: train): class 5" in done.stdout
    trained = tiny.run(rare, "train", "tiny-cnn-1.0-0")
    assert trained.returncode == 0, trained.stderr


@pytest.mark.parametrize("rare", ["stop", "train"])
def test_digits_are_divided_into_the_bytes_that_are_recorded(root, tmp_path, rare):
    labels = digits.single().train_labels
    recorded = yaml.safe_load((root / "dvc.lock").read_text())["stages"]["split@digits-0.1-0"]["outs"][0]["md5"]
    Split.draw("digits", 0.1, 0, labels, 0.1, rare).save(tmp_path)
    assert folder_md5(tmp_path) == recorded


def test_rare_is_stop_where_it_is_left_out():
    assert Params({"split": {"val_fraction": 0.1}}).split().rare == "stop"
    with pytest.raises(StudyError, match=r"split\.rare is 'skip'; it must be stop or train"):
        Params({"split": {"val_fraction": 0.1, "rare": "skip"}}).split()
