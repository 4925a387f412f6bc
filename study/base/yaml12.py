"""YAML as DVC reads and writes it, which is version 1.2: ``1e-05`` is a number there, to PyYAML alone it is text."""

import re
from typing import Any

import yaml


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """PyYAML's safe loader, in C where it was built with it (a lock of 64 cells takes a second otherwise)."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def load(text: str) -> Any:
    """``text`` as plain data; raises yaml.YAMLError."""
    return yaml.load(text, _Loader)
