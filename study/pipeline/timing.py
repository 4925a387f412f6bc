"""How long a training will take, by the rates that finished trainings measured: nothing measured, nothing said."""

from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from study.base.errors import UNREADABLE, StudyError
from study.design import cells
from study.design.cells import Cell
from study.design.recipe import Recipe
from study.runtime import records
from study.settings.params import Params

Workload = tuple[str, int, int, str]  # what a rate is for: model, image_size, batch_size, precision


@dataclass(frozen=True)
class Rate:
    """``images_per_second`` of a training, validation included, on ``device``."""

    images_per_second: float
    device: str


class Timing:
    """The rates in the records of trainings (study/runtime/records.py), whatever study they belong to."""

    def __init__(self, params: Params):
        self._params = params
        self._rates: defaultdict[Workload, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._devices: Counter[str] = Counter()
        self._images: dict[str, float] = {}  # train images at fraction 1.0, by dataset
        found = [*cells.DATA.glob("records/*.json"), *cells.DATA.glob(f"measured/*/{records.FILE}")]
        for record in filter(None, map(records.Record.load, sorted(found))):
            with suppress(StudyError, *UNREADABLE):  # not ours
                self._add(record)

    def _add(self, record: records.Record) -> None:
        cell, rate = Cell.parse(record.cell), float(record.images_per_second)
        if rate > 0:
            workload = (cell.model, record.image_size, record.batch_size, record.precision)
            self._rates[workload][record.device].append(rate)
            self._devices[record.device] += 1
        self._images[cell.dataset] = float(record.full_images)

    def rate(self, cell: Cell, recipe: Recipe) -> Rate | None:
        """The median rate of this model at this size, batch and precision, on the device that most trainings ran on.

        Where it never ran on that one, on the device where it ran most often; None where it never ran.
        """
        measured = self._rates.get((cell.model, recipe.image_size, recipe.batch_size, recipe.precision))
        if not measured:
            return None
        device = max(sorted(measured), key=lambda name: (self._devices[name], len(measured[name])))
        return Rate(median(measured[device]), device)

    def images(self, cell: Cell, recipe: Recipe) -> float | None:
        """Train images of an epoch, to within a few; None where neither the dataset nor a training on it is here."""
        if cell.dataset not in self._images:
            count = _labels(cells.raw(cell.dataset) / "train_labels.npy")
            if count is None:
                return None
            self._images[cell.dataset] = count * (1 - self._params.split().val_fraction)
        return self._images[cell.dataset] * (cell.fraction if recipe.budget == "epochs" else 1.0)


def duration(seconds: float) -> str:
    """``2 days 3 h``, ``3 h 10 min``, ``12 min``, ``40 s``: as exact as an estimate is."""
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 48 else f"{hours // 24} days {hours % 24} h"


def _labels(path: Path) -> int | None:
    """How many labels a file holds, by its head alone; None where there is no such file."""
    if not path.exists():
        return None
    from study.base import npy  # it imports numpy, a tenth of a second, seldom needed

    try:
        return int(npy.load(path, mapped=True).shape[0])
    except UNREADABLE:
        return None
