"""params.schema.json: it is that of the code, and refuses what the code refuses."""

import copy
import json
from pathlib import Path

import pytest
from test_params import WRONG
from valid import valid

from study.base import yaml12
from study.settings import schema

ROOT = Path(__file__).resolve().parents[2]
# What no schema of single values can say: names that are declared, partners, and the type of 1.0, which JSON does not know.
BY_CODE_ALONE = (
    "fraction is 1;",
    "is not declared",
    "names 'nobody'",
    "same arch",
    "the family of no model",
    "weights.cell: cell",
)


@pytest.fixture(scope="module")
def committed():
    return json.loads((ROOT / schema.FILE).read_text())


def params():
    return yaml12.load((ROOT / "params.yaml").read_text())


def test_the_committed_schema_is_that_of_the_code():
    assert (ROOT / schema.FILE).read_text() == schema.text(), "python -m tools.schema writes it anew"


def test_params_yaml_names_it_in_its_first_line():
    assert (ROOT / "params.yaml").read_text().splitlines()[0] == f"# yaml-language-server: $schema={schema.FILE}"


def test_the_committed_parameters_are_valid(committed):
    assert valid(committed, params())


@pytest.mark.parametrize(("key", "value", "sentence"), WRONG, ids=lambda item: str(item)[:40])
def test_what_the_code_refuses_the_schema_refuses(committed, key, value, sentence):
    if value != value or any(words in sentence for words in BY_CODE_ALONE):
        pytest.skip("JSON has no such value, or a schema cannot know")
    changed = copy.deepcopy(params())
    *path, last = key.split(".")
    place = changed
    for part in path:
        place = place[part]
    place[last] = value
    assert not valid(committed, changed)


@pytest.mark.parametrize(
    "source",
    [
        {"format": "folder", "path": "x", "side": 64, "fit": "pad", "test": 0.2},
        {"format": "parquet", "path": "x.parquet", "side": 32},
        {"format": "torchvision", "name": "SVHN", "side": 32, "path": None},
    ],
)
def test_own_data_are_valid(committed, source):
    own = params()
    own["datasets"]["own"] = {"source": source, "recipe": {"epochs": 3}}
    own["models"]["other"] = own["models"]["cnn_scratch"] | {"label": "Other", "family": "Mixer"}
    assert valid(committed, own)


@pytest.mark.parametrize(
    ("weights", "right"), [({"cell": "a-b-1.0-0"}, True), ({"source": "x"}, True), ({"sha256": None}, False), ({}, False)]
)
def test_weights_need_a_source_and_no_sha256(committed, weights, right):
    own = params()
    own["models"]["other"] = own["models"]["cnn_glyphs"] | {"weights": weights}
    assert valid(committed, own) == right


@pytest.mark.parametrize("wrong", [{"side": 3}, {"fit": "stretch"}, {"test": 1.0}, {"colour": "red"}, {"path": None}])
def test_a_wrong_option_is_not(committed, wrong):
    own = params()
    own["datasets"]["own"] = {"source": {"format": "folder", "path": "x", "side": 64} | wrong, "recipe": {}}
    assert not valid(committed, own)
