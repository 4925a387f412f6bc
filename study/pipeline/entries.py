"""dvc.lock as text, entry by entry: parsing the whole of it takes longer than all else that a command does with it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from study.base import yaml12
from study.base.errors import StudyError

HEAD = "schema: '2.0'\nstages:\n"
ENTRY = re.compile(r"  ([\w.@-]+):\n(?:    .*\n)+")


def split(text: str) -> dict[str, str] | None:
    """The text of each stage's entry; None where dvc.lock is not laid out as DVC does it: it was edited, or is torn."""
    found = {entry[1]: entry[0] for entry in ENTRY.finditer(text, len(HEAD))}
    return found if HEAD + "".join(found.values()) == text else None


class Parsed(Mapping[str, Any]):
    """The entries of ``split`` by name, each parsed when it is asked for; StudyError then where it is no YAML."""

    def __init__(self, texts: Mapping[str, str]):
        self._texts = texts
        self._parsed: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._parsed:
            try:
                self._parsed[name] = yaml12.load_lock(HEAD + self._texts[name])["stages"][name]
            except yaml.YAMLError:
                raise StudyError(f"dvc.lock cannot be read at {name}; mend it, or git checkout HEAD dvc.lock.") from None
        return self._parsed[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)
