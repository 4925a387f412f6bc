"""params.yaml and studies.yaml hold plain data: mappings with names as keys, lists, text, numbers, true, false and null.

A number too large for any key, a date, a list inside itself or a thousand copies of one list through YAML's references are
refused when the file is read, in a sentence that says where they stand.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from study.base import yaml12
from study.base.errors import StudyError, one_line

WHOLE = 2**63  # whole numbers stay below it, as in JSON and in every library
TEXT = 4000  # characters
NAME = 200  # characters of a key
VALUES = 50_000  # in the whole file, counted as often as they are referred to


def load(path: Path, entries: str) -> Mapping[str, Any]:
    """The mapping of ``entries`` in the YAML file ``path``. Raises StudyError where it is absent, or not plain data."""
    if path.exists() and not path.is_file():
        raise StudyError(f"{path} is no file; git checkout {path} brings it back.")
    try:
        found = yaml12.load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StudyError(f"{path} is not here; run from the project's root.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StudyError(f"{path} is not readable as YAML: {one_line(error)}.") from None
    if not isinstance(found, Mapping):
        raise StudyError(f"{path} must be a YAML mapping of {entries}; git checkout {path} brings it back.")
    check(found, str(path))
    return found


def check(sections: Mapping[Any, Any], path: str) -> None:
    """Raise StudyError at the first thing in ``sections`` that is not plain. ``path`` names the file in the message."""
    if _size(sections, path, "", {}, ()) > VALUES:
        raise StudyError(f"{path} refers to its own parts until it has more than {VALUES} values; write each where it belongs.")


def _size(value: Any, path: str, where: str, known: dict[int, int], above: tuple[int, ...]) -> int:
    """How many values ``value`` has, itself among them; ``known`` holds those of lists and mappings seen before."""
    if isinstance(value, Mapping | list):
        if id(value) in above:
            raise StudyError(f"{path}: {where} refers to itself; write out what it shall hold.")
        if id(value) not in known:
            inside = 1
            for key, item in _items(value):
                if not isinstance(key, str) and isinstance(value, Mapping):
                    raise StudyError(f"{path}: {where or 'the file'} has the key {str(key)[:40]}; keys are names, in letters.")
                if isinstance(key, str) and len(key) > NAME:
                    raise StudyError(f"{path}: {where or 'the file'} has a key of {len(key)} characters; shorten it.")
                inside += _size(item, path, f"{where}.{key}".lstrip("."), known, (*above, id(value)))
            known[id(value)] = inside
        return known[id(value)]
    if isinstance(value, str):
        problem = f"text of {len(value)} characters" if len(value) > TEXT else None
    elif isinstance(value, bool | float | None):
        problem = None
    elif isinstance(value, int):
        # Python writes out no number of more than 4,300 digits, and YAML's hexadecimal numbers may have more.
        digits = len(str(abs(value))) if value.bit_length() < 10_000 else "thousands of"
        problem = f"a whole number of {digits} digits" if abs(value) >= WHOLE else None
    else:
        problem = {"date": "a date", "datetime": "a date", "bytes": "binary data"}.get(type(value).__name__, "no plain value")
    if problem:
        way_out = "shorten it" if isinstance(value, str) else "quotes make text of it"
        raise StudyError(f"{path}: {where} is {problem}, which no key takes; {way_out}.")
    return 1


def _items(value: Any) -> Any:
    return value.items() if isinstance(value, Mapping) else enumerate(value)
