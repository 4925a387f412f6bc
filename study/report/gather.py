"""What reports are made of: the study of params.yaml, the cells measured by hand, or the published numbers."""

from collections.abc import Iterator
from dataclasses import replace

from study.base.errors import StudyError, listed
from study.report.analysis import Analysis
from study.report.text import code, escaped
from study.results import collected
from study.runtime import measured
from study.settings.grid import Grid
from study.settings.params import Params
from study.statistics.published import Published


def of_study(params: Params, name: str, incomplete: bool = False) -> Analysis:
    """The study called ``name``. StudyError for another one, and where cells are missing unless ``incomplete``."""
    grid = Grid.load(params)
    if name != grid.name:
        raise StudyError(
            f"the study of params.yaml is {grid.name}, not {name}; python -m tools.study sets another, or name that one."
        )
    found = collected.load(grid.cells(), params)
    if found.missing and not incomplete:
        said = [f"{cell} ({why})" for cell, why in found.missing.items()]
        raise StudyError(
            f"{len(said)} of {len(grid.cells())} cells are missing or damaged: {listed(said, 8)}; make rebuild fetches "
            "those that ship, dvc pull those of your remote (--allow-missing looks past checkpoints; a report needs every "
            "prediction and history), dvc repro trains them."
        )
    if not found.present:
        raise StudyError(
            f"not one cell of study {grid.name} is here; make rebuild fetches those that ship, dvc pull those of your remote, "
            "dvc repro trains them."
        )
    return Analysis.of_cells(grid, found, Published.read(), _formats(params, grid), tuple(_left_out(params, grid)))


def of_measured(params: Params) -> Analysis:
    """The cells of the study's grid that were trained by hand, and the names of others that lie beside them."""
    study = Grid.load(params)
    grid = replace(study, name="measured")
    found = collected.load(grid.cells(), params, measured=True)
    names = {str(cell) for cell in grid.cells()}
    strangers = tuple(name for name in measured.names() if name not in names)
    if not found.present:
        others = f"it has {', '.join(strangers[:3])}: set study.datasets and study.models to theirs" if strangers else ""
        raise StudyError(
            f"data/measured holds no whole cell of study {study.name}; "
            f"{others or 'python -m stages.evaluate CELL --measured puts one there'}."
        )
    left_out = tuple(_left_out(params, grid))
    return Analysis.of_cells(grid, found, Published.read(), _formats(params, grid), left_out, strangers)


def of_published(params: Params) -> Analysis:
    """The published numbers alone."""
    published = Published.read()
    return Analysis.of_published(published.grid(params), published)


def _left_out(params: Params, grid: Grid) -> Iterator[str]:
    """Sentences on images that params.yaml lets go by, which no cell's record tells."""
    for dataset in grid.datasets:
        if params.source(dataset).options.get("unreadable") == "skip":
            yield (
                f"{escaped(dataset)}: images that cannot be read were left out ({code('unreadable: skip')}); download names "
                "them. Numbers of images are of those that can be read."
            )
    if params.split().rare == "train":
        yield (
            f"Classes too small for a share of the validation set are in the train set alone ({code('rare: train')}), so they "
            "have no say in the choice of the epoch."
        )


def _formats(params: Params, grid: Grid) -> dict[str, str]:
    return {dataset: params.source(dataset).format for dataset in grid.datasets}
