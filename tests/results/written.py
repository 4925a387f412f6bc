"""A cell's two folders as evaluate and train write them, for tests of what is read back."""

import numpy as np

from study.design import cells
from study.design.recipe import Recipe
from study.results.history import Epoch, History
from study.results.predictions import Predictions
from study.results.provenance import Provenance

RECIPE = Recipe(32, 3, 16, 0.001, (0.9, 0.999), 1e-8, 0.0001, "none", "fp32")
CLASSES = tuple(f"class {number}" for number in range(7))


def write(cell, checkpoint="a" * 64, seed=0):
    """data/predictions and data/history of ``cell``, of one checkpoint."""
    random = np.random.RandomState(seed)
    labels = np.arange(60) % 7
    logits = random.normal(size=(60, 7)).astype(np.float32) + 2 * np.eye(7, dtype=np.float32)[labels]
    cells.predictions(cell).mkdir(parents=True)
    Predictions.from_logits(cell, checkpoint, logits, labels, CLASSES).save(cells.predictions(cell))
    cells.history(cell).mkdir(parents=True)
    curves = History(
        tuple(Epoch(number, 0.001 / number, 1.0, 0.5, (0.9 + seed) / number, 0.6 / number) for number in (1, 2, 3))
    )
    curves.save(cells.history(cell))
    Provenance(
        cell=str(cell),
        recipe=RECIPE.as_dict(),
        arch="resnet10t",
        arch_options={},
        weights={"source": None, "revision": None, "sha256": None},
        best_epoch=3,
        train_images=int(100 * cell.fraction),
        full_images=100,
        validation_images=10,
        official_images=110,
        data_md5={},
        libraries={},
        kernels="portable fp32",
        checkpoint_sha256=checkpoint,
        history_sha256=curves.sha256,
    ).save(cells.history(cell))
