"""Test one trained cell on the dataset's official test set.

Writes data/predictions/<cell>/predictions.npz, what metrics and intervals need of each image, and metrics.json. It takes
everything it needs from data/runs/<cell> and data/raw/<dataset>. STUDY_DEVICE chooses the device.
"""

import io
import json
import shutil

import numpy as np

from study.base import folders
from study.base.atomic import write
from study.base.console import parser, run, say
from study.base.errors import StudyError
from study.data.part import Part
from study.design import cells
from study.design.cells import Cell
from study.engine import resume
from study.engine.memory import enough
from study.results.predictions import Predictions
from study.runtime.lifecycle import stoppable
from study.runtime.tracking import Tracker


def main() -> None:
    arguments = parser(__doc__, "evaluate")
    arguments.add_argument("cell", help="dataset-model-fraction-seed, such as cifar10-resnet50_im1k-0.2-0")
    arguments.add_argument(
        "--measured", action="store_true", help="copy the cell's record to data/measured/<cell>/, for a cell trained by hand"
    )
    given = arguments.parse_args()
    cell = Cell.parse(given.cell)
    with stoppable(lambda: "nothing was written; the same command starts again."):
        evaluate(cell)
        if given.measured:
            record(cell)


def evaluate(cell: Cell) -> None:
    """Write the cell's predictions and metrics, then remove what would have resumed its training."""
    dataset = Part.read(cells.raw(cell.dataset), "test")
    with enough(f"the device of {cell}", "choose another with STUDY_DEVICE, such as cpu"):
        predictions = predict(cell, dataset)
    metrics = predictions.metrics()
    arrays = io.BytesIO()
    np.savez_compressed(arrays, **vars(predictions))
    with folders.replaced(cells.predictions(cell)) as folder:
        write(folder / "predictions.npz", arrays.getvalue())
        write(folder / "metrics.json", (json.dumps(metrics, indent=1) + "\n").encode())
    say(f"{cells.predictions(cell)}: top-1 error {100 * metrics['top1_error']:.2f} % of {metrics['images']} test images")
    resume.clear(cell)
    tracker = Tracker(cell, run_id(cell))
    tracker.summarise({f"test/{name}": value for name, value in metrics.items()})
    tracker.finish()


def predict(cell: Cell, dataset: Part) -> Predictions:
    """What the cell's checkpoint says of the test images; StudyError where it does not fit cell or dataset."""
    import torch

    from study.engine import exactness
    from study.engine.batches import ImageSet, Preprocess
    from study.engine.checkpoint import read
    from study.engine.inference import logits
    from study.models.build import build, is_convolutional, load
    from study.runtime import devices

    device = devices.choose()
    file = cells.runs(cell) / "checkpoint.safetensors"
    weights, study = read(file)
    exactness.pin(device, study["precision"])
    say(f"evaluate {cell} on {devices.describe(device)}")
    if study["cell"] != str(cell) or study["classes"] != len(dataset.classes):
        raise StudyError(
            f"{file} is of {study['cell']} with {study['classes']} classes, not of {cell} with {len(dataset.classes)}; "
            f"run python -m stages.train {cell}."
        )
    model = build(study["arch"], study["arch_options"], study["classes"], study["image_size"], seed=0)
    load(model, weights, str(file))
    channels_last = is_convolutional(model)
    model = model.to(device).to(memory_format=torch.channels_last if channels_last else torch.preserve_format)
    preprocess = Preprocess(study["image_size"], study["mean"], study["std"], study["interpolation"], device)
    images = ImageSet.load(dataset.images, dataset.labels, device)
    outputs = logits(model, images, preprocess, study["precision"], channels_last).cpu().numpy()
    if not np.isfinite(outputs).all():
        raise StudyError(f"{file} gives logits that are not finite; lower the learning rate, then train {cell} again.")
    return Predictions.from_logits(outputs, dataset.labels, dataset.classes)


def run_id(cell: Cell) -> str | None:
    """The run of Weights & Biases that train began for this cell, where it did."""
    try:
        recorded = json.loads((cells.history(cell) / "provenance.json").read_text(encoding="utf-8"))["wandb_run_id"]
    except (OSError, ValueError, KeyError):
        return None
    return recorded if isinstance(recorded, str) else None


def record(cell: Cell) -> None:
    """Copy predictions, metrics, history and provenance to data/measured/<cell>/, which is in git."""
    with folders.replaced(cells.measured(cell)) as folder:
        for source in (cells.predictions(cell), cells.history(cell)):
            for file in sorted(source.iterdir()):
                shutil.copyfile(file, folder / file.name)
    say(f"{cells.measured(cell)}: commit it, and it is part of the measured report.")


if __name__ == "__main__":
    run(main)
