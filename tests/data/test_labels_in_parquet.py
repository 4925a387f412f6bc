"""Labels of a parquet file, without pyarrow: names that look the same are one class."""

from pathlib import Path

import pytest

from study.base.errors import StudyError
from study.data.assemble import check_classes
from study.data.parquet import _classes


def test_composed_and_decomposed_characters_are_one_class() -> None:
    classes, numbers = _classes(["Käfer", "bee", "Ka\u0308fer"], None, Path("x.parquet"))
    assert classes == ["Käfer", "bee"] and numbers.tolist() == [0, 1, 0]


def test_numbers_that_begin_at_one_are_told_to_begin_at_zero() -> None:
    for values in ([1, 2, 3, 3], [-1, 1, 2, 2]):
        with pytest.raises(
            StudyError, match=r"has labels from 1 to \d, and none is 0: they are numbered from 0; subtract 1, or"
        ):
            _classes(values, None, Path("x.parquet"))
    assert _classes([1, 2, 1, 2], ["a", "b", "c"], Path("x.parquet"))[0] == ["a", "b", "c"]


def test_several_labels_in_one_text_are_refused() -> None:
    with pytest.raises(
        StudyError, match=r"x.parquet has labels of one another's parts: 'a\|b', 'a\|c', 'b\|c', 'c\|a': several"
    ):
        _classes(["a|b", "b|c", "c|a", "a|c"], None, Path("x.parquet"))


@pytest.mark.parametrize("classes", [["a", "b", "a"], ["a", "a"]])
def test_two_classes_of_one_name_are_refused(classes: list[str]) -> None:
    with pytest.raises(StudyError, match="two classes of one name: a; give each a name of its own"):
        check_classes(classes)
