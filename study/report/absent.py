"""How pages name cells that are not there."""

from collections.abc import Iterable

from study.base.errors import counted
from study.design.cells import Cell
from study.report.analysis import Analysis

SHOWN = 8


def absent(analysis: Analysis, missing: Iterable[Cell]) -> tuple[str, ...]:
    """The note that names missing cells; none where there is none to name."""
    cells = list(missing)
    if not cells:
        return ()
    head = "Not published" if not analysis.measured_here else f"Missing, {counted(len(cells), 'cell')}"
    names = [f"`{name}`" for name in _names(cells, analysis.measured_here)]
    left = len(names) - SHOWN
    more = f" and {counted(left, 'more group')}" if left > 0 else ""
    return (f"**{head}:** {', '.join(names[:SHOWN])}{more}.",)


def _names(cells: Iterable[Cell], with_seeds: bool) -> list[str]:
    """Cells by name, those of one model together: ``digits-cnn_scratch-{0.2,0.1}-0``. Published cells have no seed."""
    seeds: dict[tuple[str, str], dict[float, list[int]]] = {}
    for cell in cells:
        seeds.setdefault((cell.dataset, cell.model), {}).setdefault(cell.fraction, []).append(cell.seed)
    names = []
    for (dataset, model), by_fraction in seeds.items():
        together: dict[tuple[int, ...], list[float]] = {}
        for fraction, each in by_fraction.items():
            together.setdefault(tuple(each), []).append(fraction)
        names += [
            f"{dataset}-{model}-{_either(fractions)}" + (f"-{_either(each)}" if with_seeds else "")
            for each, fractions in together.items()
        ]
    return names


def _either(values: Iterable[float]) -> str:
    texts = [str(value) for value in values]
    return texts[0] if len(texts) == 1 else f"{{{','.join(texts)}}}"
