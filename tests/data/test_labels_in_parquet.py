"""Labels of a parquet file, without pyarrow: names that look the same are one class."""

from pathlib import Path

import pytest

from study.base.errors import StudyError
from study.data.assemble import check_classes
from study.data.parquet import _classes


def test_composed_and_decomposed_characters_are_one_class() -> None:
    classes, numbers = _classes(["Käfer", "bee", "Ka\u0308fer"], None, Path("x.parquet"))
    assert classes == ["Käfer", "bee"] and numbers.tolist() == [0, 1, 0]


@pytest.mark.parametrize("classes", [["a", "b", "a"], ["a", "a"]])
def test_two_classes_of_one_name_are_refused(classes: list[str]) -> None:
    with pytest.raises(StudyError, match="two classes of one name: a; give each a name of its own"):
        check_classes(classes)
