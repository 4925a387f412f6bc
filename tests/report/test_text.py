"""Text from outside is never markup, and numbers are written as people read them."""

import math

import pytest

from study.report.numbers import (
    NONE,
    between,
    percent,
    percent_with_interval,
    points,
    points_with_interval,
    signed,
    two_digits,
    with_unit,
)
from study.report.text import code, escaped, inline
from study.statistics.estimate import Estimate


def test_marks_become_elements() -> None:
    assert inline("**a** `b<c>` [d](e)") == '<strong>a</strong> <code>b&lt;c&gt;</code> <a href="e">d</a>'
    assert inline("**a `b`** x") == "<strong>a <code>b</code></strong> x"
    assert inline("[−0.1, 2.0] (x)") == "[−0.1, 2.0] (x)"
    assert inline("x_y * z") == "x_y * z"


@pytest.mark.parametrize(
    "text",
    ["[x](https://e.org)", "**b**", "`c`", "<b>x</b>", "a_b_", "_a_", "![i](j)", "~~s~~", "$x$", "&amp;", "www.e.org", "a\\b"],
)
def test_what_comes_from_outside_is_read_as_it_is(text: str) -> None:
    html = inline(escaped(text))
    for element in ("<a ", "<strong", "<code", "<b>"):
        assert element not in html
    assert html == text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_plain_text_for_git_hosts_has_every_mark_escaped() -> None:
    assert escaped("[x](https://e.org)") == r"\[x\](https\://e.org)"
    assert escaped("cifar10_v2 _a_") == r"cifar10_v2 \_a\_"
    assert escaped("one\ntwo") == "one two"


def test_code_cannot_be_left() -> None:
    assert code("a`b") == "`a'b`"


@pytest.mark.parametrize(
    ("difference", "text"), [(0.0612, "+6.1"), (-0.0612, "−6.1"), (0.0, "0.0"), (-0.0001, "0.0"), (0.2, "+20.0")]
)
def test_signs(difference: float, text: str) -> None:
    assert points(difference) == text


def test_estimates_are_written_with_their_interval() -> None:
    assert points_with_interval(Estimate(-0.05, -0.0612, 0.001)) == "−5.0 [−6.1, +0.1]"
    assert points_with_interval(Estimate(0.035, 0.0001, 0.0707)) == "+3.5 [+0.0, +7.1]"  # holds no 0
    assert points_with_interval(Estimate(0.0, -0.0001, 0.0)) == "0.0 [−0.0, 0.0]"
    assert percent_with_interval(Estimate(0.1042, 0.1, 0.11)) == "10.4 [10.0, 11.0]"
    assert percent_with_interval(None) == NONE
    assert with_unit(Estimate(0.0001, -0.0002, 0.0003), "variance") == "+1.00 [−2.00, +3.00]"
    assert signed(math.inf) == "∞" and signed(-math.inf) == "−∞"
    assert percent(math.nan) == percent(None) == NONE
    assert between((-0.587, 0.2)) == "−58.7 to +20.0"


@pytest.mark.parametrize(
    ("value", "text"), [(1347.2, "1,300"), (0.0324, "0.032"), (2.83, "2.8"), (45678.0, "46,000"), (0.0, "0"), (math.inf, "∞")]
)
def test_two_digits_are_honest_enough(value: float, text: str) -> None:
    assert two_digits(value) == text
