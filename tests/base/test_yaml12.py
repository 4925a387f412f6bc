"""YAML as DVC reads it, and without ruamel the same or a refusal."""

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML, YAMLError

from study.base import yaml12

ROOT = Path(__file__).resolve().parents[2]
WORDS = [
    "yes",
    "no",
    "on",
    "off",
    "y",
    "N",
    "True",
    "FALSE",
    "null",
    "~",
    "010",
    "0o10",
    "0x1F",
    "1_000",
    "1:20",
    "1:20:30",
    "1e5",
    "1e-05",
    ".5",
    "1.",
    "2020-01-01",
    ".inf",
    ".NaN",
    "=",
    "<<",
    "+1",
    "09",
    "00",
]
SCALARS = st.one_of(st.sampled_from(WORDS), st.text("0123456789_:.eExob+-~yYnNoOfFsSTtrRuUlLaAinI=<", max_size=8))
FORMS = ("k: {}", "[{}]", "{{{}: 1}}", "k: !!int {}", "k: !!float {}", "k: !!bool {}", "k: !!null {}", "k: !!str {}")


def as_dvc_reads(text):
    """Without what a document is wrapped in: the value, or None where it is refused."""
    try:
        return repr(YAML(typ="safe").load(text))
    except (YAMLError, ValueError, TypeError, LookupError, AttributeError):
        return None


def answer(load, text):
    try:
        return repr(load(text))
    except yaml.YAMLError:
        return None


@pytest.mark.parametrize("load", [yaml12.load, yaml12.load_without_ruamel])
@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_what_dvc_takes_it_for_or_refused(load, word):
    assert answer(load, f"k: {word}") in (as_dvc_reads(f"k: {word}"), None)


@pytest.mark.parametrize(
    ("text", "value"), [("010", 10), ("1:20", "1:20"), ("yes", "yes"), ("on", "on"), ("0o10", 8), ("1e-05", 1e-05)]
)
def test_version_1_2_is_read(text, value):
    assert yaml12.load(f"k: {text}") == {"k": value}


@pytest.mark.parametrize(
    "text", ["010", "1:20", "yes", "No", "on", "OFF", "0o10", "1_000", "2020-01-01", "!!int 010", "!!bool yes"]
)
def test_without_ruamel_what_versions_differ_about_is_refused(text):
    with pytest.raises(yaml.YAMLError, match="is not the same in all versions of YAML"):
        yaml12.load_without_ruamel(f"k: {text}")


@settings(max_examples=300, deadline=None)
@given(SCALARS, st.sampled_from(FORMS))
def test_without_ruamel_it_is_the_same_or_a_refusal(scalar, form):
    assume(":" not in scalar or form.startswith("k"))  # in brackets DVC's parser refuses what PyYAML's takes for text
    text = form.format(scalar)
    without = answer(yaml12.load_without_ruamel, text)
    assert without is None or as_dvc_reads(text) in (without, None)  # what DVC refuses, DVC says
    assert answer(yaml12.load, text) in (as_dvc_reads(text), None)


@pytest.mark.parametrize("load", [yaml12.load, yaml12.load_without_ruamel])
@pytest.mark.parametrize(
    "text", ["a: 1\na: 2", "{x: {a: 1, a: 1}}", "k: !!int abc", "k: 2020-13-45", "k: !!timestamp x", "? [a]\n: {}\n? [a]\n: 1"]
)
def test_duplicates_and_wrong_tags_are_refused(load, text):
    with pytest.raises(yaml.YAMLError):
        load(text)


NESTED = "".join(f"{' ' * depth}a:\n{' ' * depth}-\n" for depth in range(51))  # a list below its key: two levels a column


@pytest.mark.parametrize(
    "text", ["[" * 200_000, "- " * 20_000, "{a: " * 5_000, NESTED, "? " * 101 + "a", "[" * 51 + "{a: " * 51]
)
def test_deep_nesting_is_refused_at_once(text):
    begun = time.process_time()
    with pytest.raises(yaml.YAMLError, match="more than 100 deep"):
        yaml12.load(text)
    assert time.process_time() - begun < 5


def test_a_lock_is_read_by_ruamel_where_pyyaml_doubts():
    assert yaml12.load_lock("k: 010") == {"k": 10}
    with pytest.raises(yaml.YAMLError, match="more than 100 deep"):
        yaml12.load_lock("[" * 200_000)


@pytest.mark.parametrize("name", ["params.yaml", "dvc.yaml", "studies.yaml", "dvc.lock"])
def test_the_projects_files_are_read_alike(name):
    text = (ROOT / name).read_text()
    assert yaml12.load_lock(text) == yaml12.load(text)
    assert yaml12.load(text) == yaml12.load_without_ruamel(text) == YAML(typ="safe").load(text)
