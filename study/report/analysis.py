"""Everything that a report's tables, figures and page are made from, computed once."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from study.base.errors import StudyError
from study.design.cells import Cell
from study.report.labels import Labels
from study.results.collected import Result, Results
from study.settings.grid import Grid
from study.statistics import doubtful
from study.statistics.conclusions import Conclusions
from study.statistics.contrasts import Arm, Contrast
from study.statistics.differences import read_differences
from study.statistics.estimate import Estimate
from study.statistics.evidence import Evidence
from study.statistics.published import CLASSES, Published

IMBALANCED = 2  # times as many test images in the largest class as in the smallest
LISTED = ("cifar10", "cifar100")  # formats whose official test images data/reference has lists of


@dataclass(frozen=True)
class Analysis:
    """A grid, its cells that are here, and what they say. ``results`` is empty for the published numbers.

    ``formats``: the reader of each dataset in params.yaml. ``left_out``: sentences on images that params.yaml lets go by.
    ``strangers``: names of measured cells that are no part of the grid.
    """

    grid: Grid
    labels: Labels
    results: Mapping[Cell, Result]
    missing: Mapping[Cell, str]
    conclusions: Conclusions
    published: Published
    formats: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()

    @classmethod
    def of_cells(
        cls,
        grid: Grid,
        results: Results,
        published: Published,
        formats: Mapping[str, str] | None = None,
        left_out: tuple[str, ...] = (),
        strangers: tuple[str, ...] = (),
    ) -> "Analysis":
        """From trained cells, beside the published numbers. StudyError where no arm has all its seeds."""
        possible = dict.fromkeys(map(arm_of, grid.cells()))
        arms = {arm: [run.wrong for run in runs] for arm in possible if (runs := _runs(grid, results.present, arm))}
        if not arms:
            raise StudyError(f"no model of study {grid.name} has all its seeds here; dvc repro trains them.")
        classes = {cell.dataset: len(result.labels) / _largest(result) for cell, result in results.present.items()}
        sizes = {arm.dataset: len(wrong[0]) for arm, wrong in arms.items()}
        conclusions = Conclusions.of_cells(grid, arms, classes, grid.compare, _doubtful(formats or {}, sizes))
        return cls(
            grid, Labels(grid), results.present, results.missing, conclusions, published, formats or {}, left_out, strangers
        )

    @classmethod
    def of_published(cls, grid: Grid, published: Published) -> "Analysis":
        """From the published numbers alone, whose intervals are bounds."""
        missing = {cell: "not published" for cell in grid.cells() if arm_of(cell) not in published.errors}
        conclusions = Conclusions.of_published(grid, published.errors, CLASSES, read_differences(), grid.compare)
        return cls(grid, Labels(grid), {}, missing, conclusions, published)

    @property
    def evidence(self) -> Evidence:
        """The errors that all is read from."""
        return self.conclusions.evidence

    @property
    def measured_here(self) -> bool:
        """Whether cells were trained for this, rather than taken from publication."""
        return self.evidence.measured

    @property
    def datasets(self) -> list[str]:
        """The datasets of the grid on which a model has all its seeds at some fraction: what tables and figures are of."""
        here = {arm.dataset for arm in self.evidence.arms}
        return [dataset for dataset in self.grid.datasets if dataset in here]

    def estimate(self, contrast: Contrast) -> Estimate | None:
        """An effect of this report, None where a cell of it is missing."""
        return self.evidence.estimate(contrast)

    def arm_results(self, arm: Arm) -> list[Result]:
        """The cells of an arm, by seed; empty unless all are there."""
        return _runs(self.grid, self.results, arm)

    def one_result(self, dataset: str) -> Result | None:
        """Some cell of ``dataset``: all have the same test labels and classes."""
        return next((result for cell, result in self.results.items() if cell.dataset == dataset), None)

    def imbalanced(self, dataset: str) -> bool:
        """Whether a class has twice as many test images as another one, or more."""
        result = self.one_result(dataset)
        if result is None:
            return False
        images = np.bincount(result.labels, minlength=len(result.classes))
        return bool(images.max() >= IMBALANCED * images.min())

    def full_images(self, dataset: str) -> int | None:
        """How many train images fraction 1.0 has; None where no cell says so, or cells differ."""
        counts = {result.provenance.full_images for cell, result in self.results.items() if cell.dataset == dataset}
        return counts.pop() if len(counts) == 1 else None

    def lacking(self, arms: Iterable[Arm]) -> list[Cell]:
        """The missing cells of ``arms``."""
        wanted = set(arms)
        return [cell for cell in self.missing if arm_of(cell) in wanted]


def arm_of(cell: Cell) -> Arm:
    """The arm that ``cell`` is one seed of."""
    return Arm(cell.dataset, cell.model, cell.fraction)


def _largest(result: Result) -> int:
    """How many test images the largest class has."""
    return int(np.bincount(result.labels).max())


def _runs(grid: Grid, results: Mapping[Cell, Result], arm: Arm) -> list[Result]:
    """The cells of an arm, by seed; empty unless all are there."""
    cells = [Cell(arm.dataset, arm.model, arm.fraction, seed) for seed in grid.seeds]
    return [results[cell] for cell in cells] if all(cell in results for cell in cells) else []


def _doubtful(formats: Mapping[str, str], sizes: Mapping[str, int]) -> dict[str, dict[str, Collection[int]]]:
    """The lists of doubtful test images, for datasets of this study that are read from the official files."""
    own = {dataset: formats[dataset] for dataset in sizes if formats.get(dataset) in LISTED}
    lists = doubtful.read_lists({formats[dataset]: sizes[dataset] for dataset in own})
    return {kind: {dataset: images[name] for dataset, name in own.items() if name in images} for kind, images in lists.items()}
