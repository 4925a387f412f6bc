"""What a driver needs of an executor."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from study.design.cells import Cell


@dataclass
class Job:
    """A cell that was handed to an executor, which calls it ``name`` and writes what its worker says to ``output``.

    ``code`` is that of an ended job: 0 where the cell is done, another where it failed, None where it was killed or stopped.
    """

    cell: Cell
    name: str
    where: str
    output: Path
    running: bool = True
    ended: bool = False
    code: int | None = None


class Executor(Protocol):
    """A place where jobs run."""

    def adopt(self) -> list[Job]:
        """Jobs that a driver before this one submitted, and that are still to run or running."""

    def room(self) -> int:
        """How many jobs may be submitted now."""

    def submit(self, cells: Sequence[Cell]) -> list[Job]:
        """Hand over ``cells``, at most as many as there is room for. StudyError: they are refused, none runs."""

    def look(self, jobs: Sequence[Job]) -> None:
        """Bring ``where``, ``running``, ``ended`` and ``code`` of ``jobs`` up to date."""

    def stop(self, jobs: Sequence[Job], cells: Sequence[Cell]) -> bool:
        """Ask ``jobs`` to end, and what a driver before this one left at ``cells``; whether any was there to be asked.

        To be called again until none is.
        """
