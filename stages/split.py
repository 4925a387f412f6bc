"""Divide a dataset's official training set: a train subset of the given fraction, and the validation set.

Writes data/splits/<dataset>/<fraction>/<seed>/: train.npy, validation.npy and split.json.
"""

import json

from study.base import folders, npy
from study.base.console import parser, run, say
from study.base.errors import UNREADABLE, StudyError
from study.data.splits import Split, split
from study.design import cells
from study.settings.params import Params

NAMED = 5  # classes without a validation image that are named


def main() -> None:
    arguments = parser(__doc__, "split")
    arguments.add_argument("dataset")
    arguments.add_argument("fraction", help="of the training images that are not for validation, above 0 and up to 1.0")
    arguments.add_argument("seed")
    given = arguments.parse_args()
    fraction, seed = cells.parse_fraction(given.fraction), cells.parse_seed(given.seed)
    settings = Params.load().split()

    labels_file = cells.raw(given.dataset) / "train_labels.npy"
    try:
        labels = npy.load(labels_file)
        if labels.ndim != 1 or labels.dtype.kind not in "iu" or not len(labels):
            raise ValueError
    except UNREADABLE:
        raise StudyError(
            f"{labels_file} is absent or damaged; run dvc repro download@{given.dataset}, "
            f"or python -m stages.download {given.dataset}."
        ) from None
    names = _names(given.dataset)
    divided = split(labels, fraction, settings.val_fraction, seed, settings.rare, names)
    found = Split(given.dataset, fraction, seed, settings.val_fraction, len(labels), *divided)
    folder = cells.split(given.dataset, fraction, seed)
    with folders.replaced(folder) as draft:
        found.save(draft)
    say(f"{folder}: {len(found.train)} train and {len(found.validation)} validation images of {len(labels)}")
    unseen = [names[label] for label in sorted(set(labels[found.train]) - set(labels[found.validation])) if label < len(names)]
    if unseen:
        listed = ", ".join(unseen[:NAMED]) + (", …" if len(unseen) > NAMED else "")
        say(f"{len(unseen):,} of {len(names):,} classes have no validation image (rare: train): {listed}")


def _names(dataset: str) -> list[str]:
    """The classes' names, for messages alone; none where they cannot be read."""
    try:
        names = json.loads((cells.raw(dataset) / "classes.json").read_text(encoding="utf-8"))
    except UNREADABLE:
        return []
    return names if isinstance(names, list) else []


if __name__ == "__main__":
    run(main)
