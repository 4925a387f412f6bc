"""The recipe of a training: every number that, with data, weights and seed, determines its result."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from study.base.errors import StudyError

AUGMENTATIONS = ("none", "flip_crop")
PRECISIONS = ("bf16", "fp32")


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
        for key in known:
            if key not in values:
                raise StudyError(f"params.yaml: {layers[0][0]}.{key} is missing.")
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """The recipe as plain data for JSON."""
        return asdict(self)


def _checked(where: str, key: str, value: Any) -> Any:
    """``value`` in the type of recipe key ``key``, or StudyError that names it and what is allowed."""
    if key in ("image_size", "epochs", "batch_size"):
        least = 2 if key == "batch_size" else 1  # batch normalisation has no statistics over a single image
        if type(value) is int and value >= least:
            return value
        allowed = f"a whole number from {least}"
    elif key in ("learning_rate", "eps"):
        if is_number(value) and value > 0:
            return float(value)
        allowed = "a number above 0"
    elif key == "weight_decay":
        if is_number(value) and value >= 0:
            return float(value)
        allowed = "a number from 0"
    elif key == "betas":
        if isinstance(value, list | tuple) and len(value) == 2 and all(is_number(b) and 0 <= b < 1 for b in value):
            return (float(value[0]), float(value[1]))
        allowed = "a list of two numbers from 0 and below 1"
    else:
        choices = AUGMENTATIONS if key == "augmentation" else PRECISIONS
        if value in choices:
            return value
        allowed = " or ".join(choices)
    raise StudyError(f"params.yaml: {where} is {value!r}; it must be {allowed}.")


def is_number(value: Any) -> bool:
    """Whether ``value`` is a finite int or float; True and False are not numbers here."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value - value == 0
