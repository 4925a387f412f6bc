"""The JSON schema of params.yaml, made from the classes that read it: editors complete keys and mark wrong values with it.

It says what can be said of a value alone. That names are declared, or that a scratch partner has the same arch, is for the
code to say.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import attrs

from study.design.cells import NAME
from study.design.recipe import CHOICES, WHOLE, Recipe
from study.settings import kinds
from study.settings.sections import DatasetEntry, ModelEntry, SplitSection, Study
from study.settings.sources import FORMATS, REQUIRED, Option

FILE = Path("params.schema.json")
BELOW_1 = {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
ABOVE_0 = {"type": "number", "exclusiveMinimum": 0}
NUMBERS: Mapping[str, Mapping[str, Any]] = {  # recipe keys that are neither choices nor whole numbers, nor numbers above 0
    "betas": {"type": "array", "items": BELOW_1, "minItems": 2, "maxItems": 2},
    "clip_norm": {"anyOf": [{"type": "null"}, ABOVE_0]},
    "momentum": BELOW_1,
    "label_smoothing": BELOW_1,
    "weight_decay": {"type": "number", "minimum": 0},
}


def text() -> str:
    """The schema as the file has it."""
    return json.dumps(schema(), indent=1) + "\n"


def schema() -> dict[str, Any]:
    """The schema of the whole file."""
    dataset = _section(DatasetEntry, source=_source(), recipe=_recipe(whole=False))
    model = _section(ModelEntry, recipe=_recipe(whole=False))
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "params.yaml: the study in numbers",
        **_object(
            {
                "fraction": {"description": "The train fraction at which dvc metrics reports.", **kinds.FRACTION.schema},
                "study": _section(Study),
                "split": _section(SplitSection),
                "train": _recipe(whole=True),
                "datasets": _declarations(dataset),
                "models": _declarations(model),
            }
        ),
    }


def _object(properties: Mapping[str, Any], optional: tuple[str, ...] = (), about: str | None = None) -> dict[str, Any]:
    return {
        **({"description": about} if about else {}),
        "type": "object",
        "properties": dict(properties),
        "required": [key for key in properties if key not in optional],
        "additionalProperties": False,
    }


def _section(section: type, **nested: Mapping[str, Any]) -> dict[str, Any]:
    """A class of study.settings.sections; ``nested`` has the schemas of keys that are mappings of their own."""
    found = attrs.fields(section)
    properties = {
        field.name: {"description": field.metadata["about"], **nested.get(field.name, field.metadata["kind"].schema)}
        for field in found
    }
    optional = tuple(field.name for field in found if field.default is not attrs.NOTHING)
    return _object(properties, optional, (section.__doc__ or "").partition("\n")[0])


def _declarations(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping of names to ``entry``."""
    return {"type": "object", "patternProperties": {f"^{NAME.pattern}$": dict(entry)}, "additionalProperties": False}


def _recipe(whole: bool) -> dict[str, Any]:
    """The recipe: the ``whole`` one of `train`, or the keys that take the place of some."""
    properties = {field.name: _recipe_key(field.name) for field in fields(Recipe)}
    optional = tuple(field.name for field in fields(Recipe) if field.default is not MISSING or not whole)
    return _object(properties, optional)


def _recipe_key(key: str) -> dict[str, Any]:
    if key in CHOICES:
        return {"enum": list(CHOICES[key])}
    if key in WHOLE:
        return {"type": "integer", "minimum": WHOLE[key]}
    return dict(NUMBERS.get(key, ABOVE_0))


def _source() -> dict[str, Any]:
    """One schema for each format; the format alone decides which of them holds."""
    return {
        "type": "object",
        "required": ["format"],
        "properties": {"format": {"enum": list(FORMATS)}},
        "allOf": [
            {"if": {"properties": {"format": {"const": form}}, "required": ["format"]}, "then": _format(form, options)}
            for form, options in FORMATS.items()
        ],
    }


def _format(form: str, options: Mapping[str, Option]) -> dict[str, Any]:
    optional = tuple(key for key, option in options.items() if option.default is not REQUIRED)
    return _object({"format": {"const": form}, **{key: _option(option) for key, option in options.items()}}, optional)


def _option(option: Option) -> dict[str, Any]:
    if option.default is REQUIRED:
        return {"description": option.allowed, **option.schema}
    return {
        "description": f"{option.allowed} ({option.default or 'none'} if left out)",
        "anyOf": [{"type": "null"}, option.schema],
    }
