"""The cells of a study as they lie in DVC's folders, or in data/measured, where a cell's files lie together."""

import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from study.base.errors import UNREADABLE, StudyError
from study.design import cells
from study.design.cells import Cell
from study.design.recipe import Recipe
from study.results.history import FILE, Epoch, History
from study.results.predictions import FILE as PREDICTIONS
from study.results.predictions import Predictions
from study.results.provenance import Provenance
from study.settings.params import Params
from study.settings.sections import Model

ABSENT = "absent"


@dataclass(frozen=True)
class Result:
    """One cell: what it says of the test images, its curves, and where it comes from."""

    predictions: Predictions
    history: tuple[Epoch, ...]
    provenance: Provenance

    @property
    def labels(self) -> NDArray[np.signedinteger]:
        """The test images' labels, (images,)."""
        return self.predictions.labels

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Which images the cell gets wrong, (images,)."""
        return self.predictions.wrong

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return tuple(map(str, self.predictions.classes))


@dataclass(frozen=True)
class Results:
    """The cells that are there, and for each that is not why it is not."""

    present: Mapping[Cell, Result]
    missing: Mapping[Cell, str]


def load(wanted: Iterable[Cell], params: Params, measured: bool = False) -> Results:
    """Read ``wanted`` from DVC's folders, or from data/measured; damaged cells count as missing and say what is wrong.

    So do cells of another recipe, model or share for validation than ``params`` have.
    """
    present: dict[Cell, Result] = {}
    missing: dict[Cell, str] = {}
    first: dict[str, tuple[Cell, Result]] = {}
    for cell in wanted:
        folders = (cells.measured(cell), cells.measured(cell)) if measured else (cells.predictions(cell), cells.history(cell))
        try:
            result = read(cell, *folders)
            if Recipe.merge(("recipe", result.provenance.recipe)) != params.recipe(cell.dataset, cell.model):
                raise StudyError("was trained by another recipe than params.yaml has")
            _check_model(result.provenance, params.model(cell.model))
            _check_validation(result, params.split().val_fraction)
            other, reference = first.setdefault(cell.dataset, (cell, result))
            if result.classes != reference.classes or not np.array_equal(result.labels, reference.labels):
                raise StudyError(f"its test images are not those of {other}")
        except StudyError as error:
            missing[cell] = str(error)
        else:
            present[cell] = result
    return Results(present, missing)


def read(cell: Cell, predictions: Path, curves: Path) -> Result:
    """One cell from its two folders; StudyError says in a few words what is absent, damaged or does not belong together."""
    if not predictions.is_dir() and not curves.is_dir():
        raise StudyError(ABSENT + _failure(cell))
    _refuse_forged(predictions / PREDICTIONS)
    said, origin = Predictions.load(predictions, cell), Provenance.load(curves, cell)
    history = History.load(curves)
    if said.checkpoint_sha256 != origin.checkpoint_sha256:
        raise StudyError(f"{predictions} and {curves} are of two checkpoints")
    lines = history.epochs
    if history.sha256 != origin.history_sha256:
        raise StudyError(f"{curves / FILE} is not of the training of {curves / 'provenance.json'}")
    if len(lines) != origin.recipe["epochs"] or history.best != origin.best_epoch:
        raise StudyError(f"{curves / FILE} and {curves / 'provenance.json'} contradict each other")
    if not _counts(origin, cell.fraction, len(said.classes)):
        raise StudyError(f"{curves / 'provenance.json'} has numbers of images that no split gives")
    recipe = Recipe.merge(("recipe", origin.recipe))
    if recipe.warmup_epochs < recipe.epochs and max(line.learning_rate for line in lines) != recipe.learning_rate:
        raise StudyError(f"{curves / FILE} has another learning rate than {curves / 'provenance.json'}")
    return Result(said, lines, origin)


def _refuse_forged(file: Path) -> None:
    """StudyError where ``file`` is packed otherwise than by ``Predictions.save``: it might unpack to more than memory holds."""
    try:
        with zipfile.ZipFile(file) as packed:
            methods = {each.filename: each.compress_type for each in packed.infolist()}
            with packed.open("classes.npy") as array:
                version = np.lib.format.read_magic(array)
                _, _, kind = np.lib.format.read_array_header_1_0(array)
    except FileNotFoundError:
        return  # which is said by who reads it
    except UNREADABLE:
        raise StudyError(f"{file} damaged") from None
    fields = {f"{name}.npy" for name in Predictions.__dataclass_fields__}
    # Names of no characters take no room, however many there are.
    if methods != dict.fromkeys(fields, zipfile.ZIP_DEFLATED) or version != (1, 0) or not kind.itemsize:
        raise StudyError(f"{file} damaged")


def _counts(origin: Provenance, fraction: float, classes: int) -> bool:
    """Whether the numbers of images can be those of a split at ``fraction``, which rounds once in each class."""
    parts = 0 < origin.train_images <= origin.full_images and origin.validation_images > 0
    whole = origin.full_images + origin.validation_images == origin.official_images
    return parts and whole and abs(origin.train_images - fraction * origin.full_images) <= (classes if fraction < 1 else 0)


def _check_model(origin: Provenance, model: Model) -> None:
    """StudyError unless ``model`` is what was trained: its arch, and its weights by their sha256 or else their source."""
    if (origin.arch, dict(origin.arch_options)) != (model.arch, dict(model.arch_options)):
        raise StudyError("was trained with another arch than params.yaml has")
    weights = model.weights
    key = "source" if weights is None or weights.sha256 is None else "sha256"
    if origin.weights.get(key) != (getattr(weights, key) if weights else None):
        raise StudyError("was trained from other weights than params.yaml has")


def _check_validation(result: Result, share: float) -> None:
    """StudyError unless ``share`` of each class, rounded, can have been kept for validation."""
    kept, official = result.provenance.validation_images, result.provenance.official_images
    if abs(kept - share * official) > len(result.classes):
        raise StudyError(f"{kept} of its {official} images were for validation, not the val_fraction {share} of params.yaml")


def _failure(cell: Cell) -> str:
    """What the record of a failed training says, where this machine has one."""
    try:
        record = json.loads(cells.failed(cell).read_text(encoding="utf-8"))
        return f"; its training failed: {str(record['error']).rstrip('.')}"
    except UNREADABLE:
        return ""
