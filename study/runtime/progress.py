"""How far a training is: a bar on a terminal, one line per epoch in a log file."""

import sys
import time
from collections.abc import Callable

from study.base.console import progress, say
from study.design.cells import Cell
from study.results.history import Epoch

PERIOD = 1.0  # seconds between two looks at the loss: each waits for the device


class Display:
    """Shows one training: epoch, rate in img/s, loss, validation error, time left for the cell."""

    def __init__(self, cell: Cell, epochs: int, images: int, seconds: float):
        """``images`` per epoch; ``seconds`` that the epochs before have taken."""
        self._cell = cell
        self._epochs = epochs
        self._images = images
        self._seconds = seconds
        self._terminal = sys.stderr.isatty()
        self._val_error: float | None = None

    def start(self, epoch: int) -> None:
        """Epoch ``epoch`` (from 0) begins."""
        self._started = self._looked = time.monotonic()
        self._epoch = epoch
        self._bar = progress(total=self._images, unit="img", desc=f"epoch {epoch + 1}/{self._epochs}")

    def step(self, images: int, loss: Callable[[], float]) -> None:
        """``images`` of the epoch are done; ``loss`` is asked about once a second, and in a log file never."""
        if not self._terminal:
            return
        self._bar.update(images - self._bar.n)
        now = time.monotonic()
        if now - self._looked >= PERIOD:
            self._looked = now
            spent = self._seconds + now - self._started
            done = self._epoch + images / self._images
            words = {"loss": f"{loss():.3f}", "left": clock(spent / done * (self._epochs - done))}
            if self._val_error is not None:
                words["val error"] = f"{100 * self._val_error:.1f} %"
            self._bar.set_postfix(words)

    def end(self, line: Epoch, seconds: float) -> None:
        """The epoch is over; it took ``seconds``, validation included."""
        self._bar.close()
        self._seconds += seconds
        self._val_error = line.val_error
        left = self._seconds / line.epoch * (self._epochs - line.epoch)
        say(
            f"epoch {line.epoch}/{self._epochs}: {self._images / seconds:.0f} img/s, loss {line.train_loss:.4f}, "
            f"val error {100 * line.val_error:.2f} %, {clock(left)} left"
        )


def clock(seconds: float) -> str:
    """``seconds`` as 0:07, 12:30 or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
