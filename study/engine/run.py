"""A cell's training from its first or last saved epoch to its outs: data/runs/<cell> and data/history/<cell>."""

import hashlib
import json
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from safetensors.torch import load
from torch import Tensor

from study.base import folders
from study.base.atomic import write
from study.base.console import say
from study.base.errors import StudyError, one_line
from study.design import cells
from study.engine import checkpoint, exactness, resume
from study.engine.batches import ImageSet, Preprocess
from study.engine.checkpoint import Checkpoint
from study.engine.inputs import Inputs
from study.engine.memory import enough
from study.engine.training import Trainer
from study.models.build import build, load_pretrained
from study.models.card import WEIGHTS
from study.results.history import Epoch, History
from study.results.provenance import Provenance
from study.runtime import devices, records
from study.runtime.progress import Display
from study.runtime.tracking import Tracker, new_id

EX_TEMPFAIL = 75  # sysexits.h: not an error, the same command goes on


class Training:
    """One cell's training on one device; ``run`` may be called again after it was stopped."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.cell = inputs.cell
        self.device = devices.choose()
        self.kernels = exactness.pin(self.device, inputs.recipe.precision)
        self.machine = devices.describe(self.device)
        say(f"train {self.cell} on {self.machine}")
        self.determinants = inputs.determinants(self.kernels)
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
                say(
                    f"{self.cell} was trained already; its outs are written from the saved state. "
                    f"To train it anew, remove {resume.folder(self.cell)} first."
                )
                return state
            say(f"going on after epoch {state.epoch} of {recipe.epochs}")
        return self._epochs(state, deadline)

    def _trainer(self) -> Trainer:
        inputs, recipe, card = self.inputs, self.inputs.recipe, self.inputs.card
        model = build(card.arch, card.arch_options, len(inputs.data.classes), recipe.image_size, self.cell.seed)
        if card.source:
            load_pretrained(model, cells.weights(self.cell.model) / WEIGHTS)
        return Trainer(
            model,
            recipe,
            self.cell.seed,
            ImageSet.load(inputs.data.images, inputs.data.labels, self.device, inputs.split.train),
            ImageSet.load(inputs.data.images, inputs.data.labels, self.device, inputs.split.validation),
            Preprocess(recipe.image_size, card.mean, card.std, card.interpolation, self.device),
            inputs.split.full_images,
        )

    def _checkpoint(self, epoch: int) -> Checkpoint:
        card, recipe = self.inputs.card, self.inputs.recipe
        return Checkpoint(
            cell=str(self.cell),
            arch=card.arch,
            arch_options=card.arch_options,
            classes=len(self.inputs.data.classes),
            image_size=recipe.image_size,
            mean=card.mean,
            std=card.std,
            interpolation=card.interpolation,
            precision=recipe.precision,
            epoch=epoch,
        )

    def _epochs(self, state: resume.State | None, deadline: float | None) -> resume.State:
        recipe, trainer = self.inputs.recipe, self._trainer()
        lines, seconds, run_id = [], 0.0, new_id()
        if state is not None:
            trainer.restore(load(state.tensors))
            lines = [Epoch(**line) for line in state.record["history"]]
            seconds, run_id = state.record["seconds"], state.record["wandb_run_id"] or run_id
        config = {"cell": str(self.cell), "arch": self.inputs.card.arch, "device": self.machine}
        tracker = Tracker(self.cell, run_id, config | asdict(self.cell) | recipe.as_dict())
        display = Display(self.cell, recipe.epochs, trainer.images, seconds)

        # The next epoch trains while the state of the last one is written; leaving the block waits for it.
        with ThreadPoolExecutor(1, "state") as writer:
            pending: Future[resume.State] | None = None
            for epoch in range(self.epoch, recipe.epochs):
                started = time.monotonic()
                if deadline is not None and epoch > 0 and started + seconds / epoch > deadline:
                    if pending is not None:
                        pending.result()  # a save that failed is an error, not a pause
                    tracker.finish()
                    say(f"the time is up: {self.advice()}")
                    sys.exit(EX_TEMPFAIL)
                display.start(epoch)
                line = trainer.run_epoch(epoch, display.step)
                lines.append(line)
                if pending is not None:
                    state = pending.result()
                taken = time.monotonic() - started
                seconds += taken
                record = {
                    "history": [asdict(each) for each in lines],
                    "images": trainer.images,
                    "seconds": seconds,
                    "wandb_run_id": run_id,
                }
                pending = writer.submit(self._save, list(lines), record, trainer.snapshot(), state)
                display.end(line, taken)
                tracker.log({name: value for name, value in asdict(line).items() if name != "epoch"}, step=line.epoch)
            tracker.finish()
            assert pending is not None  # a recipe has one epoch at least, and a finished training does not come here
            return pending.result()

    def _save(
        self, lines: list[Epoch], record: dict[str, Any], tensors: dict[str, Tensor], before: resume.State | None
    ) -> resume.State:
        """The state after an epoch, put on disk: work for the thread beside the training."""
        epoch, best = lines[-1].epoch, History(tuple(lines)).best
        if best == epoch or before is None:
            weights = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
            content = self._checkpoint(epoch).pack(weights)
        else:
            content = before.best
        saved = resume.State(epoch, best, record, checkpoint.packed(tensors), content)
        self.store.save(saved)
        self.epoch = epoch
        return saved

    def _refuse_edits(self) -> None:
        """Raise StudyError where what determines the result is no longer what this training started from.

        DVC reads parameters, code and data once more when a stage ends, and would record this result as theirs.
        """
        if Inputs.read(self.cell).determinants(self.kernels) != self.determinants:
            raise StudyError(
                f"parameters, code or data of {self.cell} were edited while it was trained, so nothing was written; put them "
                "back and the same command writes the finished result, or leave them and it trains anew."
            )

    def _write(self, state: resume.State) -> None:
        """Write the cell's outs, each folder whole or not at all, and the record of this run."""
        inputs, recipe, card = self.inputs, self.inputs.recipe, self.inputs.card
        history = History(tuple(Epoch(**line) for line in state.record["history"]))
        provenance = Provenance(
            cell=str(self.cell),
            recipe=recipe.as_dict(),
            arch=card.arch,
            arch_options=card.arch_options,
            weights={name: getattr(card, name) for name in ("source", "revision", "sha256")},
            best_epoch=state.best_epoch,
            train_images=len(inputs.split.train),
            full_images=inputs.split.full_images,
            validation_images=len(inputs.split.validation),
            official_images=inputs.split.official_images,
            data_md5=self.determinants["data"],
            libraries=self.determinants["libraries"],
            kernels=self.kernels,
            checkpoint_sha256=hashlib.sha256(state.best).hexdigest(),
            history_sha256=history.sha256,
        )
        images, seconds = state.record["images"], state.record["seconds"]
        with folders.replaced(cells.runs(self.cell)) as folder:
            write(folder / checkpoint.FILE, state.best)
        with folders.replaced(cells.history(self.cell)) as folder:
            history.save(folder)
            provenance.save(folder)
        records.Record(
            cell=str(self.cell),
            image_size=recipe.image_size,
            batch_size=recipe.batch_size,
            precision=recipe.precision,
            full_images=inputs.split.full_images,
            wall_seconds=round(seconds, 3),
            images_per_second=round(images * len(history.epochs) / seconds, 1),
            device=self.machine,
            python=records.python(),
            platform=records.system(),
            code_sha256=self.determinants["code"],
            wandb_run_id=state.record["wandb_run_id"],
        ).save()
        error = history.epochs[state.best_epoch - 1].val_error
        say(f"{cells.runs(self.cell)}: epoch {state.best_epoch} is the best, val error {100 * error:.2f} %")

    def _fail(self, error: Exception) -> None:
        """Leave a record of the failure for whoever looks at the study's state."""
        record = {"cell": str(self.cell), "when_epoch": self.epoch + 1, "error": one_line(error)}
        try:
            cells.failed(self.cell).parent.mkdir(parents=True, exist_ok=True)
            cells.failed(self.cell).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        except OSError:
            pass  # the disk is full, perhaps: the error itself is what the user needs to see
