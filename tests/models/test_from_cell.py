"""A trained cell as the source of weights: what is taken, from where, and what is refused by the cell's name."""

import json

import numpy as np
import pytest
from grids import sections, write_cells, write_study
from safetensors.numpy import save

from study.base.errors import StudyError
from study.base.sums import sha256
from study.design import cells
from study.design.cells import Cell
from study.models import from_cell, pretrained
from study.settings.params import Weights

CELL = Cell("easy", "cnn_scratch", 1.0, 0)
RECORD = {
    "cell": str(CELL), "arch": "resnet10t", "arch_options": {"stem_width": 8}, "classes": 10, "image_size": 48, "epoch": 3,
    "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6], "interpolation": "bilinear", "precision": "fp32",
}  # fmt: skip
OLD = "0" * 64


def trained(value):
    """Train the cell: a checkpoint of ``value``, and a provenance that has its sha256."""
    write_cells(cells.DATA.parent, [CELL])
    file = cells.runs(CELL) / "checkpoint.safetensors"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(save({"weight": np.full(64, value, dtype=np.float32)}, {"study": json.dumps(RECORD)}))
    provenance = cells.history(CELL) / "provenance.json"
    provenance.write_text(json.dumps(json.loads(provenance.read_text()) | {"checkpoint_sha256": sha256(file)}))
    return file


def fetch(pinned=None):
    return pretrained.fetch(Weights(f"cell:{CELL}", pinned), cells.DATA / "taken")


def refused(*sentences, pinned=None):
    with pytest.raises(StudyError) as error:
        fetch(pinned)
    assert str(error.value).endswith(".") and all(each in str(error.value) for each in sentences), error.value
    assert not (cells.DATA / "taken").exists()


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path, sections())


def test_a_cell_that_is_not_trained_is_named_with_the_ways_to_train_it():
    refused(f"{CELL} is not trained here", f"dvc repro train@{CELL}", f"python -m stages.train {CELL}")


def test_the_checkpoint_is_taken_with_the_normalisation_of_its_record():
    file = trained(1)
    found = fetch(sha256(file))
    assert (cells.DATA / "taken").read_bytes() == file.read_bytes()
    assert (found.sha256, found.revision) == (sha256(file), None)
    assert found.config["architecture"] == "resnet10t" and found.config["model_args"] == {"stem_width": 8}
    assert found.config["pretrained_cfg"] == {
        "input_size": [3, 48, 48], "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6], "interpolation": "bilinear",
        "num_classes": 10,
    }  # fmt: skip


def test_the_exported_folder_is_taken_where_the_cell_is_not_here():
    file = trained(1)
    from_cell.export(CELL)
    content = file.read_bytes()
    file.unlink()
    assert fetch().config["pretrained_cfg"]["mean"] == [0.1, 0.2, 0.3]
    assert (cells.DATA / "taken").read_bytes() == content


def test_a_cell_that_was_trained_anew_since_its_export_is_refused_by_name():
    old = sha256(trained(1))
    from_cell.export(CELL)
    trained(2)
    refused(f"{CELL} has been trained anew", "is not what data/pretrained/", f"python -m tools.export {CELL}", pinned=old)


@pytest.mark.parametrize("exported", [False, True])
def test_a_cell_that_was_trained_anew_since_it_was_pinned_is_refused_by_name(exported):
    old = sha256(trained(1))
    new = sha256(trained(2))
    if exported:
        from_cell.export(CELL)
    doubt = " and exported, or data/pretrained/" if exported else ": data/runs/"
    refused(f"{CELL} has been trained anew since its weights were pinned{doubt}", f"write sha256: {new} there", pinned=old)
    assert fetch(new).sha256 == new


@pytest.mark.parametrize("pinned", [None, OLD])
def test_a_damaged_checkpoint_is_not_taken(pinned):
    file = trained(1)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    refused("checkpoint.safetensors is damaged, or of another training than data/history/", pinned=pinned)


def test_a_checkpoint_of_another_cell_is_not_taken():
    file = trained(1)
    other = RECORD | {"cell": "easy-vit_scratch-1.0-0"}
    file.write_bytes(save({"weight": np.zeros(1, dtype=np.float32)}, {"study": json.dumps(other)}))
    for path in cells.history(CELL).iterdir():
        path.unlink()
    refused(f"is of easy-vit_scratch-1.0-0, not of {CELL}")
