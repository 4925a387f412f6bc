"""Which cells of a study are proved already: each with a sum over all that the proof was about."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.base import atomic, machine
from study.base.errors import UNREADABLE, StudyError
from study.design.cells import Cell
from study.pipeline import stage_names
from study.results.provenance import libraries
from study.runtime import code
from study.settings.kinds import CELL
from study.settings.params import Params
from study.settings.sections import Study

STAGES = ("train", "evaluate")  # what the others made counts by its md5, which the entry of train has


def cells_of(study: Study, params: Params, lock: Mapping[str, Any]) -> list[Cell]:
    """The cells of ``study`` that ``lock`` has, at whatever fraction, those that its weights come from first; longest first."""
    present = [Cell.parse(name.removeprefix("train@")) for name in lock if name.startswith("train@")]
    of_study = [
        cell for cell in present if cell.dataset in study.datasets and cell.model in study.models and cell.seed in study.seeds
    ]
    sources: list[Cell] = []
    models = list(study.models)
    for name in models:
        weights = params.model(name).weights
        cell = next((each for each in present if weights and weights.source == f"{CELL}{each}"), None)
        if cell and cell not in sources and cell not in of_study:
            sources.append(cell)
            models.append(cell.model)  # which may have a source of its own
    return [*sources, *sorted(of_study, key=lambda cell: (-cell.fraction, -study.datasets.index(cell.dataset), cell))]


class Ledger:
    """The cells that were proved, each with the processor that made it again, in a file that may go from machine to machine.

    A cell whose sum is another one now counts as not proved. StudyError where the file is there and is something else.
    """

    def __init__(self, file: Path, lock: Mapping[str, Any], params: Params):
        self._file, self._lock, self._params = file, lock, params
        self._code = [code.digest(f"stages.{name}") for name in STAGES]
        try:
            self._proofs = json.loads(file.read_text(encoding="utf-8"))
            if any(set(proof) != {"processor", "sum"} for proof in self._proofs.values()):
                raise ValueError("JSON of something else")
        except FileNotFoundError:
            self._proofs = {}
        except UNREADABLE:
            raise StudyError(f"{file} has no list of proved cells; remove it to begin anew, or name another file.") from None
        self._write()  # a place that cannot be written is said now, not an hour later

    def has(self, cell: Cell) -> bool:
        return str(cell) in self._proofs and self._proofs[str(cell)]["sum"] == self._sum(cell)

    def add(self, cell: Cell) -> None:
        self._proofs[str(cell)] = {"processor": machine.processor_name(), "sum": self._sum(cell)}
        self._write()

    def _write(self) -> None:
        atomic.write(self._file, (json.dumps(self._proofs, indent=1, sort_keys=True) + "\n").encode())

    def _sum(self, cell: Cell) -> str:
        """Over what dvc.lock records of ``cell``, the code that trains and tests, its parameters and the libraries."""
        params = self._params
        try:
            recipe = params.recipe(cell.dataset, cell.model).as_dict()
            declared: tuple[object, ...] = (params.source(cell.dataset), params.model(cell.model), recipe, params.split())
        except StudyError:
            declared = ()  # no longer declared: its training will say so
        entries = [self._lock.get(stage) for stage in stage_names.own(cell)]
        return hashlib.sha256(repr((entries, self._code, declared, libraries())).encode()).hexdigest()
