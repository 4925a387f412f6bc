"""Train one cell: a model, on a fraction of a dataset's training data, from one seed.

Writes data/runs/<cell>/checkpoint.safetensors (the epoch with the lowest validation error, the earliest of equals),
data/history/<cell>/history.csv and provenance.json. A training that was stopped, in whichever way, goes on from its last
finished epoch when the same command runs again, and ends in the same bytes. STUDY_DEVICE chooses the device.
"""

import csv
import io
import json
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.base import folders
from study.base.atomic import write
from study.base.console import parser, run, say
from study.base.errors import StudyError, one_line
from study.data.part import Part
from study.design import cells
from study.design.cells import Cell
from study.design.recipe import Recipe
from study.engine import resume
from study.engine.memory import enough
from study.models.card import WEIGHTS, Card
from study.results import provenance
from study.runtime import code
from study.runtime.lifecycle import stoppable
from study.runtime.tracking import Tracker, new_id
from study.settings.params import Params

EX_TEMPFAIL = 75  # sysexits.h: not an error, the same command goes on


@dataclass(frozen=True)
class Inputs:
    """What a training starts from, read from the stages before it and checked to belong together."""

    cell: Cell
    recipe: Recipe
    card: Card
    dataset: Part
    train: NDArray[np.int64]
    validation: NDArray[np.int64]

    @classmethod
    def read(cls, cell: Cell) -> "Inputs":
        """The inputs of ``cell``; StudyError names what is missing and the command that makes it."""
        params = Params.load()
        params.check_cell(cell)
        model = params.model(cell.model)
        recipe = params.recipe(cell.dataset, cell.model)
        card = Card.read(cells.weights(cell.model))
        if (card.arch, dict(card.arch_options)) != (model.arch, dict(model.arch_options)):
            raise StudyError(
                f"{cells.weights(cell.model)} is of {card.arch} with {dict(card.arch_options)}, params.yaml wants {model.arch} "
                f"with {dict(model.arch_options)}; run python -m stages.weights {cell.model}."
            )
        dataset = Part.read(cells.raw(cell.dataset), "train")
        indices = []
        for name in ("train", "validation"):
            file = cells.split(cell.dataset, cell.fraction, cell.seed) / f"{name}.npy"
            try:
                indices.append(np.load(file, allow_pickle=False))
            except (FileNotFoundError, ValueError, EOFError):
                raise StudyError(
                    f"{file} is absent or damaged; run python -m stages.split {cell.dataset} {cell.fraction} {cell.seed}."
                ) from None
        return cls(cell, recipe, card, dataset, *indices)

    def determinants(self, machine: str) -> dict[str, Any]:
        """Everything that determines the result, as plain data: what keys the resume state."""
        weights = cells.weights(self.cell.model) / WEIGHTS
        return {
            "cell": str(self.cell),
            "recipe": self.recipe.as_dict(),
            "card": asdict(self.card),
            "weights": provenance.sha256(weights) if self.card.source else None,
            "indices": [self.train.tolist(), self.validation.tolist()],
            "data": provenance.md5s(cells.raw(self.cell.dataset)),
            "code": code.digest("stages.train"),
            "libraries": provenance.libraries(),
            "machine": machine,
        }


