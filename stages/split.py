"""Divide a dataset's official training set: a train subset of the given fraction, and the validation set.

Writes data/splits/<dataset>/<fraction>/<seed>/: train.npy, validation.npy and split.json.
"""

from study.base import folders, npy
from study.base.console import parser, run, say
from study.base.errors import UNREADABLE, StudyError
from study.data.splits import Split, split
from study.design import cells
from study.settings.params import Params


def main() -> None:
    arguments = parser(__doc__, "split")
    arguments.add_argument("dataset")
    arguments.add_argument("fraction", help="of the training images that are not for validation, above 0 and up to 1.0")
    arguments.add_argument("seed")
    given = arguments.parse_args()
    fraction, seed = cells.parse_fraction(given.fraction), cells.parse_seed(given.seed)
    val_fraction = Params.load().split().val_fraction

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
    found = Split(given.dataset, fraction, seed, val_fraction, len(labels), *split(labels, fraction, val_fraction, seed))
    folder = cells.split(given.dataset, fraction, seed)
    with folders.replaced(folder) as draft:
        found.save(draft)
    say(f"{folder}: {len(found.train)} train and {len(found.validation)} validation images of {len(labels)}")


if __name__ == "__main__":
    run(main)
