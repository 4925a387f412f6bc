"""The grid of a study: the ladder of dvc.yaml and the operating point, times datasets, models and seeds of params.yaml."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from study.base import yaml12
from study.base.errors import UNREADABLE, StudyError
from study.design import defaults
from study.design.cells import Cell
from study.settings import kinds
from study.settings.params import Model, Params

OPERATING_POINT = "${fraction}"  # how dvc.yaml writes it among the numbers of the ladder
# What stands beside the names of datasets and models in summary.json and in the tables' columns.
RESERVED = ("verdicts", "model", "fraction", "penalty", "step", "epoch", "class", "images")


@dataclass(frozen=True)
class Grid:
    """Every cell that a report is about; study/statistics/roles.py says what its models are to each other.

    ``ladder`` holds the fractions that hypotheses are tested at, ``fraction`` is the operating point of the headline
    metrics, which may lie off the ladder. ``compare`` holds the two families that H2 and H3 compare.
    """

    name: str
    datasets: tuple[str, ...]
    models: tuple[Model, ...]
    ladder: tuple[float, ...]
    fraction: float
    seeds: tuple[int, ...]
    compare: tuple[str, str] = defaults.COMPARE

    @classmethod
    def load(cls, params: Params, pipeline: Path = Path("dvc.yaml")) -> "Grid":
        """The grid of the study in ``params``, on the ladder of ``pipeline``. Raises StudyError for what either has wrong."""
        study = params.study()
        for name in (*study.datasets, *study.models):
            if name in RESERVED:
                raise StudyError(f"params.yaml: study has {name}, which a report's tables use otherwise; give it another name.")
        models = tuple(params.model(name) for name in study.models)
        return cls(study.name, study.datasets, models, ladder(pipeline), params.fraction(), study.seeds, study.compare)

    @property
    def fractions(self) -> tuple[float, ...]:
        """The ladder and the operating point, descending, each once."""
        return tuple(sorted({*self.ladder, self.fraction}, reverse=True))

    def cells(self) -> list[Cell]:
        """Every cell, in the order of params.yaml and with fractions descending."""
        return [
            Cell(dataset, model.name, fraction, seed)
            for dataset in self.datasets
            for model in self.models
            for fraction in self.fractions
            for seed in self.seeds
        ]


def ladder(pipeline: Path = Path("dvc.yaml")) -> tuple[float, ...]:
    """The train fractions of the study, descending: ``stages.split.matrix.fraction`` without the operating point.

    Raises StudyError where it is absent, or no list of fractions.
    """
    where = f"{pipeline}: stages.split.matrix.fraction"
    try:
        entries = yaml12.load(pipeline.read_text(encoding="utf-8"))["stages"]["split"]["matrix"]["fraction"]
    except FileNotFoundError:
        raise StudyError(f"{pipeline} is missing; run this in the project's root, or git checkout {pipeline}.") from None
    except (yaml.YAMLError, *UNREADABLE):
        raise StudyError(f"{where} cannot be read; git checkout {pipeline} brings it back.") from None
    if not isinstance(entries, list):
        raise StudyError(f"{where} is {entries!r}; it must be a list of {OPERATING_POINT} and fractions.")
    if OPERATING_POINT not in entries:
        raise StudyError(f"{where} lacks {OPERATING_POINT}, so that no cell of the operating point would be trained; add it.")
    numbers = [_fraction(where, entry) for entry in entries if entry != OPERATING_POINT]
    if not numbers:
        raise StudyError(f"{where} holds no number; it must hold the ladder of fractions, such as 1.0 and 0.1.")
    return tuple(sorted(set(numbers), reverse=True))


def check_ladder(given: str | None) -> None:
    """StudyError where aggregate's command names another ladder, ``given`` as "1.0,0.5", than the matrix has."""
    fractions = ",".join(map(str, ladder()))
    if given not in (None, fractions):
        raise StudyError(
            f"dvc.yaml: aggregate's command has --ladder {given}, the matrix has {fractions}; "
            "write the same fractions in both, descending."
        )


def _fraction(where: str, entry: Any) -> float:
    if not isinstance(entry, float) or not 0.0 < entry <= 1.0:
        raise StudyError(f"{where} holds {entry!r}; fractions are decimals above 0 and up to 1.0 (write 1.0, not 1).")
    return kinds.named(where, entry)
