"""How a report was made, from the cells' own records."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from study.base.errors import counted, listed
from study.report.analysis import Analysis
from study.report.sections.warnings import NOTES
from study.report.text import code, escaped
from study.results.provenance import Provenance


def made(analysis: Analysis) -> tuple[str, ...]:
    """One text for each thing that a reader may ask."""
    return tuple(_made(analysis))


def compared(analysis: Analysis) -> str:
    """Which datasets, models, fractions and seeds."""
    grid = analysis.grid
    models = "; ".join(f"{escaped(analysis.labels.model(model))} ({code(model.name)})" for model in grid.models)
    order = {1: "", 2: " (easy, then hard)"}.get(len(grid.datasets), " (from easy to hard)")
    sentences = [
        f"{len(grid.cells()) - len(analysis.missing)} of {len(grid.cells())} cells.",
        f"Datasets: {', '.join(map(escaped, grid.datasets))}{order}.",
        f"Models: {models}.",
        f"Train fractions: {', '.join(map(str, grid.fractions))}.",
    ]
    if analysis.measured_here:
        sentences.append(f"Seed{'s' if len(grid.seeds) > 1 else ''}: {', '.join(map(str, grid.seeds))}.")
        sentences.append(f"Classes and calibration are shown at the operating point, fraction {grid.fraction}.")
    return " ".join(sentences)


def _made(analysis: Analysis) -> Iterator[str]:
    records = [result.provenance for result in analysis.results.values()]
    yield (
        f"{counted(len(records), 'training')}. Kernels: {_different(record.kernels for record in records)}. "
        f"Versions: {_different(map(_versions, records))}."
    )
    yield from _images(analysis)
    common, own = _recipes(analysis)
    yield f"Recipe of every cell: {common}."
    yield from (f"Recipe of {listed(names, 4)}, further: {recipe}." for recipe, names in own.items())
    yield from (f"Weights of {code(model)}: {text}." for model, text in _weights(analysis).items())
    yield from (f"Data of {escaped(dataset)}, md5: {text}." for dataset, text in _md5s(analysis).items())
    formats = analysis.formats
    yield from (f"{escaped(name)}: {NOTES[formats[name]]}" for name in analysis.grid.datasets if formats.get(name) in NOTES)
    yield from analysis.left_out
    if analysis.strangers:
        yield f"Measured cells that are no part of this grid: {listed([code(name) for name in analysis.strangers], 6)}."


def _images(analysis: Analysis) -> Iterator[str]:
    """What fraction 1.0 is, and how many labels chose the epoch."""
    for dataset in analysis.grid.datasets:
        records = [result.provenance for cell, result in analysis.results.items() if cell.dataset == dataset]
        counts = {(record.full_images, record.official_images, record.validation_images) for record in records}
        for full, official, validation in sorted(counts):
            yield (
                f"{escaped(dataset)}: fraction 1.0 is {full:,} train images, {100 * full / max(official, 1):.0f} % of the "
                f"{official:,} of the official training set. Validation has {validation:,} labelled images at every fraction, "
                "and they choose the epoch."
            )


def _different(texts: Iterable[str]) -> str:
    return "; ".join(escaped(text) for text in sorted(set(texts)))


def _versions(record: Provenance) -> str:
    return ", ".join(f"{name} {each}" for name, each in record.libraries.items())


def _recipes(analysis: Analysis) -> tuple[str, dict[str, list[str]]]:
    """The keys that all cells share, and what else each dataset and model used."""
    recipes = {
        f"{escaped(cell.dataset)} {code(cell.model)}": result.provenance.recipe for cell, result in analysis.results.items()
    }
    each = list(recipes.values())
    keys = dict.fromkeys(key for recipe in each for key in recipe)
    shared = [key for key in keys if all(recipe.get(key) == each[0].get(key) for recipe in each)]
    own: dict[str, list[str]] = {}
    for name, recipe in recipes.items():
        rest = {key: value for key, value in recipe.items() if key not in shared}
        if rest:
            own.setdefault(_recipe(rest), []).append(name)
    return _recipe({key: each[0][key] for key in shared if key in each[0]}), own


def _recipe(recipe: Mapping[str, Any]) -> str:
    return ", ".join(f"{code(key)} {escaped('none' if value is None else value)}" for key, value in recipe.items())


def _weights(analysis: Analysis) -> dict[str, str]:
    found: dict[str, dict[str, None]] = {}
    for cell, result in analysis.results.items():
        record = result.provenance.weights
        if record.get("source"):
            revision = f", revision {escaped(record['revision'])}" if record.get("revision") else ""
            text = f"{escaped(record['source'])}{revision}, sha256 {code(record.get('sha256'))}"
            found.setdefault(cell.model, {})[text] = None
    return {model: "; ".join(texts) for model, texts in found.items()}


def _md5s(analysis: Analysis) -> dict[str, str]:
    found: dict[str, dict[str, None]] = {}
    for cell, result in analysis.results.items():
        text = ", ".join(f"{escaped(name)} {code(md5)}" for name, md5 in sorted(result.provenance.data_md5.items()))
        found.setdefault(cell.dataset, {})[text] = None
    return {dataset: "; or ".join(texts) for dataset, texts in found.items() if any(texts)}
