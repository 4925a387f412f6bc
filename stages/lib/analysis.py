"""Everything that a report's tables, figures and page are made from, computed once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stages.lib.cells import Cell
from stages.lib.effects import Finding, Relative, findings, relatives
from stages.lib.estimates import Arm, Contrast, Errors, Estimate
from stages.lib.grid import Grid
from stages.lib.labels import Labels
from stages.lib.published import Published
from stages.lib.results import Result, Results


@dataclass(frozen=True)
class Analysis:
    """A grid, the cells of it that are there, and what they say. ``results`` is empty for the published numbers."""

    grid: Grid
    labels: Labels
    results: Mapping[Cell, Result]
    missing: Mapping[Cell, str]
    errors: Errors
    findings: tuple[Finding, ...]
    relatives: tuple[Relative, ...]
    published: Published

    @classmethod
    def of_cells(cls, grid: Grid, results: Results, published: Published) -> "Analysis":
        """From trained cells, beside the published numbers."""
        arms: dict[Arm, list[Result]] = {}
        for cell in grid.cells():
            arm = Arm(cell.dataset, cell.model, cell.fraction)
            if all(Cell(*_key(arm), seed) in results.present for seed in grid.seeds):
                arms.setdefault(arm, []).append(results.present[cell])
        errors = Errors.of_cells({arm: [result.wrong for result in runs] for arm, runs in arms.items()})
        return cls._tested(grid, results, errors, published)

    @classmethod
    def of_published(cls, grid: Grid, published: Published) -> "Analysis":
        """From the published numbers alone: no images to draw from, so no intervals."""
        errors = Errors({arm: [value] for arm, value in published.errors.items()})
        missing = {
            cell: "not published"
            for cell in grid.cells()
            if Arm(cell.dataset, cell.model, cell.fraction) not in published.errors
        }
        return cls._tested(grid, Results({}, missing), errors, published)

    @classmethod
    def _tested(cls, grid: Grid, results: Results, errors: Errors, published: Published) -> "Analysis":
        labels = Labels(grid)
        found = tuple(findings(grid, labels, errors))
        return cls(grid, labels, results.present, results.missing, errors, found, tuple(relatives(found, errors)), published)

    @property
    def measured_here(self) -> bool:
        """Whether cells were trained for this, rather than taken from publication."""
        return bool(self.results)

    @property
    def intervals(self) -> str:
        """What the intervals are for, as every table says."""
        if not self.measured_here:
            return "Without intervals: single runs, of which only the error is published."
        if len(self.grid.seeds) == 1:
            return (
                "Intervals are 95 % over resampled test images, for these trained models: with one seed they say nothing "
                "about another training."
            )
        return (
            f"Means over {len(self.grid.seeds)} seeds; intervals are 95 %, Student's t over seeds with the variance over "
            "resampled test images added."
        )

    def estimate(self, contrast: Contrast) -> Estimate | None:
        """An effect of this report, None where a cell of it is missing."""
        return self.errors.estimate(contrast)

    def absent(self, missing: Iterable[Cell]) -> str:
        """The note that names cells which are not there; empty where there is none to name."""
        cells = list(missing)
        if not cells:
            return ""
        if not self.measured_here:
            names = [f"{cell.dataset} `{cell.model}` {cell.fraction}" for cell in cells]
            return f"**Not published:** {', '.join(names)}."
        count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
        return f"**Missing, {count}:** {', '.join(f'`{cell}`' for cell in cells)}."

    def arm_results(self, arm: Arm) -> list[Result]:
        """The cells of an arm, by seed; empty unless all are there."""
        runs = [self.results.get(Cell(*_key(arm), seed)) for seed in self.grid.seeds]
        return [run for run in runs if run is not None] if all(runs) else []


def _key(arm: Arm) -> tuple[str, str, float]:
    return arm.dataset, arm.model, arm.fraction
