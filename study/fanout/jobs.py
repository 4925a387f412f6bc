"""What a driver needs of an executor; and of submitit, for each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from study.base.errors import StudyError
from study.design.cells import Cell


@dataclass
class Job:
    """A cell that was handed to an executor: ``handle`` is submitit's job."""

    cell: Cell
    handle: Any
    where: str
    running: bool = True
    ended: bool = False

    @property
    def code(self) -> int | None:
        """How the work of an ended job ended: 0, dvc's exit code, or None where it was killed or stopped."""
        if not self.handle.paths.result_pickle.exists():
            return None
        failure = self.handle.exception()
        if failure is None:
            return int(self.handle.result())
        # Not dvc but the worker itself failed (the project's folder was away, say): it left nothing that another could not do.
        return None


class Executor(Protocol):
    """A place where jobs run."""

    def adopt(self) -> list[Job]:
        """Jobs that a driver before this one submitted, and that are still to run or running."""

    def room(self) -> int:
        """How many jobs may be submitted now."""

    def submit(self, cells: Sequence[Cell]) -> list[Job]:
        """Hand over ``cells``, at most as many as there is room for."""

    def look(self, jobs: Sequence[Job]) -> None:
        """Bring ``where``, ``running`` and ``ended`` of ``jobs`` up to date."""

    def stop(self, jobs: Sequence[Job]) -> None:
        """Ask ``jobs`` to end; may be called again until they have."""


def submitit() -> Any:
    """The module, which is an optional extra."""
    try:
        import submitit as found
    except ImportError:
        raise StudyError("submitit is not installed here; pip install -r requirements-scale.txt brings it.") from None
    return found
