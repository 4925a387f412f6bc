"""What the stage split is asked for by hand: a dataset's name is no path, and damaged names of classes are not quoted."""

import json
import sys

import numpy as np
import pytest

from stages import split
from study.base.errors import StudyError

PARAMS = "split: {val_fraction: 0.4, rare: train}\n"


@pytest.fixture
def ask(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(PARAMS)
    raw = tmp_path / "data/raw/tiny"
    raw.mkdir(parents=True)
    np.save(raw / "train_labels.npy", np.array([0, 0, 0, 0, 1, 2]))

    def call(dataset, names=("a", "b", "c")):
        (raw / "classes.json").write_text(json.dumps(names))
        monkeypatch.setattr(sys, "argv", ["split", dataset, "1.0", "0"])
        split.main()

    return call


@pytest.mark.parametrize("name", ["../raw/tiny", "tiny/", "", "Tiny", "tiny-2", "/tmp", "a\nb"])
def test_a_dataset_is_a_name_and_no_path(ask, tmp_path, name):
    with pytest.raises(StudyError, match="is no dataset's name: lower-case letters, digits and _, a letter first"):
        ask(name)
    assert not (tmp_path / "data/splits").exists() and sorted(path.name for path in (tmp_path / "data").iterdir()) == ["raw"]


@pytest.mark.parametrize("names", [[1, 2, 3], [None, {}, []], ["a", 5, "c"], {"a": 1}, "abc"])
def test_names_of_classes_that_are_no_texts_do_not_stop_it(ask, tmp_path, names):
    ask("tiny", names)
    assert (tmp_path / "data/splits/tiny/1.0/0/split.json").is_file()
