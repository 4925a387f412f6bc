"""A split that is read is whole, of one run, of this cell, and divides the images into two parts."""

import numpy as np
import pytest

from study.base.errors import StudyError
from study.data.splits import Split

TRAIN, VALIDATION = np.arange(70), np.arange(70, 90)


def load(folder, fraction=0.5, seed=0, labels=90):
    return Split.load(folder, "tiny", fraction, seed, labels)


def save(folder, train=TRAIN, validation=VALIDATION, fraction=0.5):
    Split("tiny", fraction, 0, 0.1, 90, train, validation).save(folder)
    return folder


def test_what_was_written_is_read(tmp_path):
    found = load(save(tmp_path))
    assert (found.train == TRAIN).all() and (found.validation == VALIDATION).all() and found.full_images == 70


@pytest.mark.parametrize("name", ["train.npy", "validation.npy"])
def test_files_of_two_runs_are_refused(tmp_path, name):
    """As a kill between two files left them once."""
    other = save(tmp_path / "other", np.arange(0, 60), np.arange(60, 90))
    (other / name).rename(save(tmp_path / "split") / name)
    with pytest.raises(StudyError, match=r"its files are not of one run; run python -m stages\.split tiny 0\.5 0"):
        load(tmp_path / "split")


@pytest.mark.parametrize("name", ["train.npy", "validation.npy", "split.json"])
def test_a_file_that_is_absent_is_named(tmp_path, name):
    (save(tmp_path) / name).unlink()
    with pytest.raises(StudyError, match=f"{name} is not here"):
        load(tmp_path)


@pytest.mark.parametrize(
    "parts",
    [
        (TRAIN, TRAIN),
        (TRAIN - 1, VALIDATION),
        (TRAIN, VALIDATION + 1),
        (np.zeros(70, np.int64), VALIDATION),
        (np.ones(70, bool), VALIDATION),
        (TRAIN.astype(float), VALIDATION),
        (TRAIN[:, None], VALIDATION),
        (TRAIN[:0], VALIDATION),
        (TRAIN, VALIDATION[:0]),
    ],
    ids=["the same", "negative", "beyond", "repeated", "boolean", "decimals", "two dimensions", "no train", "no validation"],
)
def test_indices_that_divide_nothing_are_refused(tmp_path, parts):
    with pytest.raises(StudyError, match="repeated, out of range or in both parts|is damaged"):
        load(save(tmp_path, *parts))


@pytest.mark.parametrize("asked", [{"fraction": 0.2}, {"seed": 1}, {"labels": 91}])
def test_a_split_of_another_cell_or_other_data_is_refused(tmp_path, asked):
    with pytest.raises(StudyError, match="is of another dataset, fraction or seed, or of other data"):
        load(save(tmp_path), **asked)
