"""params.yaml lent to another study comes back as it was, edits of other sections kept."""

from pathlib import Path

import pytest

from study.settings import lent, studies

ROOT = Path(__file__).resolve().parents[2]
DIGITS = studies.named("digits", ROOT / "studies.yaml")
ORIGINAL = studies.put(studies.named("cifar", ROOT / "studies.yaml"), (ROOT / "params.yaml").read_text()).encode()


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lent.PARAMS.write_bytes(ORIGINAL)


def edit(old, new):
    lent.PARAMS.write_text(lent.PARAMS.read_text().replace(old, new))


def kept():
    return lent.BEFORE.exists() or lent.LENT.exists()


def test_it_comes_back_byte_for_byte():
    lent.lend(DIGITS)
    assert lent.PARAMS.read_bytes() != ORIGINAL
    assert "as it was before" in lent.give_back()
    assert lent.PARAMS.read_bytes() == ORIGINAL and not kept()


def test_giving_back_twice_or_what_was_not_lent_changes_nothing():
    assert lent.give_back() is None
    lent.lend(DIGITS)
    lent.give_back()
    edit("epochs: 20", "epochs: 3")
    assert lent.give_back() is None
    assert "epochs: 3" in lent.PARAMS.read_text()


def test_edits_of_other_sections_stay():
    lent.lend(DIGITS)
    edit("learning_rate: 0.001", "learning_rate: 0.5")
    assert "the rest is as edited" in lent.give_back()
    assert lent.PARAMS.read_bytes() == ORIGINAL.replace(b"learning_rate: 0.001", b"learning_rate: 0.5") and not kept()


@pytest.mark.parametrize("new", ["name: mine", "name: [", "nome: digits"])
def test_a_study_that_was_edited_stays_and_the_original_is_kept_aside(new):
    lent.lend(DIGITS)
    edit("name: digits", new)
    edited = lent.PARAMS.read_bytes()
    assert str(lent.ASIDE) in lent.give_back()
    assert lent.PARAMS.read_bytes() == edited and lent.ASIDE.read_bytes() == ORIGINAL and not kept()


def test_what_git_brought_back_meanwhile_stays():
    lent.lend(DIGITS)
    lent.PARAMS.write_bytes(ORIGINAL)
    assert lent.give_back() is None and lent.PARAMS.read_bytes() == ORIGINAL and not kept()


def test_a_file_that_was_deleted_comes_back():
    lent.lend(DIGITS)
    lent.PARAMS.unlink()
    lent.give_back()
    assert lent.PARAMS.read_bytes() == ORIGINAL
