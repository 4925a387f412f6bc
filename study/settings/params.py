"""params.yaml, read and validated: each stage asks for what it uses, aggregate and the tests for everything.

A value of a section that a stage does not use never stops that stage; ``Params.check_all`` looks at all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from study.base import yaml12
from study.base.errors import StudyError, one_line
from study.design.cells import NAME, Cell
from study.design.recipe import Recipe, is_number
from study.settings import options as source_options

FAMILIES = ("cnn", "vit")
CELL = "cell:"  # a source of weights that is a cell of this pipeline, as cards and messages name it
RESERVED = ("published", "measured")
OURS = ("pretrained", "num_classes", "checkpoint_path")  # arguments of timm.create_model that the study gives itself


@dataclass(frozen=True)
class Study:
    """Which cells the study has: every combination of these, at every fraction."""

    name: str
    datasets: tuple[str, ...]
    models: tuple[str, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Split:
    """How the official training set is divided."""

    val_fraction: float


@dataclass(frozen=True)
class Source:
    """Where a dataset comes from: the reader's name and that reader's own options."""

    format: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Weights:
    """Where pre-trained weights come from, and the sha256 of the file where it is known."""

    source: str
    sha256: str | None


@dataclass(frozen=True)
class Model:
    """One model of the study; ``arch`` is timm's name, ``arch_options`` keyword arguments of timm.create_model."""

    name: str
    family: str
    arch: str
    arch_options: Mapping[str, Any]
    weights: Weights | None
    scratch: str | None


class Params:
    """The sections of params.yaml; every accessor validates what it returns and raises StudyError."""

    def __init__(self, sections: Mapping[str, Any]):
        self._sections = sections

    @classmethod
    def load(cls, path: Path = Path("params.yaml")) -> "Params":
        """Read ``path``; StudyError where it is absent or not a YAML mapping."""
        try:
            sections = yaml12.load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise StudyError(f"{path} is not here; run from the project's root.") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise StudyError(f"{path} is not readable as YAML: {one_line(error)}.") from None
        if not isinstance(sections, Mapping):
            raise StudyError(f"{path} must be a YAML mapping of sections; git checkout {path} brings it back.")
        return cls(sections)

    def fraction(self) -> float:
        """The operating point, in (0, 1]."""
        value = self._sections.get("fraction")
        if not isinstance(value, float) or not 0.0 < value <= 1.0:
            hint = " (write 1.0: 1 would name other cells)" if value == 1 else ""
            raise StudyError(f"params.yaml: fraction is {value!r}; it must be a decimal above 0 and up to 1.0{hint}.")
        return value

    def study(self) -> Study:
        """The section ``study``; datasets and models are checked to be declared."""
        section = _section(self._sections, "study", ("name", "datasets", "models", "seeds"))
        name = section["name"]
        if not isinstance(name, str) or not NAME.fullmatch(name) or name in RESERVED:
            raise StudyError(
                f"params.yaml: study.name is {name!r}; it must be lower-case letters, digits and _, a letter first, "
                f"and neither {' nor '.join(RESERVED)}, whose reports are made otherwise."
            )
        return Study(
            name=name,
            datasets=self._declared(section, "datasets"),
            models=self._declared(section, "models"),
            seeds=_distinct("study.seeds", section["seeds"], _is_seed, "whole numbers from 0, below 2**32"),
        )

    def split(self) -> Split:
        """The section ``split``."""
        value = _section(self._sections, "split", ("val_fraction",))["val_fraction"]
        if not is_number(value) or not 0 < value < 1:
            raise StudyError(f"params.yaml: split.val_fraction is {value!r}; it must be a number above 0 and below 1.")
        return Split(float(value))

    def source(self, dataset: str) -> Source:
        """Where ``dataset`` comes from; options are checked as its format wants them."""
        source = self._dataset(dataset)["source"]
        where = f"datasets.{dataset}.source"
        if not isinstance(source, Mapping) or not isinstance(source.get("format"), str):
            raise StudyError(f"params.yaml: {where} is {source!r}; it must be a mapping with the key format.")
        described = Source(source["format"], {key: value for key, value in source.items() if key != "format"})
        source_options.check(described.format, described.options, where)
        return described

    def model(self, name: str) -> Model:
        """The model declared as ``name``."""
        section = self._model(name)
        where = f"models.{name}"
        if section["family"] not in FAMILIES:
            raise StudyError(f"params.yaml: {where}.family is {section['family']!r}; it must be {' or '.join(FAMILIES)}.")
        arch, options = _arch(f"{where}.arch", section["arch"])
        weights = _weights(f"{where}.weights", section["weights"])
        scratch = section["scratch"]
        if scratch is not None:
            if weights is None:
                raise StudyError(f"params.yaml: {where}.scratch is {scratch!r}; a model without weights has none.")
            partner = self._model(scratch, f"{where}.scratch")
            if partner["weights"] is not None or partner["arch"] != section["arch"]:
                raise StudyError(f"params.yaml: {where}.scratch is {scratch!r}; it must be of the same arch, without weights.")
        return Model(name, section["family"], arch, options, weights, scratch)

    def recipe(self, dataset: str, model: str) -> Recipe:
        """The recipe of ``model`` on ``dataset``: the study's, then the dataset's keys, then the model's."""
        return Recipe.of(
            _section(self._sections, "train"),
            (dataset, self._dataset(dataset)["recipe"]),
            (model, self._model(model)["recipe"]),
        )

    def check_cell(self, cell: Cell) -> None:
        """Raise StudyError where the cell's dataset or model is not declared."""
        self._dataset(cell.dataset)
        self._model(cell.model)

    def check_all(self) -> None:
        """Validate every value of params.yaml, used by the present study or not."""
        sections = ("fraction", "study", "split", "train", "datasets", "models")
        for key in self._sections:
            if key not in sections:
                raise StudyError(f"params.yaml: {key} is not a section; there are {', '.join(sections)}.")
        self.fraction()
        self.study()
        self.split()
        datasets, models = self._sections["datasets"], self._sections["models"]
        for dataset in datasets:
            self.source(dataset)
        for model in models:
            self.model(model)
            for dataset in datasets:
                self.recipe(dataset, model)

    def _dataset(self, name: str, where: str = "") -> Mapping[str, Any]:
        return _entry(self._sections, "datasets", name, ("source", "recipe"), where)

    def _model(self, name: str, where: str = "") -> Mapping[str, Any]:
        return _entry(self._sections, "models", name, ("family", "arch", "weights", "recipe", "scratch"), where)

    def _declared(self, study: Mapping[str, Any], axis: str) -> tuple[str, ...]:
        names = _distinct(f"study.{axis}", study[axis], lambda name: isinstance(name, str), f"names declared under {axis}")
        for name in names:
            (self._dataset if axis == "datasets" else self._model)(name, f"study.{axis}")
        return names


