"""The keys of a dataset's `source` in params.yaml: what each may be, and what it is where it is left out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from study.base.errors import StudyError

REQUIRED = object()  # in the place of a default


@dataclass(frozen=True)
class Option:
    """One key: ``accepts`` tells whether a value is allowed, ``allowed`` says in words what is."""

    accepts: Callable[[Any], bool]
    allowed: str
    default: Any = REQUIRED


def read(given: Mapping[str, Any], options: Mapping[str, Option], where: str, form: str) -> dict[str, Any]:
    """``given`` with its defaults filled in. Raises StudyError at a key that is unknown, missing or of another kind.

    ``where`` is the key of the source in params.yaml and ``form`` the name of its format, for the message.
    """
    for key in given:
        if key not in options:
            allowed = ", ".join(("format", *options))
            raise StudyError(f"params.yaml: {where}.{key} is not a key of format {form}; there are {allowed}.")
    values = {}
    for key, option in options.items():
        value = given.get(key)
        if value is None and option.default is not REQUIRED:
            values[key] = option.default
        elif option.accepts(value):
            values[key] = value
        else:
            raise StudyError(f"params.yaml: {where}.{key} is {value!r}; format {form} needs {option.allowed} there.")
    return values


def is_url(value: Any) -> bool:
    """Whether ``value`` is text that begins as an http or https URL."""
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_digest(length: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) == length and set(value) <= set("0123456789abcdef")


def one_of(*values: str, default: Any = REQUIRED) -> Option:
    """An option that is one of ``values``."""
    return Option(lambda value: value in values, " or ".join(values), default)


def column(default: Any = REQUIRED) -> Option:
    """An option that names one column of a table."""
    return Option(_is_text, "the name of one column (an image has one label: several are another task)", default)


URL = Option(is_url, "an http or https URL")
PATH = Option(_is_text, "a path (absolute, in the project or under DATASETS_DIR), or an http or https URL of an archive")
LOCAL = Option(_is_text, "a path (absolute, in the project or under DATASETS_DIR)")
LOCAL_OR_NONE = Option(LOCAL.accepts, LOCAL.allowed, None)
INSIDE = Option(_is_text, "a path inside the archive", None)
SHARE = Option(
    lambda value: isinstance(value, float) and 0 < value < 1, "the share of images for testing, above 0 and below 1", None
)
SIDE = Option(lambda value: type(value) is int and 4 <= value <= 4096, "the side of the squares in pixels, 4 to 4096")
FIT = one_of("crop", "squash", "pad", default="crop")
UNREADABLE = one_of("stop", "skip", default="stop")
MD5 = Option(_is_digest(32), "32 lower-case hexadecimal digits", None)
SHA256 = Option(_is_digest(64), "64 lower-case hexadecimal digits", None)
NAME = one_of("DTD", "FashionMNIST", "Flowers102", "Food101", "KMNIST", "MNIST", "SVHN")  # as in torchvision_sets.py
PACKED = {"path": PATH, "inside": INSIDE, "sha256": SHA256}  # of a reader whose files may come in an archive
OFFICIAL_SQUARES = {"side": SIDE, "fit": FIT, "unreadable": UNREADABLE}  # of every reader of images
SQUARES = {**OFFICIAL_SQUARES, "md5": MD5}  # where the list of files may be pinned

# The options of each format; its reader stands in study/data/formats.py.
FORMATS: dict[str, dict[str, Option]] = {
    "cifar10": {"url": URL},
    "cifar100": {"url": URL},
    "digits": {},
    "digits100": {},
    "glyphs": {},
    "folder": {**PACKED, **SQUARES, "test": SHARE},
    "csv": {
        **PACKED,
        "image": column(),
        "label": column(),
        "split": column(None),
        "images": LOCAL_OR_NONE,
        **SQUARES,
        "test": SHARE,
    },
    "parquet": {"path": LOCAL, "image": column("image"), "label": column("label"), **SQUARES, "test": SHARE},
    "torchvision": {"name": NAME, "path": LOCAL_OR_NONE, **OFFICIAL_SQUARES},
}


def check(form: str, given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """``given`` with its defaults filled in; StudyError where ``form`` is no format, or an option is not one of its own.

    ``where`` is the key of the source in params.yaml, for the message.
    """
    if form not in FORMATS:
        raise StudyError(f"params.yaml: {where}.format is {form!r}; it must be one of {', '.join(FORMATS)}.")
    return read(given, FORMATS[form], where, form)
