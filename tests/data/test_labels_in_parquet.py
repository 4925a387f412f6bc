"""Labels of a parquet file, without pyarrow: names that look the same are one class."""

from pathlib import Path

from study.data.parquet import _classes


def test_composed_and_decomposed_characters_are_one_class() -> None:
    classes, numbers = _classes(["Käfer", "bee", "Ka\u0308fer"], None, Path("x.parquet"))
    assert classes == ["Käfer", "bee"] and numbers.tolist() == [0, 1, 0]
