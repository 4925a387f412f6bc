"""`python -m tools.status` says which models start from a cell that was trained anew since."""

import json
import sys
from subprocess import run

import pytest

from study.design import cells
from study.design.cells import Cell
from study.pipeline import cell_states, moved_sources
from study.settings.params import Model, Params, Weights
from tools import status

SOURCE = Cell("glyphs", "cnn_scratch", 1.0, 0)
NEW = "9" * 64


def write(folder, name, **content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content))


def model(sha256=None, source=f"cell:{SOURCE}"):
    return Model("moved", "cnn", "resnet10t", {}, Weights(source, sha256), None)


@pytest.fixture
def trained(by_hand):
    """The source cell, as a provenance with a checkpoint of its own."""
    write(cells.history(SOURCE), "provenance.json", checkpoint_sha256=NEW)


def test_status_says_it_in_a_line_of_its_own(trained):
    """Of the study's cnn_glyphs, whose sha256 in params.yaml is another one."""
    said = "\n".join(status.lines(cell_states.read()))
    assert "note: the cell whose weights a model starts from has been trained anew" in said
    assert f"cnn_glyphs ({SOURCE})" in said
    assert max(map(len, (line for line in said.splitlines() if NEW not in line))) <= status.WIDTH


def test_the_card_says_what_was_taken(trained):
    write(cells.weights("moved"), "card.json", sha256=NEW)
    assert moved_sources.advice([model("0" * 64)]) is None
    write(cells.weights("moved"), "card.json", sha256="1" * 64)
    said = moved_sources.advice([model()])
    assert f"moved ({SOURCE})" in said and f"sha256: {NEW} is that of {SOURCE}" in said


@pytest.mark.parametrize("content", [None, "", "[]", '{"checkpoint_sha256": 5}', json.dumps({"checkpoint_sha256": "1" * 64})])
def test_nothing_is_said_where_nothing_is_known_or_all_is_well(by_hand, content):
    if content is not None:
        cells.history(SOURCE).mkdir(parents=True)
        (cells.history(SOURCE) / "provenance.json").write_text(content)
    assert moved_sources.advice([model("1" * 64), model("1" * 64, "hf-hub:a/b"), Params.load().model("cnn_scratch")]) is None
    assert moved_sources.advice([model()]) is None


def test_it_costs_no_import(root):
    program = "import sys, study.pipeline.moved_sources; print({'torch', 'timm', 'numpy', 'safetensors'} & set(sys.modules))"
    assert run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True).stdout == "set()\n"
