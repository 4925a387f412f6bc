"""Everything that a report's tables, figures and page are made from, computed once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from study.design.cells import Cell
from study.report.labels import Labels
from study.results.collected import Result, Results
from study.settings.grid import Grid
from study.statistics.effects import Finding, Relative, findings, relatives
from study.statistics.estimates import Arm, Contrast, Errors, Estimate
from study.statistics.published import Published

NEAR_CHANCE = 0.9  # of the error of guessing among equally frequent classes


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
        """What the intervals are for, in full, as the page says once."""
        if not self.measured_here:
            return (
                "**These are published numbers: one run of each cell, without intervals. Nothing on this page was measured by "
                "this project.** A verdict here is the sign of a difference of single runs. Errors were published to three "
                "decimals: each adds up to 0.05 points of rounding to a difference."
            )
        if len(self.grid.seeds) == 1:
            return (
                "Intervals are 95 %, over resampled test images, the same images for every model. They are for these trained "
                "models: with one seed they say nothing about another training."
            )
        return (
            f"Numbers are means over {len(self.grid.seeds)} seeds. Intervals are 95 %: Student's t over seeds, with the "
            "variance over resampled test images added."
        )

    @property
    def interval_note(self) -> str:
        """The same in a few words, as every table says."""
        if not self.measured_here:
            return "Published numbers, one run each, without intervals; not measured here."
        if len(self.grid.seeds) == 1:
            return "Intervals: 95 %, over test images, for these trained models (one seed)."
        return f"Means over {len(self.grid.seeds)} seeds; intervals: 95 %, over seeds and test images."

    def estimate(self, contrast: Contrast) -> Estimate | None:
        """An effect of this report, None where a cell of it is missing."""
        return self.errors.estimate(contrast)

    def absent(self, missing: Iterable[Cell]) -> str:
        """The note that names cells which are not there; empty where there is none to name."""
        cells = list(missing)
        if not cells:
            return ""
        head = "Not published" if not self.measured_here else f"Missing, {len(cells)} cell{'s' if len(cells) > 1 else ''}"
        return f"**{head}:** {', '.join(f'`{name}`' for name in _names(cells, self.measured_here))}."

    @property
    def near_chance(self) -> frozenset[Arm]:
        """The arms that hardly beat guessing."""
        arms = {Arm(cell.dataset, cell.model, cell.fraction) for cell in self.results}
        return frozenset(
            arm
            for arm in arms
            if (runs := self.arm_results(arm)) and self.errors.runs(arm).mean() >= NEAR_CHANCE * (1 - 1 / len(runs[0].classes))
        )

    def arm_results(self, arm: Arm) -> list[Result]:
        """The cells of an arm, by seed; empty unless all are there."""
        runs = [self.results.get(Cell(*_key(arm), seed)) for seed in self.grid.seeds]
        return [run for run in runs if run is not None] if all(runs) else []


def _key(arm: Arm) -> tuple[str, str, float]:
    return arm.dataset, arm.model, arm.fraction


def _names(cells: Iterable[Cell], with_seeds: bool) -> list[str]:
    """Cells by name, those of one model together: ``digits-cnn_scratch-{0.2,0.1}-0``. Published cells have no seed."""
    seeds: dict[tuple[str, str], dict[float, list[int]]] = {}
    for cell in cells:
        seeds.setdefault((cell.dataset, cell.model), {}).setdefault(cell.fraction, []).append(cell.seed)
    names = []
    for (dataset, model), by_fraction in seeds.items():
        together: dict[tuple[int, ...], list[float]] = {}
        for fraction, each in by_fraction.items():
            together.setdefault(tuple(each), []).append(fraction)
        names += [
            f"{dataset}-{model}-{_either(fractions)}" + (f"-{_either(each)}" if with_seeds else "")
            for each, fractions in together.items()
        ]
    return names


def _either(values: Iterable[float]) -> str:
    texts = [str(value) for value in values]
    return texts[0] if len(texts) == 1 else f"{{{','.join(texts)}}}"
