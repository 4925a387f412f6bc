"""Whether a checkpoint is the one that its cell's provenance has the sha256 of."""

from pathlib import Path

from study.base.errors import StudyError
from study.base.sums import sha256
from study.design import cells
from study.design.cells import Cell
from study.results.provenance import FILE, Provenance


def checked(cell: Cell, checkpoint: Path) -> str:
    """The sha256 of ``checkpoint``. StudyError where the provenance of ``cell``, if it is here, has another one."""
    found, history = sha256(checkpoint), cells.history(cell)
    again = f"dvc checkout brings back what belongs together, python -m stages.train {cell} makes both"
    if not (history / FILE).is_file():
        return found
    try:
        provenance = Provenance.load(history, cell)
    except StudyError as error:
        raise StudyError(f"{error}; {again}.") from None
    if provenance.checkpoint_sha256 != found:
        raise StudyError(f"{checkpoint} is damaged, or of another training than {history}; {again}.")
    return found
