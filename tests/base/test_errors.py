"""What an error says is one printable line, whatever it quotes."""

import pytest

from study.base.errors import StudyError, listed, one_line, plain, told


@pytest.mark.parametrize("text", ["a\nb", "\x1b[31mred", "nul\x00", "\ud800", "\u202eright to left", "tab\tbed"])
def test_errors_are_one_printable_line(text):
    for said in (str(StudyError(f"{text} is wrong.")), one_line(ValueError(text)), plain(text), told(text)):
        assert said and said.isprintable()


def test_ordinary_texts_stay_as_they_are():
    assert str(StudyError("größer als 5 – gut.")) == "größer als 5 – gut."
    assert one_line(KeyError()) == "KeyError" and told("abc") == "abc"
    assert len(told("x" * 10_000)) < 100


def test_lists_end():
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"
    assert listed([str(n) for n in range(2005)]) == "0, 1, 2, 3, 4 and 2,000 more"
