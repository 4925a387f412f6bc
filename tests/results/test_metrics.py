"""One cell's metrics against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, top_k_accuracy_score

from study.base.errors import StudyError
from study.design.cells import Cell
from study.results import predictions
from study.results.predictions import Predictions

CELL = Cell("tiny", "cnn", 1.0, 0)


def from_logits(logits, labels, classes):
    return Predictions.from_logits(CELL, "0" * 64, logits, labels, classes)


@pytest.fixture
def sample():
    random = np.random.RandomState(0)
    labels = np.arange(300) % 12
    logits = random.randn(300, 12).astype(np.float32)
    logits[np.arange(300), labels] += 1.5
    return logits, labels, tuple(f"c{label}" for label in range(12))


def test_equal_to_sklearn(sample):
    logits, labels, classes = sample
    found = from_logits(logits, labels, classes)
    metrics = found.metrics()
    assert metrics["images"] == 300
    assert metrics["top1_accuracy"] == accuracy_score(labels, found.predicted)
    assert metrics["top1_error"] == pytest.approx(1 - metrics["top1_accuracy"], abs=1e-15)
    assert metrics["top5_error"] == pytest.approx(1 - top_k_accuracy_score(labels, logits, k=5), abs=1e-15)
    probabilities = np.exp(logits.astype(float))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    assert found.nll.mean() == pytest.approx(log_loss(labels, probabilities), rel=1e-6)
    assert np.allclose(found.confidence, probabilities.max(axis=1), rtol=1e-6)


def test_rank_is_the_place_of_the_label(sample):
    logits, labels, classes = sample
    found = from_logits(logits, labels, classes)
    places = [list(np.argsort(-row, kind="stable")).index(label) for row, label in zip(logits, labels, strict=True)]
    assert found.rank.tolist() == places
    assert np.array_equal(found.rank == 0, found.predicted == labels)


def test_equal_logits_count_for_the_lower_class():
    logits = np.zeros((6, 6), np.float32)
    found = from_logits(logits, np.arange(6), tuple("abcdef"))
    assert found.rank.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.predicted.tolist() == [0] * 6
    assert found.metrics() == {"images": 6, "top1_accuracy": 1 / 6, "top1_error": 5 / 6, "top5_error": 1 / 6}


def test_no_top5_for_five_classes():
    found = from_logits(np.zeros((2, 5), np.float32), np.array([0, 1]), tuple("abcde"))
    assert set(found.metrics()) == {"images", "top1_accuracy", "top1_error"}


def test_large_logits_do_not_overflow():
    found = from_logits(np.array([[1e4, 0, -1e4]], np.float32), np.array([2]), tuple("abc"))
    assert found.nll.tolist() == [20000.0]
    assert found.confidence.tolist() == [1.0]


def test_types_are_those_of_the_file(sample):
    found = from_logits(*sample)
    kinds = {name: array.dtype.str[1:] for name, array in vars(found).items() if isinstance(array, np.ndarray)}
    assert kinds == {"labels": "i2", "predicted": "i2", "rank": "i2", "confidence": "f4", "nll": "f4", "classes": "U3"}


def test_more_classes_than_int16_holds():
    logits = np.zeros((2, 40_000), np.float32)
    logits[0, 39_999] = logits[1, 5] = 1
    found = from_logits(logits, np.array([39_999, 5]), tuple(map(str, range(40_000))))
    assert found.labels.tolist() == [39_999, 5] and found.metrics()["top1_accuracy"] == 1


def test_what_was_saved_is_read_and_nothing_else(sample, tmp_path):
    found = from_logits(*sample)
    found.save(tmp_path)
    again = Predictions.load(tmp_path, CELL)
    assert all(np.array_equal(value, getattr(again, name)) for name, value in vars(found).items())
    with pytest.raises(StudyError, match=r"is of another cell, tiny-cnn-1\.0-0"):
        Predictions.load(tmp_path, Cell("tiny", "cnn", 0.5, 0))


@pytest.mark.parametrize(
    "edit",
    [
        {"rank": lambda array: np.where(array == 0, 1, array).astype(np.int16)},
        {"confidence": lambda array: array * np.nan},
        {"confidence": lambda array: array + 1},
        {"nll": lambda array: -array - 1},
        {"nll": lambda array: array.astype(np.float64)},
        {"labels": lambda array: array[:-1]},
        {"predicted": lambda array: array + 12},
        {"classes": lambda array: array[:1]},
    ],
)
def test_arrays_that_cannot_be_predictions_are_damaged(sample, tmp_path, edit):
    found = from_logits(*sample)
    found.save(tmp_path)
    ((name, change),) = edit.items()
    np.savez_compressed(tmp_path / "predictions.npz", **{**vars(found), name: change(getattr(found, name))})
    with pytest.raises(StudyError, match="damaged"):
        Predictions.load(tmp_path, CELL)


def test_edited_metrics_contradict(sample, tmp_path):
    from_logits(*sample).save(tmp_path)
    file = tmp_path / "metrics.json"
    file.write_text(file.read_text().replace('"images": 300', '"images": 301'))
    with pytest.raises(StudyError, match="contradict each other"):
        Predictions.load(tmp_path, CELL)


def test_an_array_too_large_is_not_read(sample, tmp_path, monkeypatch):
    from_logits(*sample).save(tmp_path)
    monkeypatch.setattr(predictions, "LARGEST", 10)
    with pytest.raises(StudyError, match="damaged"):
        Predictions.load(tmp_path, CELL)
