"""The keys of a dataset's `source` in params.yaml, format by format: what each may be, and what it is where it is left out.

The readers themselves are study/data's (formats.py there). What is left out decides the result too: download depends on this
file.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from study.base.errors import StudyError
from study.settings.keys import shown
from study.settings.sections import Source

REQUIRED = object()  # in the place of a default


@frozen
class Option:
    """One key: ``accepts`` tells whether a value is allowed; ``allowed`` and ``schema`` say what is, to people and editors."""

    accepts: Callable[[Any], bool]
    allowed: str
    schema: Mapping[str, Any] = field(factory=dict)
    default: Any = REQUIRED


def check(source: Source, where: str) -> dict[str, Any]:
    """The options of ``source``, with defaults filled in; ``where`` is its key in params.yaml, for the message.

    Raises StudyError where the format is unknown, or an option is unknown, missing or of another kind.
    """
    if source.format not in FORMATS:
        formats = ", ".join(FORMATS)
        raise StudyError(f"params.yaml: {where}.format is {shown(source.format)}; it must be one of {formats}.")
    options = FORMATS[source.format]
    for key in source.options:
        if key not in options:
            allowed = ", ".join(("format", *options))
            raise StudyError(f"params.yaml: {where}.{key} is not a key of format {source.format}; there are {allowed}.")
    values = {}
    for key, option in options.items():
        value = source.options.get(key)
        if value is None and option.default is not REQUIRED:
            values[key] = option.default
        elif option.accepts(value):
            values[key] = value
        else:
            needed = f"format {source.format} needs {option.allowed} there"
            raise StudyError(f"params.yaml: {where}.{key} is {shown(value)}; {needed}.")
    return values


def is_url(value: Any) -> bool:
    """Whether ``value`` is text that begins as an http or https URL."""
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _text(allowed: str, default: Any = REQUIRED) -> Option:
    return Option(
        lambda value: isinstance(value, str) and bool(value.strip()), allowed, {"type": "string", "pattern": r"\S"}, default
    )


def _column(default: Any = REQUIRED) -> Option:
    return _text("the name of one column (an image has one label: several are another task)", default)


def _one_of(*values: str, default: Any = REQUIRED) -> Option:
    return Option(lambda value: value in values, " or ".join(values), {"enum": list(values)}, default)


def _digest(length: int) -> Option:
    pattern = f"[0-9a-f]{{{length}}}"
    return Option(
        lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None,
        f"{length} lower-case hexadecimal digits",
        {"type": "string", "pattern": f"^{pattern}$"},
        None,
    )


_URL = Option(is_url, "an http or https URL", {"type": "string", "pattern": "^https?://"})
_LOCAL = "a path (absolute, in the project or under DATASETS_DIR)"
_SHARE = Option(
    lambda value: isinstance(value, float) and 0 < value < 1,
    "the share of images for testing, above 0 and below 1",
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    None,
)
_SIDE = Option(
    lambda value: type(value) is int and 4 <= value <= 4096,
    "the side of the squares in pixels, 4 to 4096",
    {"type": "integer", "minimum": 4, "maximum": 4096},
)
# Of readers whose files may come in an archive, of every reader of images, and of those whose list of files may be pinned.
_PACKED = {
    "path": _text("a path (absolute, in the project or under DATASETS_DIR), or an http or https URL of an archive"),
    "inside": _text("a path inside the archive", None),
    "sha256": _digest(64),
}
_SQUARES = {
    "side": _SIDE,
    "fit": _one_of("crop", "squash", "pad", default="crop"),
    "unreadable": _one_of("stop", "skip", default="stop"),
}
_PINNED = {**_SQUARES, "md5": _digest(32)}
# As study/data/torchvision_sets.py has them.
_TORCHVISION = _one_of("DTD", "FashionMNIST", "Flowers102", "Food101", "KMNIST", "MNIST", "SVHN")

FORMATS: Mapping[str, Mapping[str, Option]] = {
    "cifar10": {"url": _URL},
    "cifar100": {"url": _URL},
    "digits": {},
    "digits100": {},
    "glyphs": {},
    "folder": {**_PACKED, **_PINNED, "test": _SHARE},
    "csv": {
        **_PACKED,
        "image": _column(),
        "label": _column(),
        "split": _column(None),
        "images": _text("a path from the table's own folder", None),
        **_PINNED,
        "test": _SHARE,
    },
    "parquet": {
        "path": _text(_LOCAL),
        "image": _column("image"),
        "label": _column("label"),
        **_PINNED,
        "test": _SHARE,
    },
    "torchvision": {"name": _TORCHVISION, "path": _text(_LOCAL, None), **_SQUARES},
}