class Training:
    """One cell's training from its first or last saved epoch to its outs."""

    def __init__(self, inputs: Inputs) -> None:
        # Imported here, so that a mistake in params.yaml shows at once and not after seconds of importing torch.
        from study.engine import exactness
        from study.runtime import devices

        self.inputs = inputs
        self.cell = inputs.cell
        self.device = devices.choose()
        exactness.pin(self.device, inputs.recipe.precision)
        self.machine = devices.describe(self.device)
        say(f"train {self.cell} on {self.machine}")
        self.determinants = inputs.determinants(self.machine)
        self.store = resume.Store(self.cell, resume.key(self.determinants))
        self.epoch = 0

    def run(self, deadline: float | None) -> None:
        """Train what is left, then write the outs; exit code 75 where the next epoch would end after ``deadline``."""
        with (
            resume.exclusive(resume.workspace_lock(self.cell), self.cell),
            resume.exclusive(self.store.lock, self.cell),
        ):
            try:
                with enough(self.machine, "lower train.batch_size or train.image_size in params.yaml"):
                    state = self._train(deadline)
                self._refuse_edits()
                self._write(state)
            except BrokenPipeError:  # whoever read the output has gone: no failure of the training
                raise
            except Exception as error:
                self._fail(error)
                raise
            cells.failed(self.cell).unlink(missing_ok=True)

    def advice(self) -> str:
        """What was kept and how to go on, for somebody who has just stopped this training."""
        return (
            f"{self.cell} stands after epoch {self.epoch} of {self.inputs.recipe.epochs}; "
            f"the same command (dvc repro, or python -m stages.train {self.cell}) goes on from there."
        )

    def _train(self, deadline: float | None) -> resume.State:
        state = self.store.load()
        recipe = self.inputs.recipe
        if state is not None:
            self.epoch = state.epoch
            if state.epoch == recipe.epochs:
                say(f"{self.cell} was trained already; its outs are written from the saved state.")
                return state
            say(f"going on after epoch {state.epoch} of {recipe.epochs}")
        return self._epochs(state, deadline)

    def _epochs(self, state: resume.State | None, deadline: float | None) -> resume.State:
        from safetensors.torch import load
        from torch import Tensor

        from study.engine.batches import ImageSet, Preprocess
        from study.engine.checkpoint import pack
        from study.engine.training import Epoch, Trainer, best
        from study.models.build import build, load_pretrained
        from study.runtime.progress import Display

        recipe, card, dataset = self.inputs.recipe, self.inputs.card, self.inputs.dataset
        model = build(card.arch, card.arch_options, len(dataset.classes), recipe.image_size, self.cell.seed)
        if card.source:
            load_pretrained(model, cells.weights(self.cell.model) / WEIGHTS)
        trainer = Trainer(
            model,
            recipe,
            self.cell.seed,
            ImageSet.load(dataset.images, dataset.labels, self.device, self.inputs.train),
            ImageSet.load(dataset.images, dataset.labels, self.device, self.inputs.validation),
            Preprocess(recipe.image_size, list(card.mean), list(card.std), card.interpolation, self.device),
        )
        history, seconds, run_id = [], 0.0, new_id()
        if state is not None:
            trainer.restore(load(state.tensors))
            history = [Epoch(**line) for line in state.record["history"]]
            seconds, run_id = state.record["seconds"], state.record["wandb_run_id"] or run_id
        config = {"cell": str(self.cell), "arch": card.arch, "device": self.machine, **asdict(self.cell), **recipe.as_dict()}
        tracker = Tracker(self.cell, run_id, config)
        display = Display(self.cell, recipe.epochs, len(trainer.train), seconds)
        study = {
            "arch": card.arch,
            "arch_options": dict(card.arch_options),
            "classes": len(dataset.classes),
            "image_size": recipe.image_size,
            "mean": card.mean,
            "std": card.std,
            "interpolation": card.interpolation,
            "precision": recipe.precision,
            "cell": str(self.cell),
        }

        def save(line: Epoch, record: dict[str, Any], tensors: dict[str, Tensor], before: resume.State | None) -> resume.State:
            """The state after an epoch, put on disk: work for the thread beside the training."""
            best_epoch = best(history[: line.epoch])
            if best_epoch == line.epoch or before is None:
                weights = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
                content = pack(weights, study | {"epoch": line.epoch})
            else:
                content = before.best
            saved = resume.State(line.epoch, best_epoch, record, pack(tensors, {}), content)
            self.store.save(saved)
            self.epoch = line.epoch
            return saved

        # The next epoch trains while the state of the last one is written; leaving the block waits for it.
        with ThreadPoolExecutor(1, "state") as writer:
            pending: Future[resume.State] | None = None
            for epoch in range(self.epoch, recipe.epochs):
                started = time.monotonic()
                if deadline is not None and epoch > 0 and started + seconds / epoch > deadline:
                    tracker.finish()
                    writer.shutdown()
                    say(f"the time is up: {self.advice()}")
                    sys.exit(EX_TEMPFAIL)
                display.start(epoch)
                line = trainer.run_epoch(epoch, display.step)
                history.append(line)
                if pending is not None:
                    state = pending.result()
                taken = time.monotonic() - started
                seconds += taken
                record = {"history": [asdict(each) for each in history], "seconds": seconds, "wandb_run_id": run_id}
                pending = writer.submit(save, line, record, trainer.snapshot(), state)
                display.end(line, taken)
                tracker.log({name: value for name, value in asdict(line).items() if name != "epoch"}, step=line.epoch)
            tracker.finish()
            assert pending is not None  # a recipe has one epoch at least, and a finished training does not come here
            return pending.result()

    def _refuse_edits(self) -> None:
        """Raise StudyError where what determines the result is no longer what this training started from.

        DVC reads parameters, code and data once more when a stage ends, and would record this result as theirs.
        """
        if Inputs.read(self.cell).determinants(self.machine) != self.determinants:
            raise StudyError(
                f"parameters, code or data of {self.cell} were edited while it was trained, so nothing was written; put them "
                "back and the same command writes the finished result, or leave them and it trains anew."
            )

    def _write(self, state: resume.State) -> None:
        """Write the cell's outs, each folder whole or not at all."""
        inputs, history = self.inputs, state.record["history"]
        table = io.StringIO()
        lines = csv.DictWriter(table, fieldnames=list(history[0]), lineterminator="\n")
        lines.writeheader()
        lines.writerows(history)
        origin = {
            "cell": str(self.cell),
            "recipe": inputs.recipe.as_dict(),
            "arch": inputs.card.arch,
            "arch_options": inputs.card.arch_options,
            "weights": {name: getattr(inputs.card, name) for name in ("source", "revision", "sha256")},
            "best_epoch": state.best_epoch,
            "train_images": len(inputs.train),
            "validation_images": len(inputs.validation),
            "code_sha256": self.determinants["code"],
            "data_md5": self.determinants["data"],
            "python": provenance.python(),
            "platform": provenance.system(),
            "libraries": self.determinants["libraries"],
            "device": self.machine,
            "wall_seconds": round(state.record["seconds"], 3),
            "images_per_second": round(len(inputs.train) * state.epoch / state.record["seconds"], 1),
            "wandb_run_id": state.record["wandb_run_id"],
        }
        with folders.replaced(cells.runs(self.cell)) as folder:
            write(folder / "checkpoint.safetensors", state.best)
        with folders.replaced(cells.history(self.cell)) as folder:
            write(folder / "history.csv", table.getvalue().encode())
            write(folder / "provenance.json", (json.dumps(origin, indent=1) + "\n").encode())
        best = history[state.best_epoch - 1]
        say(f"{cells.runs(self.cell)}: epoch {state.best_epoch} is the best, val error {100 * best['val_error']:.2f} %")

    def _fail(self, error: Exception) -> None:
        """Leave a record of the failure for whoever looks at the study's state."""
        record = {"cell": str(self.cell), "when_epoch": self.epoch + 1, "error": one_line(error)}
        try:
            cells.failed(self.cell).parent.mkdir(parents=True, exist_ok=True)
            cells.failed(self.cell).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        except OSError:
            pass  # the disk is full, perhaps: the error itself is what the user needs to see


def main() -> None:
    arguments = parser(__doc__, "train")
    arguments.add_argument("cell", help="dataset-model-fraction-seed, such as cifar10-resnet50_im1k-0.2-0")
    arguments.add_argument(
        "--budget", type=float, metavar="SECONDS", help="stop, with exit code 75, before an epoch that would end later"
    )
    given = arguments.parse_args()
    deadline = time.monotonic() + given.budget if given.budget is not None else None
    cell = Cell.parse(given.cell)
    training: Training | None = None
    with stoppable(lambda: training.advice() if training else f"{cell} was not started yet; the same command starts it."):
        training = Training(Inputs.read(cell))
        training.run(deadline)


if __name__ == "__main__":
    run(main)
