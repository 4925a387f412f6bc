"""Small studies and what a report is made from, for the tests of reports."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from grids import error_of, sections, write_cells, write_study

from study.design.cells import Cell
from study.report.analysis import Analysis
from study.report.columns import Table
from study.results import collected
from study.settings.grid import Grid
from study.settings.params import Params
from study.statistics.published import Published

Aggregate = Callable[..., None]


def prepare(root: Path, ladder: tuple[float, ...] = (1.0, 0.1), measured: bool = False, **options: Any) -> list[Cell]:
    """A study with all its cells in ``root``; its cells."""
    params = sections(**options)
    write_study(root, params, ladder)
    cells = Grid.load(Params(params), root / "dvc.yaml").cells()
    write_cells(root, cells, measured=measured)
    return cells


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def analysed(
    root: Path,
    ladder: tuple[float, ...] = (1.0, 0.5, 0.1),
    leave_out: slice = slice(0),
    error: Callable[[Cell], float] = error_of,
    **options: Any,
) -> Analysis:
    """What is said of a study in ``root`` whose cells are there, but for those in ``leave_out``."""
    params = sections(**options)
    write_study(root, params, ladder)
    grid = Grid.load(Params(params), root / "dvc.yaml")
    gone = grid.cells()[leave_out]
    write_cells(root, [cell for cell in grid.cells() if cell not in gone], error=error)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        return Analysis.of_cells(grid, collected.load(grid.cells(), Params(params)), Published.read())


def data(table: Table | None) -> list[dict[str, str]]:
    """The rows of a table as its CSV has them."""
    assert table is not None
    return list(csv.DictReader(io.StringIO(table.csv())))
