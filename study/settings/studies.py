"""Named studies, in studies.yaml, and how one of them becomes the study of params.yaml: its section is replaced as text.

Comments and every other section stay byte for byte, and so setting the former study again brings the former file back.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.base import yaml12
from study.base.errors import StudyError
from study.settings.params import Study

FILE = Path("studies.yaml")
KEYS = ("datasets", "models", "seeds")


def named(name: str, path: Path = FILE) -> Study:
    """The study called ``name``. Raises StudyError where studies.yaml is absent or damaged, or has no such study."""
    try:
        found = yaml12.load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StudyError(f"{path} is not here; run from the project's root.") from None
    except ValueError as error:
        raise StudyError(f"{path} is not readable as YAML: {error}.") from None
    if not isinstance(found, Mapping) or name not in found:
        names = ", ".join(map(str, found)) if isinstance(found, Mapping) else "none"
        raise StudyError(f"{path} has no study {name}; there are {names}.")
    study = found[name]
    if not isinstance(study, Mapping) or set(study) != set(KEYS) or not all(isinstance(study[key], list) for key in KEYS):
        raise StudyError(f"{path}: {name} must have lists of {', '.join(KEYS)}.")
    return Study(name, *(tuple(study[key]) for key in KEYS))


def put(study: Study, text: str) -> str:
    """``text`` of params.yaml with ``study`` as its section study, in the form that DVC writes."""
    lines = text.splitlines(keepends=True)
    starts = [place for place, line in enumerate(lines) if line.rstrip() == "study:"]
    if len(starts) != 1:
        raise StudyError("params.yaml has no section study; git checkout params.yaml brings it back.")
    end = starts[0] + 1
    while end < len(lines) and lines[end].startswith((" ", "-")):
        end += 1
    return "".join([*lines[: starts[0]], *_section(study), *lines[end:]])


def _section(study: Study) -> list[str]:
    values: dict[str, tuple[Any, ...]] = {key: getattr(study, key) for key in KEYS}
    lines = ["study:\n"]
    for key, items in values.items():
        lines += [f"  {key}:\n", *(f"  - {item}\n" for item in items)]
    return [*lines, f"  name: {study.name}\n"]
