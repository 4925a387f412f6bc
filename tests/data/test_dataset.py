"""What a dataset must be, returned by a reader or read from its folder; anything else is one sentence, not a training on nonsense."""

import numpy as np
import pytest

from study.base.errors import StudyError
from study.data.dataset import Dataset

IMAGES, LABELS = np.zeros((6, 4, 4, 3), np.uint8), np.arange(6) % 3
CLASSES = ("a", "b", "c")


def test_what_is_as_described_is_taken():
    Dataset(IMAGES, LABELS, IMAGES[:3], LABELS[:3].astype(np.uint8), CLASSES)


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (IMAGES / 255, LABELS, r"train images are float64 of shape \(6, 4, 4, 3\); they must be uint8 \(N, H, W, 3\)"),
        (IMAGES[..., 0], LABELS, r"train images are uint8 of shape \(6, 4, 4\)"),
        (IMAGES[..., :1], LABELS, r"train images are uint8 of shape \(6, 4, 4, 1\)"),
        (IMAGES, LABELS[:5], r"train labels are int64 of shape \(5,\); they must be whole numbers, one for each of 6 images"),
        (IMAGES, LABELS / 1, "train labels are float64"),
        (IMAGES, LABELS + 1, "train labels must lie from 0 to 2, for its 3 class names; they are 1 to 3"),
        (IMAGES, LABELS - 1, "they are -1 to 1"),
        (IMAGES[:0], LABELS[:0], "they are none"),
    ],
)
def test_anything_else_is_one_sentence(images, labels, said):
    with pytest.raises(StudyError, match=said):
        Dataset(images, labels, IMAGES, LABELS, CLASSES)


def test_the_test_set_is_looked_at_too():
    with pytest.raises(StudyError, match="the dataset's test labels must lie from 0 to 2"):
        Dataset(IMAGES, LABELS, IMAGES, LABELS + 1, CLASSES)


def test_reading_what_is_not_there_or_damaged(tmp_path):
    with pytest.raises(
        StudyError, match=r"nothing/train_images\.npy is not here; dvc pull, or python -m stages\.download nothing"
    ):
        Dataset.read(tmp_path / "nothing")
    folder = tmp_path / "small"
    folder.mkdir()
    Dataset(IMAGES, LABELS, IMAGES, LABELS, CLASSES).write(folder)
    path = folder / "train_images.npy"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(StudyError, match="small is damaged"):
        Dataset.read(folder)
