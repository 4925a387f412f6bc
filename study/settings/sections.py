"""The sections of params.yaml as classes: what a key is about, of which kind it is, and what it is where it is left out."""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from study.design import defaults
from study.settings import kinds
from study.settings.keys import about, or_null


@frozen
class Study:
    """Which cells the study has: every combination of these, at every fraction of the ladder and at the operating point."""

    name: str = field(metadata=about("Names the report, reports/<name>/.", kinds.STUDY_NAME))
    datasets: tuple[str, ...] = field(metadata=about("Keys of `datasets`, from easy to hard.", kinds.DECLARED["datasets"]))
    models: tuple[str, ...] = field(metadata=about("Keys of `models`.", kinds.DECLARED["models"]))
    seeds: tuple[int, ...] = field(
        metadata=about("Each is a split, an initialisation and an order of the data of its own.", kinds.SEEDS)
    )
    compare: tuple[str, str] = field(
        default=defaults.COMPARE,
        metadata=about(
            "The two families that H2 and H3 compare: the one that is said to be robust, then the other.", kinds.TWO_FAMILIES
        ),
    )


@frozen
class SplitSection:
    """How the official training set is divided: stratified, nested over fractions."""

    val_fraction: float = field(metadata=about("Share of the official training set that is kept for validation.", kinds.SHARE))
    rare: str = field(
        default=defaults.RARE,
        metadata=about("A class too small for its share of each part: stop, or train alone (stop if left out).", kinds.RARE),
    )


@frozen
class DatasetEntry:
    """One dataset: where it comes from, and what its recipe has of its own."""

    source: Any = field(metadata=about("The reader's name, and that reader's own options.", kinds.MAPPING))
    recipe: Any = field(metadata=about("Keys that take the place of those in `train`.", kinds.MAPPING))


@frozen
class Source:
    """Where a dataset comes from: the reader's name and that reader's own options."""

    format: str
    options: Mapping[str, Any]


@frozen
class Weights:
    """Where pre-trained weights come from, and the sha256 of the file where it is known."""

    source: str
    sha256: str | None


@frozen
class ModelEntry:
    """One model as params.yaml has it."""

    family: str = field(
        metadata=about("Free text; `study.compare` says which two families H2 and H3 compare.", kinds.READABLE_TEXT)
    )
    arch: tuple[str, Mapping[str, Any]] = field(
        metadata=about("timm's name, or a mapping of it and keyword arguments of timm.create_model.", kinds.ARCH)
    )
    weights: tuple[str, str | None] | None = field(
        metadata=about("null from scratch; else a source or a cell of this pipeline, and the file's sha256.", kinds.WEIGHTS)
    )
    recipe: Any = field(metadata=about("Keys that take the place of those in `train` and of the dataset.", kinds.MAPPING))
    scratch: str | None = field(
        metadata=about("For a pre-trained model: the model of the same arch without pre-training.", kinds.KEY_OR_NULL)
    )
    label: str | None = field(
        default=None,
        metadata=about("What reports call the model, in the place of its key.", or_null(kinds.READABLE_TEXT)),
    )


@frozen
class Model:
    """One model of the study; ``arch`` is timm's name, ``arch_options`` keyword arguments of timm.create_model."""

    name: str
    family: str
    arch: str
    arch_options: Mapping[str, Any]
    weights: Weights | None
    scratch: str | None
    label: str | None = None
