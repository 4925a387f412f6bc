"""The kinds of values that params.yaml has, each with the words of its message and its JSON schema."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from study.base.errors import StudyError
from study.design.cells import NAME, Cell
from study.design.recipe import is_number
from study.settings.keys import Kind, kind, mapping, or_null, shown

RESERVED = ("published", "measured")  # reports that aggregate makes of something else than the study's cells
OURS = ("pretrained", "num_classes", "checkpoint_path")  # arguments of timm.create_model that the study gives itself
CELL = "cell:"  # a source of weights that is a cell of this pipeline, as cards and messages name it
DIGEST = r"[0-9a-f]{64}"
# Letters of any alphabet; nothing that Markdown, HTML or matplotlib would take for markup. In JSON's schema \w is ASCII alone.
READABLE = r"[^\W_][\w .,:+/()-]{0,59}"
_READABLE = {"type": "string", "minLength": 1, "maxLength": 60, "not": {"pattern": r"[^\w .,:+/()\u00a0-\uffff-]"}}
MAPPING = Kind(lambda where, value: value, {"type": "object"})  # whoever uses it checks it


def _list(allowed: str, accepts: Callable[[Any], bool], item: Mapping[str, Any]) -> Kind:
    """A list that is not empty, of different items."""

    def fits(values: Any) -> bool:
        return isinstance(values, list) and bool(values) and all(map(accepts, values)) and len(set(values)) == len(values)

    return kind(f"a list of {allowed}", fits, {"type": "array", "items": item, "uniqueItems": True, "minItems": 1}, tuple)


def _readable(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(READABLE, value) is not None and value == value.strip()


def _text(allowed: str) -> Kind:
    return kind(allowed, lambda value: isinstance(value, str) and bool(value.strip()) and value.isprintable(), _TEXT)


_TEXT = {"type": "string", "minLength": 1}
SHARE = kind(
    "a number above 0 and below 1",
    lambda value: is_number(value) and 0 < value < 1,
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    float,
)
RARE = kind("stop or train", lambda value: value in ("stop", "train"), {"enum": ["stop", "train"]})
STUDY_NAME = kind(
    f"lower-case letters, digits and _, a letter first, and neither {' nor '.join(RESERVED)}, whose reports are made otherwise",
    lambda value: isinstance(value, str) and NAME.fullmatch(value) is not None and value not in RESERVED,
    {"type": "string", "pattern": f"^{NAME.pattern}$", "not": {"enum": list(RESERVED)}},
)
SEEDS = _list(
    "different whole numbers from 0, below 2**32",
    lambda value: type(value) is int and 0 <= value < 2**32,
    {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
)
DECLARED = {
    axis: _list(f"different names declared under {axis}", lambda value: isinstance(value, str), {"type": "string"})
    for axis in ("datasets", "models")
}
READABLE_TEXT = kind(
    "text of up to 60 letters, digits, spaces and . , : + / ( ) - _, a letter or digit first", _readable, _READABLE
)
TWO_FAMILIES = kind(
    "a list of two different families",
    lambda value: isinstance(value, list) and len(value) == 2 and all(map(_readable, value)) and value[0] != value[1],
    {"type": "array", "items": _READABLE, "uniqueItems": True, "minItems": 2, "maxItems": 2},
    tuple,
)
KEY_OR_NULL = or_null(_text("the key of a model, or null"))


def fraction(where: str, value: Any) -> float:
    """The operating point, in (0, 1]."""
    if not isinstance(value, float) or not 0.0 < value <= 1.0:
        hint = " (write 1.0: 1 would name other cells)" if value == 1 else ""
        raise StudyError(f"params.yaml: {where} is {shown(value)}; it must be a decimal above 0 and up to 1.0{hint}.")
    return named(f"params.yaml: {where}", value)


def named(where: str, value: float) -> float:
    """A fraction whose decimals can stand in the name of a cell, whose parts are separated by dashes."""
    if "e" in str(value):
        raise StudyError(f"{where} is {value}; it must be 0.0001 or more, since names of cells have no exponents.")
    return value


def arch(where: str, value: Any) -> tuple[str, Mapping[str, Any]]:
    """timm's name of an architecture, and the arguments of timm.create_model that stand beside it."""
    if isinstance(value, str) and value:
        return value, {}
    if isinstance(value, Mapping) and isinstance(value.get("name"), str) and value["name"]:
        for key in OURS:
            if key in value:
                raise StudyError(
                    f"params.yaml: {where}.{key} is given by the study itself (from data and weights); leave it out."
                )
        return value["name"], {key: option for key, option in value.items() if key != "name"}
    raise StudyError(f"params.yaml: {where} is {shown(value)}; it must be a timm model name, or a mapping with the key name.")


def weights(where: str, value: Any) -> tuple[str, str | None] | None:
    """Where pre-trained weights come from, and the sha256 of their file; None for a model from scratch."""
    if value is None:
        return None
    given = "cell" if isinstance(value, Mapping) and "cell" in value else "source"
    found = mapping(where, value, (given, "sha256"), ("sha256",))
    allowed = "the name of a cell" if given == "cell" else "hf-hub:owner/name, a URL, a file or a folder"
    source = _text(allowed).parse(f"{where}.{given}", found[given])
    if given == "cell":
        try:
            source = f"{CELL}{Cell.parse(source)}"
        except StudyError as error:
            raise StudyError(f"params.yaml: {where}.cell: {error}") from None
    return source, SHA256.parse(f"{where}.sha256", found.get("sha256"))


SHA256 = or_null(
    kind(
        "64 lower-case hexadecimal digits, or null",
        lambda value: isinstance(value, str) and re.fullmatch(DIGEST, value) is not None,
        {"type": "string", "pattern": f"^{DIGEST}$"},
    )
)
FRACTION = Kind(fraction, {"type": "number", "minimum": 0.0001, "maximum": 1})
ARCH = Kind(
    arch,
    {
        "anyOf": [
            _TEXT,
            {"type": "object", "properties": {"name": _TEXT, **dict.fromkeys(OURS, False)}, "required": ["name"]},
        ]
    },
)
WEIGHTS = Kind(
    weights,
    {
        "anyOf": [
            {"type": "null"},
            *(
                {
                    "type": "object",
                    "properties": {given: _TEXT, "sha256": SHA256.schema},
                    "required": [given],
                    "additionalProperties": False,
                }
                for given in ("source", "cell")
            ),
        ]
    },
)
