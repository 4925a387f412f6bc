"""Named studies: written into params.yaml as text, comments kept, byte for byte reversible."""

import os
from pathlib import Path

import pytest

from study.base import yaml12
from study.base.errors import StudyError
from study.settings import studies
from study.settings.params import Params
from study.settings.sections import Study

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "params.yaml").read_text()
DIGITS = Study("digits", ("digits", "digits100"), ("cnn_scratch", "cnn_glyphs", "vit_scratch", "vit_glyphs"), (0,))


def test_every_named_study_is_declared_and_valid():
    assert {"digits", "cifar32", "cifar"} <= set(studies.every(ROOT / "studies.yaml"))
    for study in studies.every(ROOT / "studies.yaml").values():
        params = Params(yaml12.load(studies.put(study, TEXT)))
        params.check_all()
        assert params.study() == study


def test_there_and_back_is_the_same_bytes_for_every_pair():
    texts = [studies.put(study, TEXT) for study in studies.every(ROOT / "studies.yaml").values()]
    for one in texts:
        for study, other in zip(studies.every(ROOT / "studies.yaml").values(), texts, strict=True):
            assert studies.put(study, one) == other


def test_nothing_but_the_section_changes():
    changed = studies.put(DIGITS, TEXT)
    for before, after in zip(studies.cut(TEXT)[::2], studies.cut(changed)[::2], strict=True):
        assert before == after


def test_comments_and_line_ends_stay():
    section = "study:\n  # the data\n  datasets:\n  - a\n  models: [b]\n  # the name\n  name: x\n  # last\n"
    text = f"# above\n{section}\n# split\nsplit: {{}}\n"
    done = studies.put(DIGITS, text)
    assert "  # the data\n  datasets:\n  - digits\n" in done and "  # the name\n  name: digits\n  # last\n\n# split\n" in done
    windows = studies.put(DIGITS, text.replace("\n", "\r\n"))
    assert windows == done.replace("\n", "\r\n")


def test_families_to_compare_are_part_of_a_study():
    other = Study("mine", ("digits",), ("cnn_scratch",), (0, 1), ("mlp", "cnn"))
    done = studies.put(other, TEXT)
    assert "  compare:\n  - mlp\n  - cnn\n  name: mine\n" in done
    assert studies.put(DIGITS, done) == studies.put(DIGITS, TEXT)
    years = Study("mine", ("digits",), ("cnn_scratch",), (0,), ("2015", "no"))
    assert yaml12.load(studies.put(years, TEXT))["study"]["compare"] == ["2015", "no"]


@pytest.mark.parametrize(
    "text", ["", "fraction: 1.0\n", "study: {}\nstudy: {}\n", "{study: {name: x}}\n", "a: |\n  x\nstudy\n"]
)
def test_a_file_without_the_section_is_one_sentence(text):
    with pytest.raises(StudyError, match="params.yaml"):
        studies.put(DIGITS, text)


def test_a_section_that_others_refer_to_is_left_alone():
    with pytest.raises(StudyError, match="params.yaml"):
        studies.put(DIGITS, "study: &s\n  name: x\nsplit: *s\n")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "not readable as YAML"),
        ("- a", "must be a YAML mapping of studies"),
        ("mine: 5", "mine is 5; it must be a mapping"),
        ("mine: {datasets: [a], models: [b]}", "mine.seeds is missing"),
        ("mine: {datasets: [a], models: [b], seeds: [x]}", "mine.seeds is"),
        ("back: {}", "has a study back, which is a word of tools.study"),
        ("other: {datasets: [a], models: [b], seeds: [0]}", "has no study mine; there are other"),
    ],
)
def test_wrong_studies_are_one_sentence(tmp_path, text, sentence):
    (tmp_path / "studies.yaml").write_text(text)
    with pytest.raises(StudyError, match=sentence) as error:
        studies.named("mine", tmp_path / "studies.yaml")
    assert "\n" not in str(error.value)


def test_absent_studies_are_one_sentence(tmp_path):
    with pytest.raises(StudyError, match="run from the project's root"):
        studies.every(tmp_path / "studies.yaml")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "studies.yaml")
    with pytest.raises(StudyError, match="studies.yaml is no file"):
        studies.every(tmp_path / "studies.yaml")
