"""Cells of the study, and every path under data/ and reports/: made here and nowhere else.

All paths are relative to the project's root, where DVC and ``python -m stages.<name>`` run.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from study.base.errors import StudyError, told

DATA = Path("data")
REPORTS = Path("reports")
NAME = re.compile(r"[a-z][a-z0-9_]*")  # neither dots (DVC's params) nor dashes (they separate the parts of a cell)
SEED = re.compile(r"0|[1-9][0-9]{0,9}")


@dataclass(frozen=True, order=True)
class Cell:
    """One training of the study: a model, on a fraction of a dataset's training data, from one seed."""

    dataset: str
    model: str
    fraction: float
    seed: int

    def __str__(self) -> str:
        return f"{self.dataset}-{self.model}-{self.fraction}-{self.seed}"

    @classmethod
    def parse(cls, name: str) -> "Cell":
        """The cell called ``name``, as DVC names it: ``cifar10-resnet50_im1k-0.2-0``.

        Raises StudyError where a part is missing or out of range, or where the name is not the one that DVC would
        give (a fraction of ``1`` or ``0.20`` would be another cell than ``1.0`` or ``0.2``).
        """
        parts = name.split("-")
        if len(parts) != 4 or not all(NAME.fullmatch(part) for part in parts[:2]):
            form = "dataset-model-fraction-seed (cifar10-resnet50_im1k-0.2-0)"
            raise StudyError(f"cell {told(repr(name))} is not of the form {form}.")
        return cls(parts[0], parts[1], parse_fraction(parts[2]), parse_seed(parts[3]))


def parse_fraction(text: str) -> float:
    """The train fraction written as ``text``, in (0, 1], spelt as DVC spells it in names."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value <= 1.0 or str(value) != text:
        raise StudyError(f"fraction is {told(text)}; it must be a decimal above 0 and up to 1.0, such as 0.2 or 1.0.")
    return value


def parse_seed(text: str) -> int:
    """The seed written as ``text``: a whole number from 0, below 2**32 as numpy wants it."""
    if not SEED.fullmatch(text) or int(text) >= 2**32:
        raise StudyError(f"seed is {told(text)}; it must be a whole number from 0 to 4294967295, such as 0 or 1.")
    return int(text)


def raw(dataset: str) -> Path:
    """Images, labels and class names of a dataset."""
    return DATA / "raw" / dataset


def weights(model: str) -> Path:
    """A model's pre-trained weights and their card; the card alone for a model from scratch."""
    return DATA / "weights" / model


def pretrained(cell: Cell) -> Path:
    """The weights of a cell, in git, for other cells to start from."""
    return DATA / "pretrained" / str(cell)


def split(dataset: str, fraction: float, seed: int) -> Path:
    """Train and validation indices."""
    return DATA / "splits" / dataset / str(fraction) / str(seed)


def runs(cell: Cell) -> Path:
    """A cell's checkpoint."""
    return DATA / "runs" / str(cell)


def history(cell: Cell) -> Path:
    """A cell's curves per epoch, and its provenance."""
    return DATA / "history" / str(cell)


def predictions(cell: Cell) -> Path:
    """What a cell's metrics and intervals are made from, and its metrics.json."""
    return DATA / "predictions" / str(cell)


def measured(cell: Cell) -> Path:
    """The record, in git, of a cell that was trained by hand on a machine without DVC."""
    return DATA / "measured" / str(cell)


def failed(cell: Cell) -> Path:
    """The record, on this machine alone, of a training that failed."""
    return DATA / "failed" / f"{cell}.json"


def report(study: str) -> Path:
    """A study's tables, figures, verdicts, summary and page."""
    return REPORTS / study
