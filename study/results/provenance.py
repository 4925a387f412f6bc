"""What determines a cell's result, and nothing else: data/history/<cell>/provenance.json, tracked and quoted by the report.

Two trainings that give the same result give the same file. Wall times, the machine's name and the like stand in
study/runtime/records.py; the code stands in dvc.lock, which holds the md5 of every file that a stage depends on.
"""

import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from study.base.atomic import write
from study.base.errors import UNREADABLE, StudyError, one_line, told
from study.design.cells import Cell
from study.design.recipe import Recipe

FILE = "provenance.json"
MOST = 2**53  # images; beyond, a float tells no whole numbers apart
LIBRARIES = ("numpy", "safetensors", "timm", "torch")


@dataclass(frozen=True)
class Provenance:
    """``kernels`` is "portable fp32", or the device whose kernels the result belongs to. Counts are of images.

    ``full_images`` is how many train images fraction 1.0 has, ``official_images`` how many the dataset has for training and
    validation together. The sums are those of data/runs/<cell>/checkpoint.safetensors and of history.csv beside this file: they
    tie a training's files together.
    """

    cell: str
    recipe: Mapping[str, Any]
    arch: str
    arch_options: Mapping[str, Any]
    weights: Mapping[str, str | None]  # source, revision and sha256 of the pre-trained weights; null from scratch
    best_epoch: int
    train_images: int
    full_images: int
    validation_images: int
    official_images: int
    data_md5: Mapping[str, str]
    libraries: Mapping[str, str]
    kernels: str
    checkpoint_sha256: str
    history_sha256: str

    def save(self, folder: Path) -> None:
        """Write provenance.json into ``folder``."""
        write(folder / FILE, (json.dumps(asdict(self), indent=1) + "\n").encode())

    @classmethod
    def load(cls, folder: Path, cell: Cell) -> "Provenance":
        """The provenance of ``cell`` in ``folder``; StudyError where it is absent, damaged or of another cell."""
        path = folder / FILE
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            found = cls(**content)
        except FileNotFoundError:
            raise StudyError(f"{path} absent") from None
        except UNREADABLE:
            raise StudyError(f"{path} damaged") from None
        wrong = [field.name for field in fields(cls) if not _is(content[field.name], field.type)]
        if wrong:
            raise StudyError(f"{path} damaged: {', '.join(wrong)}")
        if found.cell != str(cell):
            raise StudyError(f"{path} is of another cell, {told(found.cell)}")
        try:
            Recipe.merge(("recipe", found.recipe))
        except StudyError as error:
            raise StudyError(f"{path} damaged: {one_line(error)}") from None
        return found


def _is(value: Any, kind: Any) -> bool:
    """Whether ``value`` from JSON is of the annotated type ``kind``; numbers are counts, 0 to MOST."""
    if kind is int:
        return type(value) is int and 0 <= value <= MOST
    return isinstance(value, str if kind is str else dict)


def libraries() -> dict[str, str]:
    """Versions of the libraries whose arithmetic a training is made of, as installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
