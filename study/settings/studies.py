"""Named studies, in studies.yaml, and how one of them becomes the study of params.yaml: its section is replaced as text.

Comments and every other section stay byte for byte, and so setting the former study again brings the former file back.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from study.base import yaml12
from study.base.errors import StudyError, one_line
from study.design import defaults
from study.settings import keys, plain
from study.settings.sections import Study

FILE = Path("studies.yaml")
ORDER = ("datasets", "models", "seeds", "compare", "name")  # of keys in params.yaml
RESERVED = ("show", "back")  # words of tools.study
KEY = re.compile(r"\s+([a-z_]+)\s*:")


def every(path: Path = FILE) -> dict[str, Study]:
    """All named studies. Raises StudyError where studies.yaml is absent or damaged."""
    found = plain.load(path, "studies")
    if wrong := [name for name in found if name in RESERVED]:
        raise StudyError(f"{path} has a study {wrong[0]}, which is a word of tools.study; give it another name.")
    return {name: _study(path, name, section) for name, section in found.items()}


def named(name: str, path: Path = FILE) -> Study:
    """The study called ``name``. Raises StudyError where there is none."""
    found = every(path)
    if name not in found:
        raise StudyError(f"{path} has no study {name}; there are {', '.join(found)}.")
    return found[name]


def put(study: Study, text: str) -> str:
    """``text`` of params.yaml with ``study`` as its section study, as DVC writes it. Raises StudyError as ``cut`` does."""
    before, section, after = cut(text)
    comments = _comments(section)
    written = ["study:\n"]
    for key in ORDER:
        value = getattr(study, key)
        if key == "compare" and value == defaults.COMPARE:
            continue
        written += comments.pop(key, [])
        written += [f"  {key}: {value}\n"] if key == "name" else [f"  {key}:\n", *(f"  - {_written(item)}\n" for item in value)]
    written += [line for lines in comments.values() for line in lines]
    return joined(text, before, "".join(written), after)


def _written(item: Any) -> str:
    """As DVC writes it: in quotes where YAML would take text for something else. None of our names has quotes in it."""
    try:
        plain_text = yaml12.load(f"- {item}\n") == [item]
    except yaml.YAMLError:
        plain_text = False
    return str(item) if plain_text else f"'{item}'"


def cut(text: str) -> tuple[str, str, str]:
    """``text`` of params.yaml before its section study, that section, and what follows; line ends are as in ``text``.

    Raises StudyError where it has no such section.
    """
    lines = text.splitlines(keepends=True)
    starts = [place for place, line in enumerate(lines) if re.match(r"study\s*:", line)]
    if len(starts) != 1:
        raise StudyError("params.yaml has no line `study:` that begins a section; git checkout params.yaml brings it back.")
    end = last = starts[0] + 1
    while last < len(lines) and (lines[last][0] in " -#\r\n"):
        last += 1
        if lines[last - 1][0] in " -" and lines[last - 1].strip():
            end = last
    return "".join(lines[: starts[0]]), "".join(lines[starts[0] : end]), "".join(lines[end:])


def joined(text: str, before: str, section: str, after: str) -> str:
    """``text`` with another ``section`` study. Raises StudyError where any other section would change by that."""
    if "\r\n" in text and "\r\n" not in section:
        section = section.replace("\n", "\r\n")
    result = before + section + after
    if _others(text) != _others(result):
        raise StudyError(
            "params.yaml: the section study cannot be replaced alone; write it as DVC does, a key a line, as in git's version."
        )
    return result


def _others(text: str) -> Any:
    """Every section but study."""
    try:
        found = yaml12.load(text)
    except yaml.YAMLError as error:
        raise StudyError(f"params.yaml is not readable as YAML: {one_line(error)}.") from None
    return {key: value for key, value in found.items() if key != "study"} if isinstance(found, Mapping) else None


def _study(path: Path, name: Any, section: Any) -> Study:
    given = {**section, "name": name} if isinstance(section, Mapping) else section
    try:
        return keys.read(Study, str(name), given)
    except StudyError as error:
        raise StudyError(str(error).replace("params.yaml", str(path), 1)) from None


def _comments(section: str) -> dict[str, list[str]]:
    """The lines of ``section`` that are comments, by the key that they stand above; those below the last key under ''."""
    found: dict[str, list[str]] = {}
    waiting: list[str] = []
    for line in section.replace("\r\n", "\n").splitlines(keepends=True):
        if line.lstrip().startswith("#"):
            waiting.append(line)
        elif waiting and (key := KEY.match(line)):
            found[key[1]], waiting = waiting, []
    return found | ({"": waiting} if waiting else {})
