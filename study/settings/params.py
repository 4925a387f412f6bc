"""params.yaml, read and validated: each stage asks for what it uses, aggregate and the tests for everything.

A value of a section that a stage does not use never stops that stage; ``Params.check_all`` looks at all of them. What each
key may be stands in study/settings/sections.py, the options of datasets in sources.py, the recipe in study/design/recipe.py.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.base.errors import StudyError
from study.design.cells import NAME, Cell
from study.design.recipe import Recipe
from study.settings import kinds, plain, sources
from study.settings.keys import checked, read, shown
from study.settings.kinds import CELL
from study.settings.sections import DatasetEntry, Model, ModelEntry, Source, SplitSection, Study, Weights

__all__ = ["CELL", "Model", "Params", "Source", "Weights"]
SECTIONS = ("fraction", "study", "split", "train", "datasets", "models")


class Params:
    """The sections of params.yaml; every accessor validates what it returns and raises StudyError."""

    def __init__(self, sections: Mapping[str, Any]):
        self._sections = sections

    @classmethod
    def load(cls, path: Path = Path("params.yaml")) -> "Params":
        """Read ``path``; StudyError where it is absent, or not a YAML mapping of plain data."""
        return cls(plain.load(path, "sections"))

    def fraction(self) -> float:
        """The operating point, in (0, 1]."""
        return kinds.fraction("fraction", self._sections.get("fraction"))

    def study(self) -> Study:
        """The section ``study``; datasets, models and the families compared are checked to be declared."""
        study = read(Study, "study", self._section("study"))
        for dataset in study.datasets:
            self._dataset(dataset, "study.datasets")
        for model in study.models:
            self._model(model, "study.models")
        if "compare" in self._section("study"):
            declared = self._section("models").values()
            families = sorted({str(model["family"]) for model in declared if isinstance(model, Mapping) and "family" in model})
            for family in study.compare:
                if family not in families:
                    raise StudyError(
                        f"params.yaml: study.compare names {family!r}, which is the family of no model; "
                        f"there are {', '.join(families)}."
                    )
        return study

    def split(self) -> SplitSection:
        """The section ``split``."""
        return read(SplitSection, "split", self._section("split"))

    def source(self, dataset: str) -> Source:
        """Where ``dataset`` comes from; options are checked as its format wants them."""
        source = self._dataset(dataset)["source"]
        where = f"datasets.{dataset}.source"
        if not isinstance(source, Mapping) or not isinstance(source.get("format"), str):
            raise StudyError(f"params.yaml: {where} is {shown(source)}; it must be a mapping with the key format.")
        described = Source(source["format"], {key: value for key, value in source.items() if key != "format"})
        sources.check(described, where)
        return described

    def model(self, name: str) -> Model:
        """The model declared as ``name``."""
        section, where = self._model(name), f"models.{name}"
        entry = read(ModelEntry, where, section)
        if entry.scratch is not None:
            if entry.weights is None:
                raise StudyError(f"params.yaml: {where}.scratch is {entry.scratch!r}; a model without weights has none.")
            partner = self._model(entry.scratch, f"{where}.scratch")
            if partner["weights"] is not None or partner["arch"] != section["arch"]:
                raise StudyError(
                    f"params.yaml: {where}.scratch is {entry.scratch!r}; it must be of the same arch, without weights."
                )
        weights = Weights(*entry.weights) if entry.weights is not None else None
        return Model(name, entry.family, *entry.arch, weights, entry.scratch, entry.label)

    def recipe(self, dataset: str, model: str) -> Recipe:
        """The recipe of ``model`` on ``dataset``: the study's, then the dataset's keys, then the model's."""
        return Recipe.of(
            self._section("train"),
            (dataset, self._dataset(dataset)["recipe"]),
            (model, self._model(model)["recipe"]),
        )

    def check_cell(self, cell: Cell) -> None:
        """Raise StudyError where the cell's dataset or model is not declared."""
        self._dataset(cell.dataset)
        self._model(cell.model)

    def check_all(self) -> None:
        """Validate every value of params.yaml, used by the present study or not."""
        for key in self._sections:
            if key not in SECTIONS:
                raise StudyError(f"params.yaml: {key} is not a section; there are {', '.join(SECTIONS)}.")
        self.fraction()
        study = self.study()
        self.split()
        datasets, models = self._section("datasets"), self._section("models")
        for dataset in datasets:
            self.source(dataset)
        labels: dict[tuple[str, bool], str] = {}  # a report adds "scratch" or "pre-trained" to a label
        for name in models:
            model = self.model(name)
            for dataset in datasets:
                self.recipe(dataset, name)
            own = (model.label or name, model.weights is None)
            if name in study.models and labels.setdefault(own, name) != name:
                raise StudyError(
                    f"params.yaml: models.{name}.label is {model.label!r}, as that of {labels[own]}; "
                    "in a report they must differ."
                )

    def _section(self, name: str) -> Mapping[str, Any]:
        section = self._sections.get(name)
        if not isinstance(section, Mapping):
            raise StudyError(f"params.yaml: {name} is {shown(section)}; it must be a mapping.")
        return section

    def _dataset(self, name: str, where: str = "") -> Mapping[str, Any]:
        return checked(DatasetEntry, f"datasets.{name}", self._declared("datasets", name, where))

    def _model(self, name: str, where: str = "") -> Mapping[str, Any]:
        return checked(ModelEntry, f"models.{name}", self._declared("models", name, where))

    def _declared(self, section: str, name: str, where: str) -> Any:
        """What ``section`` has as ``name``; ``where`` is the key that asked for it, for the message."""
        declared = self._section(section)
        if name not in declared:
            asked = f"params.yaml: {where} names {name!r}, which" if where else f"{name!r}"
            raise StudyError(
                f"{asked} is not declared under {section} in params.yaml; there are {', '.join(map(str, declared))}."
            )
        if not NAME.fullmatch(name):
            raise StudyError(f"params.yaml: {section}.{name}: names are lower-case letters, digits and _, a letter first.")
        return declared[name]
