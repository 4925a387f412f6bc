"""Models whose source cell was trained anew since its weights were taken: DVC does not watch a source, so that is said here."""

import json
from collections.abc import Iterable
from pathlib import Path

from study.base.errors import UNREADABLE, listed
from study.design import cells
from study.design.cells import Cell
from study.models import card
from study.results import provenance
from study.settings.params import CELL, Model


def advice(models: Iterable[Model]) -> str | None:
    """A sentence that names those of ``models`` and their cells, with the ways out; None where there are none.

    Reads JSON alone. What is absent or damaged tells nothing here: the stage that needs it says so.
    """
    moved, new = [], {}
    for model in models:
        if model.weights is None or not model.weights.source.startswith(CELL):
            continue
        cell = Cell.parse(model.weights.source.removeprefix(CELL))
        taken = _text(cells.weights(model.name) / card.FILE, "sha256") or model.weights.sha256
        trained = _text(cells.history(cell) / provenance.FILE, "checkpoint_sha256")
        if taken and trained and taken != trained:
            moved.append(f"{model.name} ({cell})")
            new[cell] = f"sha256: {trained} is that of {cell}"
    if not moved:
        return None
    return (
        f"note: the cell whose weights a model starts from has been trained anew since they were taken: {listed(moved, 3)}. "
        "`python -m tools.export CELL`, where data/pretrained has the cell, and its new sha256 under the model's weights in "
        f"params.yaml make it start from the new ones ({listed(sorted(new.values()), 3)}); dvc checkout with the dvc.lock of "
        "then brings the old back."
    )


def _text(file: Path, key: str) -> str | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))[key]
    except UNREADABLE:
        return None
    return found if isinstance(found, str) else None
