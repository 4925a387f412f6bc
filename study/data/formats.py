"""Which reader reads which format: `source.format` of a dataset in params.yaml.

Apart from Dataset, so that a stage that only reads data/raw does not depend on the code of downloads and readers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from study.base.errors import StudyError
from study.data import options as keys
from study.data import watched
from study.data.dataset import Dataset
from study.settings.params import Source


def load(source: Source, workdir: Path, draft: Path, dataset: str = "") -> Dataset:
    """The dataset that ``source`` describes; ``dataset`` is its name in params.yaml.

    Transfers are kept in ``workdir`` until they are complete. ``draft`` is the folder that the dataset will be written to:
    large arrays lie there from the start, as the files that ``Dataset.write`` would write.
    """
    form = _FORMATS[source.format]
    options = keys.read(source.options, form.options, "source", source.format)
    if dataset and "md5" in options and options.get("sha256") is None and not watched.is_watched(options["path"], dataset):
        options["unwatched"] = dataset
    return form.load(options, workdir, draft)


def check(source: Source, where: str) -> None:
    """Raise StudyError where the format of ``source`` is unknown, or an option is unknown, missing or out of range.

    ``where`` is its key in params.yaml, for the message.
    """
    if source.format not in _FORMATS:
        raise StudyError(f"params.yaml: {where}.format is {source.format!r}; it must be one of {', '.join(_FORMATS)}.")
    keys.read(source.options, _FORMATS[source.format].options, where, source.format)


@dataclass(frozen=True)
class _Format:
    """A reader, and its options in params.yaml."""

    load: Callable[[Mapping[str, Any], Path, Path], Dataset]
    options: Mapping[str, keys.Option] = field(default_factory=dict)


def _cifar10(options: Mapping[str, Any], workdir: Path, draft: Path) -> Dataset:
    from study.data import cifar

    return cifar.load(cifar.CIFAR10, options["url"], workdir)


def _cifar100(options: Mapping[str, Any], workdir: Path, draft: Path) -> Dataset:
    from study.data import cifar

    return cifar.load(cifar.CIFAR100, options["url"], workdir)


def _digits(options: Mapping[str, Any], workdir: Path, draft: Path) -> Dataset:
    from study.data import digits

    return digits.single()


def _digits100(options: Mapping[str, Any], workdir: Path, draft: Path) -> Dataset:
    from study.data import digits

    return digits.pairs()


def _glyphs(options: Mapping[str, Any], workdir: Path, draft: Path) -> Dataset:
    from study.data import glyphs

    return glyphs.load()


def _folder(options: Mapping[str, Any], workdir: Path, draft: Path) -> Dataset:
    from study.data import archive, folder

    with archive.opened(options, workdir, draft) as root:
        return folder.read(root, options).assembled(options, draft)


def _csv(options: Mapping[str, Any], workdir: Path, draft: Path) -> Dataset:
    from study.data import archive, table

    with archive.opened(options, workdir, draft) as path:
        return table.read(path, options).assembled(options, draft)


def _parquet(options: Mapping[str, Any], workdir: Path, draft: Path) -> Dataset:
    from study.data import parquet, place

    return parquet.read(place.found(options["path"]), options).assembled(options, draft)


def _torchvision(options: Mapping[str, Any], workdir: Path, draft: Path) -> Dataset:
    from study.data import torchvision_sets

    with torchvision_sets.images(options, workdir, draft) as images:
        return images.assembled(options, draft)


# A new format is a reader module and a line here. Readers are imported when they are used: each stage loads its own alone.
_FORMATS = {
    "cifar10": _Format(_cifar10, {"url": keys.URL}),
    "cifar100": _Format(_cifar100, {"url": keys.URL}),
    "digits": _Format(_digits),
    "digits100": _Format(_digits100),
    "glyphs": _Format(_glyphs),
    "folder": _Format(_folder, {**keys.PACKED, **keys.SQUARES, "test": keys.SHARE}),
    "csv": _Format(
        _csv,
        {
            **keys.PACKED,
            "image": keys.column(),
            "label": keys.column(),
            "split": keys.column(None),
            "images": keys.LOCAL_OR_NONE,
            **keys.SQUARES,
            "test": keys.SHARE,
        },
    ),
    "parquet": _Format(
        _parquet,
        {"path": keys.LOCAL, "image": keys.column("image"), "label": keys.column("label"), **keys.SQUARES, "test": keys.SHARE},
    ),
    "torchvision": _Format(_torchvision, {"name": keys.NAME, "path": keys.LOCAL_OR_NONE, **keys.OFFICIAL_SQUARES}),
}
