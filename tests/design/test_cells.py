"""Names of cells: one for each cell, the one that DVC gives."""

import pytest

from study.base.errors import StudyError
from study.design.cells import Cell


def test_cell_names_go_there_and_back():
    cell = Cell("cifar10", "resnet50_im1k", 0.2, 0)
    assert str(cell) == "cifar10-resnet50_im1k-0.2-0"
    assert Cell.parse(str(cell)) == cell


@pytest.mark.parametrize(
    "name",
    [
        "",
        "cifar10",
        "a-b-1-0",
        "a-b-0-0",
        "a-b-1.5-0",
        "a-b-0.20-0",
        "a-b-nan-0",
        "a-b-0.2-x",
        "a-b-0.2--1",
        "a-b-0.2-01",
        "../a-b-1.0-0",
    ],
)
def test_other_names_are_refused(name):
    with pytest.raises(StudyError):
        Cell.parse(name)
