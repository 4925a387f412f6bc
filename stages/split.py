"""Divide a dataset's official training set: a train subset of the given fraction, and the validation set.

Writes data/splits/<dataset>/<fraction>/<seed>/train.npy and validation.npy.
"""

import numpy as np

from study.base.console import parser, run, say
from study.base.errors import StudyError
from study.data.splits import split
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
        labels = np.load(labels_file)
    except (FileNotFoundError, ValueError, EOFError):
        raise StudyError(
            f"{labels_file} is absent or damaged; run dvc repro download@{given.dataset}, "
            f"or python -m stages.download {given.dataset}."
        ) from None
    train, validation = split(labels, fraction, val_fraction, seed)

    folder = cells.split(given.dataset, fraction, seed)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "train.npy", train)
    np.save(folder / "validation.npy", validation)
    say(f"{folder}: {len(train)} train and {len(validation)} validation images of {len(labels)}")


if __name__ == "__main__":
    run(main)
