"""A line of the table that benchmarks/gpu.py writes, and the two files that hold it: table.txt and rows.jsonl."""

import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

HELD, BROKEN, MEASURED, FAILED, LEFT_OUT = "held", "BROKEN", "measured", "FAILED", "left out"


@dataclass(frozen=True)
class Row:
    """``what`` was looked at, what came of it (one of the words above), in a sentence and in ``values`` for programs."""

    part: str
    what: str
    verdict: str
    said: str
    values: dict[str, Any] = field(default_factory=dict)


class Table:
    """Rows go to the screen and to both files at once, so that a run that is cut off keeps what it had."""

    def __init__(self, folder: Path, head: str):
        """``folder`` is made where it is not there; a table in it goes on below a line with ``head``."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._head, self._start = folder, head, time.monotonic()
        self.bad = 0
        self._write("table.txt", f"{head}\n{'seconds':>7}  {'part':11}{'what':50}{'':10}")
        print(head, flush=True)

    def add(self, row: Row) -> None:
        seconds = round(time.monotonic() - self._start, 1)
        self.bad += row.verdict in (BROKEN, FAILED)
        line = f"{seconds:7.1f}  {row.part:11}{row.what:50}{row.verdict:10}{row.said}"
        print(line, flush=True)
        self._write("table.txt", line)
        self._write("rows.jsonl", json.dumps({"run": self._head, "seconds": seconds, **asdict(row)}))

    def _write(self, name: str, line: str) -> None:
        with (self._folder / name).open("a", encoding="utf-8") as file:
            file.write(line.rstrip() + "\n")
            file.flush()
            os.fsync(file.fileno())
