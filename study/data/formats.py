"""Which reader reads which format: `source.format` of a dataset in params.yaml.

Apart from Dataset, so that a stage that only reads data/raw does not depend on the code of downloads and readers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.base.errors import StudyError
from study.data.dataset import Dataset
from study.settings.params import Source


def load(source: Source, workdir: Path) -> Dataset:
    """The dataset that ``source`` describes; transfers are kept in ``workdir`` until they are complete."""
    return _FORMATS[source.format].load(source.options, workdir)


def check(source: Source, where: str) -> None:
    """Raise StudyError where the format of ``source`` is unknown, or an option is unknown, missing or out of range.

    ``where`` is its key in params.yaml, for the message.
    """
    if source.format not in _FORMATS:
        raise StudyError(f"params.yaml: {where}.format is {source.format!r}; it must be one of {', '.join(_FORMATS)}.")
    options = _FORMATS[source.format].options
    for key in source.options:
        if key not in options:
            allowed = ", ".join(("format", *options))
            raise StudyError(f"params.yaml: {where}.{key} is not a key of format {source.format}; there are {allowed}.")
    for key in options:
        value = source.options.get(key)
        if not isinstance(value, str) or not value.startswith(("http://", "https://")):
            raise StudyError(
                f"params.yaml: {where}.{key} is {value!r}; format {source.format} needs an http or https URL there."
            )


@dataclass(frozen=True)
class _Format:
    """A reader, and its options in params.yaml: URLs, all of them required."""

    load: Callable[[Mapping[str, Any], Path], Dataset]
    options: tuple[str, ...] = ()


def _cifar10(options: Mapping[str, Any], workdir: Path) -> Dataset:
    from study.data import cifar

    return cifar.load(cifar.CIFAR10, options["url"], workdir)


def _cifar100(options: Mapping[str, Any], workdir: Path) -> Dataset:
    from study.data import cifar

    return cifar.load(cifar.CIFAR100, options["url"], workdir)


def _digits(options: Mapping[str, Any], workdir: Path) -> Dataset:
    from study.data import digits

    return digits.single()


def _digits100(options: Mapping[str, Any], workdir: Path) -> Dataset:
    from study.data import digits

    return digits.pairs()


# A new format is a reader module and a line here. Readers are imported when they are used: each stage loads its own alone.
_FORMATS = {
    "cifar10": _Format(_cifar10, options=("url",)),
    "cifar100": _Format(_cifar100, options=("url",)),
    "digits": _Format(_digits),
    "digits100": _Format(_digits100),
}