def _section(sections: Mapping[str, Any], name: str, keys: tuple[str, ...] | None = None) -> Mapping[str, Any]:
    """Section ``name``, a mapping of exactly ``keys`` where they are given."""
    section = sections.get(name)
    if not isinstance(section, Mapping):
        raise StudyError(f"params.yaml: {name} is {section!r}; it must be a mapping.")
    return section if keys is None else _exactly(name, section, keys)


def _entry(sections: Mapping[str, Any], kind: str, name: Any, keys: tuple[str, ...], where: str) -> Mapping[str, Any]:
    """The declaration of dataset or model ``name``; ``where`` is the key that asked for it, for the message."""
    declared = _section(sections, kind)
    if name not in declared:
        asked = f"params.yaml: {where} names {name!r}, which" if where else f"{name!r}"
        raise StudyError(f"{asked} is not declared under {kind} in params.yaml; there are {', '.join(map(str, declared))}.")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise StudyError(f"params.yaml: {kind}.{name}: names are lower-case letters, digits and _, a letter first.")
    return _exactly(f"{kind}.{name}", declared[name], keys)


def _exactly(where: str, section: Any, keys: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(section, Mapping):
        raise StudyError(f"params.yaml: {where} is {section!r}; it must be a mapping with the keys {', '.join(keys)}.")
    for key in section:
        if key not in keys:
            raise StudyError(f"params.yaml: {where}.{key} is not a key here; there are {', '.join(keys)}.")
    for key in keys:
        if key not in section:
            raise StudyError(f"params.yaml: {where}.{key} is missing.")
    return section


def _distinct(where: str, values: Any, accepts: Any, allowed: str) -> tuple[Any, ...]:
    """``values`` as a tuple: a list that is not empty, without repeats, every item accepted."""
    if not isinstance(values, list) or not values or not all(map(accepts, values)) or len(set(values)) < len(values):
        raise StudyError(f"params.yaml: {where} is {values!r}; it must be a list of different {allowed}.")
    return tuple(values)


def _is_seed(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**32


def _arch(where: str, arch: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(arch, str):
        return arch, {}
    if isinstance(arch, Mapping) and isinstance(arch.get("name"), str):
        for key in OURS:
            if key in arch:
                raise StudyError(
                    f"params.yaml: {where}.{key} is given by the study itself (from data and weights); leave it out."
                )
        return arch["name"], {key: value for key, value in arch.items() if key != "name"}
    raise StudyError(f"params.yaml: {where} is {arch!r}; it must be a timm model name, or a mapping with the key name.")


def _weights(where: str, weights: Any) -> Weights | None:
    if weights is None:
        return None
    given = "cell" if isinstance(weights, Mapping) and "cell" in weights else "source"
    weights = _exactly(where, weights, (given, "sha256"))
    source, sha256 = weights[given], weights["sha256"]
    if not isinstance(source, str) or not source:
        allowed = "the name of a cell" if given == "cell" else "hf-hub:owner/name, a URL, a file or a folder"
        raise StudyError(f"params.yaml: {where}.{given} is {source!r}; it must be {allowed}.")
    if given == "cell":
        source = f"{CELL}{Cell.parse(source)}"
    if sha256 is not None and not (isinstance(sha256, str) and len(sha256) == 64 and set(sha256) <= set("0123456789abcdef")):
        raise StudyError(f"params.yaml: {where}.sha256 is {sha256!r}; it must be 64 lower-case hexadecimal digits, or null.")
    return Weights(source, sha256)
