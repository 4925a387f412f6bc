"""What dvc.yaml calls the stages that make a cell."""

from study.design.cells import Cell


def own(cell: Cell) -> list[str]:
    """The stages of ``cell`` alone, in order: its training and its test."""
    return [f"train@{cell}", f"evaluate@{cell}"]


def every(cell: Cell) -> list[str]:
    """All stages that make ``cell``, in order."""
    split = f"split@{cell.dataset}-{cell.fraction}-{cell.seed}"
    return [f"download@{cell.dataset}", f"weights@{cell.model}", split, *own(cell)]
