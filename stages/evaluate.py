"""Test one trained cell on the dataset's official test set.

Writes data/predictions/<cell>/predictions.npz, what metrics and intervals need of each image, and metrics.json. It takes
everything it needs from data/runs/<cell> and data/raw/<dataset>. STUDY_DEVICE chooses the device.
"""

from study.base.console import parser, run, say
from study.base.imports import lasting
from study.data.part import Part
from study.design import cells
from study.design.cells import Cell
from study.runtime import measured, records
from study.runtime.lifecycle import stoppable
from study.runtime.tracking import Tracker


def main() -> None:
    """Command line: python -m stages.evaluate CELL."""
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
            folder = measured.keep(cell, records.path(cell))
            say(f"{folder}: commit it, and it is part of the measured report.")


def evaluate(cell: Cell) -> None:
    """Write the cell's predictions and metrics, then remove what would have resumed its training."""
    data = Part.read(cells.raw(cell.dataset), "test")
    with lasting():
        from study.engine import resume, testing

    predictions = testing.test(cell, data)
    metrics = predictions.metrics()
    say(f"{cells.predictions(cell)}: top-1 error {100 * metrics['top1_error']:.2f} % of {metrics['images']} test images")
    resume.clear(cell, predictions.checkpoint_sha256)
    record = records.Record.load(records.path(cell))
    tracker = Tracker(cell, record.wandb_run_id if record else None)
    tracker.summarise({f"test/{name}": value for name, value in metrics.items()})
    tracker.finish()


if __name__ == "__main__":
    run(main)
