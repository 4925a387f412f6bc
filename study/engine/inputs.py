"""What a training starts from: the files of the stages before it, read and checked to belong together."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from study.base.errors import StudyError
from study.base.sums import md5s, sha256
from study.data.part import Part
from study.data.splits import Split
from study.design import cells
from study.design.cells import Cell
from study.design.recipe import Recipe
from study.models.card import WEIGHTS, Card
from study.results.provenance import libraries
from study.runtime import code
from study.settings.params import Params
from study.settings.sections import Model


@dataclass(frozen=True)
class Inputs:
    """The recipe of ``cell``, the card of its weights, the official training set and its split."""

    cell: Cell
    recipe: Recipe
    card: Card
    data: Part
    split: Split

    @classmethod
    def read(cls, cell: Cell) -> "Inputs":
        """The inputs of ``cell``; StudyError names what is missing or does not belong and the command that makes it."""
        params = Params.load()
        params.check_cell(cell)
        model = params.model(cell.model)
        recipe = params.recipe(cell.dataset, cell.model)
        folder = cells.weights(cell.model)
        card = Card.read(folder)
        _check_card(folder, card, model)
        if card.source:
            _check_weights(folder / WEIGHTS, card, cell.model)
        data = Part.read(cells.raw(cell.dataset), "train")
        settings = params.split()
        split = Split.draw(
            cell.dataset, cell.fraction, cell.seed, data.labels, settings.val_fraction, settings.rare, data.classes
        )
        split.check(cells.split(cell.dataset, cell.fraction, cell.seed))
        return cls(cell, recipe, card, data, split)

    def determinants(self, kernels: str) -> dict[str, Any]:
        """Everything that determines the result, as plain data: what keys the resume state."""
        return {
            "cell": str(self.cell),
            "recipe": self.recipe.as_dict(),
            "card": asdict(self.card),
            "indices": [self.split.train.tolist(), self.split.validation.tolist()],
            "data": md5s(Part.files(cells.raw(self.cell.dataset), "train")),
            "code": code.digest("stages.train"),
            "libraries": libraries(),
            "kernels": kernels,
        }


def _check_card(folder: Path, card: Card, model: Model) -> None:
    """Raise StudyError unless ``card`` is of the arch and the weights that params.yaml gives ``model``."""
    again = f"run python -m stages.weights {model.name}."
    if (card.arch, dict(card.arch_options)) != (model.arch, dict(model.arch_options)):
        raise StudyError(
            f"{folder} is of {card.arch} with {dict(card.arch_options)}, params.yaml wants {model.arch} "
            f"with {dict(model.arch_options)}; {again}"
        )
    source, pinned = (model.weights.source, model.weights.sha256) if model.weights else (None, None)
    if card.source != source or pinned not in (None, card.sha256):
        raise StudyError(
            f"{folder} is of {card.source or 'no weights'} (sha256 {card.sha256}), params.yaml wants {source or 'none'}"
            f"{f' (sha256 {pinned})' if pinned else ''}; {again}"
        )


def _check_weights(file: Path, card: Card, model: str) -> None:
    """Raise StudyError unless ``file`` has the sha256 of its ``card``."""
    again = f"run python -m stages.weights {model}"
    if not file.is_file():
        raise StudyError(f"{file} is not here; dvc pull brings it, or {again}.")
    if sha256(file) != card.sha256:
        raise StudyError(f"{file} is damaged: its sha256 is not that of its card; {again}.")
