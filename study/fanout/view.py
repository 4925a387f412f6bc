"""What a driver shows: one line per event and, on a terminal, below these lines a table that is drawn anew each second.

Two escape sequences draw it. rich.live would take their place, and bring its own wrapping and its redirection of what others
print; columns, cutting to the terminal, the lines of a log and their tails would stay.
"""

import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from study.base.console import say, written_out

PERIOD = 1.0  # seconds between two drawings
TAIL = 4096  # bytes of a log that its last lines are sought in


class View:
    """One fan-out on the screen."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._drawn: list[str] = []
        self._last = 0.0

    def event(self, text: str) -> None:
        """Something has happened: a line that stays."""
        self._clear()
        say(f"{time.strftime('%H:%M:%S')} {text}")
        self._put(self._drawn)

    @property
    def due(self) -> bool:
        """Whether ``table`` would draw."""
        return self._terminal and time.monotonic() - self._last >= PERIOD

    def table(self, head: str, rows: Sequence[Sequence[str]]) -> None:
        """Draw ``head`` and a line per row, columns aligned, cut to the terminal."""
        size = shutil.get_terminal_size()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [head, *("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)]
        if len(lines) > size.lines - 2:
            lines = [*lines[: size.lines - 3], f"... and {len(lines) - size.lines + 3} more"]
        self._clear()
        self._put([line[: size.columns - 1] for line in lines])
        self._last = time.monotonic()

    def close(self) -> None:
        self._clear()
        self._drawn = []

    def _put(self, lines: list[str]) -> None:
        if self._terminal and lines:
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()
        self._drawn = lines

    def _clear(self) -> None:
        if self._terminal and self._drawn:
            sys.stdout.write(f"\x1b[{len(self._drawn)}F\x1b[J")


def tail(path: Path, count: int) -> list[str]:
    """The last ``count`` lines of a log that are not empty, fit for a terminal; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [written_out(line.rstrip()) for line in text.replace("\r", "\n").splitlines() if line.strip()][-count:]
