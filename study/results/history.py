"""A cell's curves, one line an epoch: data/history/<cell>/history.csv."""

import csv
import hashlib
import io
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from study.base.atomic import write
from study.base.errors import UNREADABLE, StudyError

FILE = "history.csv"


@dataclass(frozen=True)
class Epoch:
    """One line: losses are the mean cross entropy per image, errors shares in [0, 1]; the fields are the file's columns."""

    epoch: int  # from 1
    learning_rate: float
    train_loss: float
    train_error: float
    val_loss: float
    val_error: float


COLUMNS = tuple(field.name for field in fields(Epoch))


@dataclass(frozen=True)
class History:
    """The curves of one training, its epochs in order."""

    epochs: tuple[Epoch, ...]

    @property
    def best(self) -> int:
        """The epoch (from 1) with the lowest validation error; among equals the lowest validation loss, the first."""
        return min(self.epochs, key=lambda line: (line.val_error, line.val_loss, line.epoch)).epoch

    @property
    def sha256(self) -> str:
        """That of history.csv as ``save`` writes it, however the line ends of a copy are."""
        return hashlib.sha256(self._content()).hexdigest()

    def save(self, folder: Path) -> None:
        """Write history.csv into ``folder``."""
        write(folder / FILE, self._content())

    @classmethod
    def load(cls, folder: Path) -> "History":
        """The history in ``folder``. Raises StudyError where it is absent, damaged or not the curves of a training."""
        path = folder / FILE
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file, strict=True))
            epochs = tuple(Epoch(int(row["epoch"]), *(float(row[column]) for column in COLUMNS[1:])) for row in rows)
        except FileNotFoundError:
            raise StudyError(f"{path} absent") from None
        except UNREADABLE:
            raise StudyError(f"{path} damaged") from None
        numbers = [line.epoch for line in epochs]
        if not epochs or numbers != list(range(1, len(epochs) + 1)) or not all(map(_sound, epochs)):
            raise StudyError(f"{path} damaged")
        return cls(epochs)

    def _content(self) -> bytes:
        table = io.StringIO()
        lines = csv.DictWriter(table, fieldnames=COLUMNS, lineterminator="\n")
        lines.writeheader()
        lines.writerows(map(asdict, self.epochs))
        return table.getvalue().encode()


def _sound(line: Epoch) -> bool:
    """Whether its numbers can be those of a training; the comparisons are false for NaN."""
    errors = 0 <= line.train_error <= 1 and 0 <= line.val_error <= 1
    losses = 0 <= line.train_loss < float("inf") and 0 <= line.val_loss < float("inf")
    return errors and losses and 0 <= line.learning_rate < float("inf")
