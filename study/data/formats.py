"""Which reader reads which format: `source.format` of a dataset in params.yaml.

The options that a format has there are declared in study/settings/sources.py. Apart from Dataset, so that a stage that only
reads data/raw does not depend on the code of downloads and readers.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from study.data.dataset import Dataset
from study.settings.params import Source
from study.settings.sources import check

Reader = Callable[[Mapping[str, Any], Path, Path], Dataset]


def load(source: Source, workdir: Path, draft: Path, dataset: str = "") -> Dataset:
    """The dataset that ``source`` describes; ``dataset`` is its name in params.yaml. StudyError where options are wrong.

    Transfers are kept in ``workdir`` until they are complete. ``draft`` is the folder that the dataset will be written to:
    large arrays lie there from the start, as the files that ``Dataset.write`` would write.
    """
    return READERS[source.format](check(source, "source") | {"dataset": dataset}, workdir, draft)


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
    from study.data import archive, csv_file

    with archive.opened(options, workdir, draft) as path:
        return csv_file.read(path, options).assembled(options, draft)


def _parquet(options: Mapping[str, Any], workdir: Path, draft: Path) -> Dataset:
    from study.data import parquet, place

    return parquet.read(place.found(options["path"]), options).assembled(options, draft)


def _torchvision(options: Mapping[str, Any], workdir: Path, draft: Path) -> Dataset:
    from study.data import torchvision_sets

    with torchvision_sets.images(options, workdir, draft) as images:
        return images.assembled(options, draft)


# A new format is a reader module, a line here and its options in study/settings/sources.py. Readers are imported when they are
# used: each stage loads its own alone.
READERS: Mapping[str, Reader] = {
    "cifar10": _cifar10,
    "cifar100": _cifar100,
    "digits": _digits,
    "digits100": _digits100,
    "glyphs": _glyphs,
    "folder": _folder,
    "csv": _csv,
    "parquet": _parquet,
    "torchvision": _torchvision,
}
