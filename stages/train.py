"""Train one cell: a model, on a fraction of a dataset's training data, from one seed.

Writes data/runs/<cell>/checkpoint.safetensors (the epoch with the lowest validation error; among equals, the lowest
validation loss), data/history/<cell>/history.csv and provenance.json. A training that was stopped, in whichever way, goes on
from its last finished epoch when the same command runs again, and ends in the same bytes. STUDY_DEVICE chooses the device.
"""

import os
import time

from study.base.console import parser, run, say
from study.base.imports import lasting
from study.design.cells import Cell
from study.runtime import worktree
from study.runtime.lifecycle import stoppable


def main() -> None:
    """Command line: python -m stages.train CELL."""
    arguments = parser(__doc__, "train")
    arguments.add_argument("cell", help="dataset-model-fraction-seed, such as cifar10-resnet50_im1k-0.2-0")
    arguments.add_argument(
        "--budget", type=float, metavar="SECONDS", help="stop, with exit code 75, before an epoch that would end later"
    )
    given = arguments.parse_args()
    if "DVC_STAGE" in os.environ and (note := worktree.advice()):
        say(note)
    deadline = time.monotonic() + given.budget if given.budget is not None else None
    train(Cell.parse(given.cell), deadline)


def train(cell: Cell, deadline: float | None = None) -> None:
    """Train ``cell``, or what is left of it, until ``deadline`` (of time.monotonic)."""
    training = None
    with stoppable(lambda: training.advice() if training else f"{cell} was not started yet; the same command starts it."):
        from study.engine.inputs import Inputs

        inputs = Inputs.read(cell)  # before torch is imported, which takes seconds: a mistake in params.yaml shows at once
        with lasting():
            from study.engine.run import Training

        training = Training(inputs)
        training.run(deadline)


if __name__ == "__main__":
    run(main)
