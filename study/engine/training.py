"""Training a model on a train subset: the loop, its state after an epoch, and nothing of files.

Everything random comes from (seed, epoch, step), everything else from the state, so that a training which goes on from a
saved state ends in the same bytes as one that was never stopped.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from study.base.errors import StudyError
from study.design.recipe import Recipe
from study.design.seeds import derive
from study.engine import optimizers
from study.engine.batches import ImageSet, Preprocess, bounds, flip_crop, moves, order
from study.engine.inference import logits
from study.engine.probe import Probe
from study.models.build import on_device
from study.results.history import Epoch

# Called after each step with the images so far in this epoch, and what gives their mean loss (which waits for the device).
Progress = Callable[[int, Callable[[], float]], None]
Loss = Callable[[Tensor, Tensor | None], tuple[Tensor, Tensor]]


def learning_rate(recipe: Recipe, epoch: int) -> float:
    """The learning rate of ``epoch`` (from 0): base * (1 + cos(pi * epoch / epochs)) / 2, cosine annealing per epoch to 0.

    Through the first ``warmup_epochs`` it climbs in equal steps to the base; the cosine takes what is left of the epochs.
    """
    warm = min(recipe.warmup_epochs, recipe.epochs)
    if epoch < warm:
        return recipe.learning_rate * (epoch + 1) / (warm + 1)
    return recipe.learning_rate * (1 + math.cos(math.pi * (epoch - warm) / (recipe.epochs - warm))) / 2


class Trainer:
    """A model in training on one device. Its images stay there as uint8; each step indexes and enlarges its own."""

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        seed: int,
        train: ImageSet,
        validation: ImageSet,
        preprocess: Preprocess,
        full: int | None = None,
    ):
        """``full`` is how many train images fraction 1.0 has, for a budget of steps; None: as many as ``train`` has."""
        self.device = train.labels.device
        self.model, self.channels_last = on_device(model, self.device)
        self.recipe = recipe
        self.seed = seed
        self.train = train
        self.validation = validation
        self.preprocess = preprocess
        # A budget of steps gives every fraction the steps of fraction 1.0: an epoch is as many images as there.
        self.images = full or len(train) if recipe.budget == "steps" else len(train)
        self.steps = bounds(self.images, recipe.batch_size)
        # The sums of loss and of wrong answers of each step stay on the device until somebody asks.
        self._sums = torch.zeros(2, len(self.steps), device=self.device)
        self.step_number = torch.zeros(1, dtype=torch.int64, device=self.device)
        self.probe = Probe(self.model, preprocess, recipe.precision, self.channels_last) if recipe.trained == "head" else None
        self._features = self.probe.all_features(train) if self.probe and recipe.augmentation == "none" else None
        self._val_features = self.probe.all_features(validation) if self.probe else None
        self.trained = [(name, each) for name, each in self.model.named_parameters() if each.requires_grad]
        self.optimizer = optimizers.make(recipe, [each for _, each in self.trained], self.device)
        self.full_step: Callable[[Tensor, Tensor | None], None] = self.step
        if self.device.type == "cuda":
            from study.engine.cuda_graphs import captured

            self.full_step = captured(self)

    def run_epoch(self, epoch: int, progress: Progress) -> Epoch:
        """Train through one epoch (from 0), then measure on the validation set.

        Raises StudyError where the loss stops being a finite number.
        """
        rate = learning_rate(self.recipe, epoch)
        optimizers.set_rate(self.optimizer, rate)
        self.model.train(self.probe is None)
        self.step_number.zero_()
        indices, movements = self._plan(epoch)
        full = self.recipe.batch_size
        for step, (start, stop) in enumerate(self.steps):
            self._seed(epoch, step)
            run = self.full_step if stop - start == full else self.step
            run(indices[start:stop], None if movements is None else movements[start:stop])
            progress(stop, lambda step=step, stop=stop: self._mean_loss(epoch, step, stop))  # type: ignore[misc]
        loss = self._mean_loss(epoch, len(self.steps) - 1, self.images)
        wrong = self._sums[1].cpu().double().sum().item()
        val_loss, val_error = self._validate(epoch)
        return Epoch(epoch + 1, rate, loss, wrong / self.images, val_loss, val_error)

    def tensors(self) -> dict[str, Tensor]:
        """The state as named tensors: the model's under ``model.``, and the optimizer's."""
        state = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        return state | dict(optimizers.tensors(self.optimizer, self.trained))

    def snapshot(self) -> dict[str, Tensor]:
        """A copy of ``tensors`` on the CPU, which training on does not touch."""
        return {name: tensor.detach().to("cpu", copy=True) for name, tensor in self.tensors().items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take over what ``tensors`` gave, in place: memory layouts and captured graphs stay valid."""
        for name, tensor in self.tensors().items():
            tensor.detach().copy_(state[name])

    def _plan(self, epoch: int) -> tuple[Tensor, Tensor | None]:
        """What the epoch's steps take, in order, on the device: places in the train set, and how to move each image."""
        indices = torch.from_numpy(order(len(self.train), self.images, self.seed, epoch)).to(self.device)
        if self.recipe.augmentation == "none":
            return indices, None
        height, width = self.train.images.shape[2:]
        return indices, torch.from_numpy(moves(self.images, height, width, self.seed, epoch)).to(self.device)

    def _seed(self, epoch: int, step: int) -> None:
        """What is random inside the model (dropout) starts from here."""
        seed = derive("step", self.seed, epoch, step)
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)
        elif self.device.type == "mps":
            torch.mps.manual_seed(seed)

    def step(self, indices: Tensor, movements: Tensor | None, loss_of: Loss | None = None) -> None:
        """One step on the images at ``indices`` (B,), moved by ``movements`` (B, 3), see `batches.moves`; it waits for nothing.

        ``loss_of`` takes the place of ``self.loss``: the same, compiled.
        """
        self.optimizer.zero_grad(set_to_none=True)
        loss, wrong = (loss_of or self.loss)(indices, movements)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.recipe.clip_norm is not None:
            nn.utils.clip_grad_norm_([each for _, each in self.trained], self.recipe.clip_norm)
        self.optimizer.step()
        sums = torch.stack([loss.detach() * len(indices), wrong.to(loss.dtype)])
        self._sums.index_copy_(1, self.step_number, sums.unsqueeze(1))
        self.step_number += 1

    def loss(self, indices: Tensor, movements: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean cross entropy, smoothed by the recipe, and the number of wrong answers, on the images at ``indices`` (B,)."""
        inputs, labels = self.inputs(indices, movements)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16"):
            if self.probe is None:
                outputs = self.model(inputs)
            else:
                with torch.no_grad():
                    features = inputs if self._features is not None else self.probe.features(inputs)
                outputs = self.probe.classifier(features)
        outputs = outputs.float()
        loss = F.cross_entropy(outputs, labels, label_smoothing=self.recipe.label_smoothing)
        return loss, (outputs.detach().argmax(1) != labels).sum()

    def inputs(self, indices: Tensor, movements: Tensor | None) -> tuple[Tensor, Tensor]:
        """What the model sees of the train images at ``indices`` (B,): (B, C, image_size, image_size) and labels (B,).

        Where features were computed once, those (B, features) instead.
        """
        labels = self.train.labels[indices]
        if self._features is not None:
            return self._features[indices], labels
        images = self.train.images[indices]
        if movements is not None:
            images = flip_crop(images, movements)
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        return self.preprocess(images).contiguous(memory_format=layout), labels

    def _mean_loss(self, epoch: int, step: int, images: int) -> float:
        """The mean loss over the epoch's first ``images``, up to ``step``; StudyError where a step's was not finite."""
        losses = self._sums[0, : step + 1].cpu().double()
        bad = (~losses.isfinite()).nonzero()
        if len(bad):
            raise StudyError(
                f"the loss is {losses[bad[0, 0]].item()} in step {int(bad[0, 0]) + 1} of epoch {epoch + 1}; "
                f"lower the learning rate ({self.recipe.learning_rate}) in params.yaml."
            )
        return losses.sum().item() / images

    def _validate(self, epoch: int) -> tuple[float, float]:
        """Mean cross entropy and top-1 error on the validation set."""
        if self.probe is not None and self._val_features is not None:
            with torch.inference_mode():
                outputs = self.probe.classifier(self._val_features).cpu()
        else:
            outputs = logits(self.model, self.validation, self.preprocess, self.recipe.precision, self.channels_last).cpu()
        labels = self.validation.labels.cpu()
        loss = F.cross_entropy(outputs.double(), labels).item()
        if not math.isfinite(loss):
            raise StudyError(
                f"the validation loss is {loss} after epoch {epoch + 1}; "
                f"lower the learning rate ({self.recipe.learning_rate}) in params.yaml."
            )
        return loss, int((outputs.argmax(1) != labels).sum()) / len(labels)
