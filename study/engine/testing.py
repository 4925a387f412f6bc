"""A cell's checkpoint, tested on the official test images."""

from study.base import folders
from study.base.console import say
from study.base.errors import StudyError, told
from study.base.sums import md5s
from study.data.part import Part
from study.design import cells
from study.design.cells import Cell
from study.engine import checkpoint, exactness
from study.engine.batches import ImageSet, Preprocess
from study.engine.checkpoint import Checkpoint
from study.engine.inference import logits
from study.engine.memory import enough
from study.models.build import build, load, on_device
from study.results.predictions import Predictions
from study.runtime import code, devices, edits, origin


def test(cell: Cell, data: Part) -> Predictions:
    """Write the predictions of ``cell`` on ``data`` and return them; StudyError where checkpoint, cell and data do not fit."""
    with (
        edits.refused(f"the test of {cell}", lambda: (code.digest("stages.evaluate"), _sums(cell))),
        enough(f"the device of {cell}", "choose another with STUDY_DEVICE, such as cpu"),
    ):
        predictions = _predict(cell, data)
    with folders.replaced(cells.predictions(cell)) as folder:
        predictions.save(folder)
    return predictions


def _sums(cell: Cell) -> dict[str, str]:
    files = [cells.runs(cell) / checkpoint.FILE, *Part.files(cells.raw(cell.dataset), "test")]
    return md5s([file for file in files if file.is_file()])  # one that is absent is named by what reads it


def _predict(cell: Cell, data: Part) -> Predictions:
    device = devices.choose()
    file = cells.runs(cell) / checkpoint.FILE
    weights, found = Checkpoint.read(file)
    exactness.pin(device, found.precision)
    say(f"evaluate {cell} on {devices.describe(device)}")
    if found.cell != str(cell) or found.classes != len(data.classes):
        raise StudyError(
            f"{file} is of {told(found.cell)} with {found.classes} classes, not of {cell} with {len(data.classes)}; "
            f"run python -m stages.train {cell}."
        )
    model = build(found.arch, found.arch_options, found.classes, found.image_size, seed=0)
    load(model, weights, str(file))
    sha256 = origin.checked(cell, file)
    model, channels_last = on_device(model, device)
    preprocess = Preprocess(found.image_size, found.mean, found.std, found.interpolation, device)
    images = ImageSet.load(data.images, data.labels, device)
    outputs = logits(model, images, preprocess, found.precision, channels_last).cpu()
    if not outputs.isfinite().all():
        raise StudyError(f"{file} gives logits that are not finite; lower the learning rate, then train {cell} again.")
    return Predictions.from_logits(cell, sha256, outputs.numpy(), data.labels, data.classes)
