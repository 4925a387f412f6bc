"""Cells that were trained by hand on a machine without DVC, kept in git: data/measured/<cell>/."""

import shutil
from pathlib import Path

from study.base import folders
from study.design import cells
from study.design.cells import Cell
from study.runtime import records


def keep(cell: Cell, record: Path) -> Path:
    """Copy predictions, metrics, history, provenance and the ``record`` of the run to data/measured/<cell>/, and name it."""
    with folders.replaced(cells.measured(cell)) as folder:
        for source in (cells.predictions(cell), cells.history(cell)):
            for file in sorted(source.iterdir()):
                shutil.copyfile(file, folder / file.name)
        shutil.copyfile(record, folder / records.FILE)
    return cells.measured(cell)


def names() -> list[str]:
    """Names of the folders in data/measured, sorted."""
    return sorted(path.name for path in (cells.DATA / "measured").glob("*") if path.is_dir() and not folders.hidden(path))
