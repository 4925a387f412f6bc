"""Divide a dataset's official training set: a train subset of the given fraction, and the validation set.

Writes data/splits/<dataset>/<fraction>/<seed>/: train.npy, validation.npy and split.json.
"""

import json
from pathlib import Path
from typing import Any

from study.base import folders, npy
from study.base.console import parser, run, say
from study.base.errors import UNREADABLE, StudyError, listed, told
from study.base.sums import sha256
from study.data.splits import Split
from study.design import cells
from study.runtime import code, edits
from study.settings.params import Params


def main() -> None:
    arguments = parser(__doc__, "split")
    arguments.add_argument("dataset")
    arguments.add_argument("fraction", help="of the training images that are not for validation, above 0 and up to 1.0")
    arguments.add_argument("seed")
    given = arguments.parse_args()
    fraction, seed = cells.parse_fraction(given.fraction), cells.parse_seed(given.seed)
    if not cells.NAME.fullmatch(given.dataset):
        raise StudyError(f"{told(repr(given.dataset))} is no dataset's name: lower-case letters, digits and _, a letter first.")
    folder = cells.split(given.dataset, fraction, seed)
    labels_file = cells.raw(given.dataset) / "train_labels.npy"

    def inputs() -> object:
        return code.digest("stages.split"), Params.load().split(), sha256(labels_file) if labels_file.is_file() else None

    with folders.replaced(folder) as draft, edits.refused(str(folder), inputs):
        settings = Params.load().split()
        labels, names = _labels(labels_file, given.dataset), _names(given.dataset)
        found = Split.draw(given.dataset, fraction, seed, labels, settings.val_fraction, settings.rare, names)
        found.save(draft)
    say(f"{folder}: {len(found.train)} train and {len(found.validation)} validation images of {len(labels)}")
    unseen = [names[label] for label in sorted(set(labels[found.train]) - set(labels[found.validation])) if label < len(names)]
    if unseen:
        say(f"{len(unseen):,} of {len(names):,} classes have no validation image (rare: train): {listed(unseen)}")


def _names(dataset: str) -> list[str]:
    """The classes' names, for messages alone; none where they cannot be read."""
    try:
        names = json.loads((cells.raw(dataset) / "classes.json").read_text(encoding="utf-8"))
    except UNREADABLE:
        return []
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []


def _labels(path: Path, dataset: str) -> Any:
    """The labels (N,) of the official training set of ``dataset``; StudyError where they are absent or damaged."""
    try:
        labels = npy.load(path)
        if labels.ndim != 1 or labels.dtype.kind not in "iu" or not len(labels):
            raise ValueError
    except UNREADABLE:
        raise StudyError(
            f"{path} is absent or damaged; run dvc repro download@{dataset}, or python -m stages.download {dataset}."
        ) from None
    return labels


if __name__ == "__main__":
    run(main)
