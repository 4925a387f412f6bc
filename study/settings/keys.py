"""What a key of params.yaml may be, said once: for the message that refuses a value, for the typed class that holds it, and
for the schema that editors use.

The classes are attrs', not pydantic's: download, weights, split, train and evaluate read params.yaml too, and run by hand on
machines that have attrs and not pydantic. One declaration then serves every reader, and each message stays one sentence.
"""

import reprlib
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import attrs

from study.base.errors import StudyError

Section = TypeVar("Section")


@attrs.frozen
class Kind:
    """``parse`` makes a value from the key's full name and what the file has there, or raises StudyError."""

    parse: Callable[[str, Any], Any]
    schema: Mapping[str, Any]


def kind(
    allowed: str,
    accepts: Callable[[Any], bool],
    schema: Mapping[str, Any],
    make: Callable[[Any], Any] = lambda value: value,
) -> Kind:
    """A kind of single values: ``allowed`` says in words which ones ``accepts`` accepts, ``make`` converts them."""

    def parse(where: str, value: Any) -> Any:
        if not accepts(value):
            raise StudyError(f"params.yaml: {where} is {shown(value)}; it must be {allowed}.")
        return make(value)

    return Kind(parse, schema)


def or_null(of: Kind) -> Kind:
    """``of``, or null."""
    return Kind(
        lambda where, value: None if value is None else of.parse(where, value), {"anyOf": [{"type": "null"}, of.schema]}
    )


def about(text: str, of: Kind) -> dict[str, Any]:
    """The metadata of a field of a section: what it is about, for editors, and its kind."""
    return {"about": text, "kind": of}


def names(section: type) -> tuple[str, ...]:
    """The keys of a section, in the order of its class."""
    return tuple(field.name for field in attrs.fields(section))


def checked(section: type, where: str, given: Any) -> Mapping[str, Any]:
    """``given``, a mapping of keys of ``section``, with every key that has no default. Values are not looked at."""
    optional = {field.name for field in attrs.fields(section) if field.default is not attrs.NOTHING}
    return mapping(where, given, names(section), optional)


def mapping(where: str, given: Any, keys: Collection[str], optional: Collection[str] = ()) -> Mapping[str, Any]:
    """``given``, a mapping of exactly ``keys``, of which the ``optional`` ones may be left out."""
    listed = ", ".join(keys)
    if not isinstance(given, Mapping):
        raise StudyError(f"params.yaml: {where} is {shown(given)}; it must be a mapping with the keys {listed}.")
    for key in given:
        if key not in keys:
            raise StudyError(f"params.yaml: {where}.{key} is not a key here; there are {listed}.")
    for key in keys:
        if key not in given and key not in optional:
            raise StudyError(f"params.yaml: {where}.{key} is missing.")
    return given


def read(section: type[Section], where: str, given: Any) -> Section:
    """The section called ``where``, every value of it checked."""
    given = checked(section, where, given)
    values = {
        field.name: field.metadata["kind"].parse(f"{where}.{field.name}", given[field.name])
        for field in attrs.fields(section)  # type: ignore[arg-type]
        if field.name in given
    }
    return section(**values)


def shown(value: Any) -> str:
    """``value`` as it may stand in a sentence: cut where it is long."""
    return _SHOWN.repr(value)


_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 80
_SHOWN.maxlong = 40
_SHOWN.maxlist = _SHOWN.maxdict = 8
