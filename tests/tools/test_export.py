"""tools.export keeps the weights of the cell that its name says, whole, or nothing."""

import json
import sys

import numpy as np
import pytest
from grids import sections, write_cells, write_study
from safetensors.numpy import save

from study.base.errors import StudyError
from study.base.sums import sha256
from study.design import cells
from study.design.cells import Cell
from tools import export

CELL = Cell("easy", "cnn_scratch", 1.0, 0)
RECORD = {
    "cell": str(CELL), "arch": "resnet10t", "arch_options": {}, "classes": 10, "image_size": 32, "epoch": 1,
    "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "interpolation": "bicubic", "precision": "fp32",
}  # fmt: skip


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """The checkpoint of a cell whose provenance has its sha256."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["export", str(CELL)])
    write_study(tmp_path, sections())
    write_cells(tmp_path, [CELL])
    cells.runs(CELL).mkdir(parents=True)
    file = cells.runs(CELL) / "checkpoint.safetensors"
    file.write_bytes(save({"weight": np.arange(64, dtype=np.float32)}, {"study": json.dumps(RECORD)}))
    origin = cells.history(CELL) / "provenance.json"
    origin.write_text(json.dumps(json.loads(origin.read_text()) | {"checkpoint_sha256": sha256(file)}))
    return file


def test_the_weights_are_kept_byte_for_byte_and_named(checkpoint, capsys):
    export.main()
    assert (cells.pretrained(CELL) / "model.safetensors").read_bytes() == checkpoint.read_bytes()
    assert f"sha256: {sha256(checkpoint)}" in capsys.readouterr().out


def test_a_changed_weight_is_not_kept(checkpoint):
    content = bytearray(checkpoint.read_bytes())
    content[-1] ^= 1
    checkpoint.write_bytes(content)
    with pytest.raises(StudyError, match=r"checkpoint\.safetensors is damaged, or of another training than data/history/easy"):
        export.main()
    assert not cells.pretrained(CELL).exists()


def test_a_checkpoint_that_came_without_its_history_is_kept(checkpoint):
    for path in cells.history(CELL).iterdir():
        path.unlink()
    cells.history(CELL).rmdir()
    export.main()
    assert (cells.pretrained(CELL) / "model.safetensors").is_file()
