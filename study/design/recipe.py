"""The recipe of a training: every number that, with data, weights and seed, determines its result."""

import sys
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from study.base.errors import StudyError

CHOICES = {
    "optimizer": ("adam", "adamw", "sgd"),
    "augmentation": ("none", "flip_crop"),
    "precision": ("bf16", "fp32"),
    "budget": ("epochs", "steps"),
    "trained": ("all", "head"),
}
# The least value of a whole number; batch normalisation has no statistics over a single image.
WHOLE = {"image_size": 1, "epochs": 1, "batch_size": 2, "warmup_epochs": 0}


@dataclass(frozen=True)
class Recipe:
    """How one cell is trained. The keys are those of the section ``train`` in params.yaml, described there."""

    image_size: int
    epochs: int
    batch_size: int
    learning_rate: float
    betas: tuple[float, float]
    eps: float
    weight_decay: float
    augmentation: str
    precision: str
    budget: str = "epochs"
    optimizer: str = "adam"
    warmup_epochs: int = 0
    momentum: float = 0.9
    clip_norm: float | None = None
    label_smoothing: float = 0.0
    trained: str = "all"

    @classmethod
    def of(cls, study: Any, dataset: tuple[str, Any], model: tuple[str, Any]) -> "Recipe":
        """The recipe of a cell: the keys of ``train``, then those of its dataset, then those of its model; the last one wins.

        ``dataset`` and ``model`` are the name and the mapping of keys. Raises StudyError as ``merge`` does.
        """
        return cls.merge(
            ("train", study), (f"datasets.{dataset[0]}.recipe", dataset[1]), (f"models.{model[0]}.recipe", model[1])
        )

    @classmethod
    def merge(cls, *layers: tuple[str, Mapping[str, Any]]) -> "Recipe":
        """The recipe of ``layers``, each a name for messages (``train``) and its keys; later layers win.

        Raises StudyError for a key that is unknown or, after all layers, absent, and for a value out of range.
        """
        known = [field.name for field in fields(cls)]
        values: dict[str, Any] = {}
        for where, layer in layers:
            if not isinstance(layer, Mapping):
                raise StudyError(f"params.yaml: {where} is {layer!r}; it must be a mapping of recipe keys, {{}} for none.")
            for key, value in layer.items():
                if key not in known:
                    raise StudyError(f"params.yaml: {where}.{key} is not a recipe key; there are {', '.join(known)}.")
                values[key] = _checked(f"{where}.{key}", key, value)
        for field in fields(cls):
            if field.name not in values and field.default is MISSING:
                raise StudyError(f"params.yaml: {layers[0][0]}.{field.name} is missing.")
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """The recipe as plain data for JSON."""
        return asdict(self)


def _checked(where: str, key: str, value: Any) -> Any:
    """``value`` in the type of recipe key ``key``, or StudyError that names it and what is allowed."""
    if key in CHOICES:
        if value in CHOICES[key]:
            return value
        allowed = " or ".join(CHOICES[key])
    elif key in WHOLE:
        if type(value) is int and value >= WHOLE[key]:
            return value
        allowed = f"a whole number from {WHOLE[key]}"
    elif key == "betas":
        if isinstance(value, list | tuple) and len(value) == 2 and all(is_number(b) and 0 <= b < 1 for b in value):
            return (float(value[0]), float(value[1]))
        allowed = "a list of two numbers from 0 and below 1"
    elif key == "clip_norm" and value is None:
        return None
    elif key in ("momentum", "label_smoothing"):
        if is_number(value) and 0 <= value < 1:
            return float(value)
        allowed = "a number from 0 and below 1"
    elif key == "weight_decay":
        if is_number(value) and value >= 0:
            return float(value)
        allowed = "a number from 0"
    else:
        if is_number(value) and value > 0:
            return float(value)
        allowed = "a number above 0" + (", or null for none" if key == "clip_norm" else "")
    raise StudyError(f"params.yaml: {where} is {value!r}; it must be {allowed}.")


def is_number(value: Any) -> bool:
    """Whether ``value`` is a finite int or float; True and False are not numbers here."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
