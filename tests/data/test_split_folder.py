"""A split that is read is whole, of one run, and the one that the stage draws for this cell."""

from dataclasses import replace

import numpy as np
import pytest

from study.base.errors import StudyError
from study.data.splits import Split

LABELS = np.arange(90) % 3
DRAWN = Split.draw("tiny", 0.5, 0, LABELS, 0.1)
TRAIN, VALIDATION = DRAWN.train, DRAWN.validation


def check(folder, fraction=0.5, seed=0, labels=LABELS, val_fraction=0.1):
    Split.draw("tiny", fraction, seed, labels, val_fraction).check(folder)


def save(folder, train=TRAIN, validation=VALIDATION):
    """A folder whose files agree with each other, whatever the indices are."""
    replace(DRAWN, train=train, validation=validation).save(folder)
    return folder


def test_what_was_written_is_read(tmp_path):
    check(save(tmp_path))
    assert (np.load(tmp_path / "train.npy") == TRAIN).all() and (np.load(tmp_path / "validation.npy") == VALIDATION).all()
    assert DRAWN.full_images == 81 and len(TRAIN) == 42


@pytest.mark.parametrize("name", ["train.npy", "validation.npy"])
def test_files_of_two_runs_are_refused(tmp_path, name):
    """As a kill between two files left them once."""
    other = save(tmp_path / "other", np.arange(0, 60), np.arange(60, 90))
    (other / name).rename(save(tmp_path / "split") / name)
    with pytest.raises(StudyError, match=r"its files are not of one run; run python -m stages\.split tiny 0\.5 0"):
        check(tmp_path / "split")


@pytest.mark.parametrize("name", ["train.npy", "validation.npy", "split.json"])
def test_a_file_that_is_absent_is_named(tmp_path, name):
    (save(tmp_path) / name).unlink()
    with pytest.raises(StudyError, match=f"{name} is not here"):
        check(tmp_path)


@pytest.mark.parametrize(
    "parts",
    [
        (TRAIN, TRAIN),
        (TRAIN - 1, VALIDATION),
        (TRAIN[::-1].copy(), VALIDATION),
        (TRAIN, VALIDATION[::-1].copy()),
        (Split.draw("tiny", 1.0, 0, LABELS, 0.1).train, VALIDATION),
        (TRAIN[:-1], VALIDATION),
        (np.ones(len(TRAIN), bool), VALIDATION),
        (TRAIN + 0.5, VALIDATION),
        (TRAIN[:, None], VALIDATION),
        (TRAIN, VALIDATION[:0]),
    ],
    ids=[
        "the same",
        "others",
        "descending",
        "descending too",
        "too many",
        "too few",
        "boolean",
        "decimals",
        "two dimensions",
        "none",
    ],
)
def test_indices_that_the_stage_does_not_draw_are_refused(tmp_path, parts):
    """Even where a split.json was made for them."""
    with pytest.raises(
        StudyError, match=r"holds other indices than the stage draws .*; run python -m stages\.split tiny 0\.5 0"
    ):
        check(save(tmp_path, *parts))


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (
            {"fraction": 0.2},
            r"is of fraction 0\.5, params\.yaml and the dataset want 0\.2; run python -m stages\.split tiny 0\.2 0",
        ),
        ({"seed": 1}, "is of seed 0, .* want 1"),
        ({"val_fraction": 0.2}, r"is of val_fraction 0\.1, .* want 0\.2"),
        ({"labels": np.arange(96) % 3}, "is of official_images 90, .* want 96"),
        ({"labels": np.arange(90) % 2}, "holds other indices"),
    ],
)
def test_a_split_of_another_cell_or_other_data_is_refused(tmp_path, asked, why):
    with pytest.raises(StudyError, match=why):
        check(save(tmp_path), **asked)
