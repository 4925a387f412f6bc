"""Training a model on a train subset: the loop, its state after an epoch, and nothing of files.

Everything random comes from (seed, epoch, step), everything else from the state, so that a training which goes on from a
saved state ends in the same bytes as one that was never stopped.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from study.base.errors import StudyError
from study.design.recipe import Recipe
from study.design.seeds import derive
from study.engine.batches import ImageSet, Preprocess, bounds, flip_crop, moves, order
from study.engine.inference import logits
from study.models.build import is_convolutional


@dataclass(frozen=True)
class Epoch:
    """One line of history.csv: losses are the mean cross entropy per image, errors shares in [0, 1]."""

    epoch: int  # from 1
    learning_rate: float
    train_loss: float
    train_error: float
    val_loss: float
    val_error: float


# Called after each step with the images so far in this epoch, and what gives their mean loss (which waits for the device).
Progress = Callable[[int, Callable[[], float]], None]
Loss = Callable[[Tensor, Tensor | None], tuple[Tensor, Tensor]]


def learning_rate(recipe: Recipe, epoch: int) -> float:
    """The learning rate of ``epoch`` (from 0): base * (1 + cos(pi * epoch / epochs)) / 2, cosine annealing per epoch to 0."""
    return recipe.learning_rate * (1 + math.cos(math.pi * epoch / recipe.epochs)) / 2


def best(history: list[Epoch]) -> int:
    """The epoch (from 1) with the lowest validation error, the earliest of equals."""
    return min(history, key=lambda line: (line.val_error, line.epoch)).epoch


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
    ):
        self.device = train.labels.device
        self.channels_last = is_convolutional(model)
        layout = torch.channels_last if self.channels_last else torch.preserve_format
        self.model = model.to(self.device).to(memory_format=layout)
        self.recipe = recipe
        self.seed = seed
        self.train = train
        self.validation = validation
        self.preprocess = preprocess
        self.steps = bounds(len(train), recipe.batch_size)
        # The sums of loss and of wrong answers of each step stay on the device until somebody asks.
        self._sums = torch.zeros(2, len(self.steps), device=self.device)
        self.step_number = torch.zeros(1, dtype=torch.int64, device=self.device)
        self.optimizer = self._adam()
        self.full_step: Callable[[Tensor, Tensor | None], None] = self.step
        if self.device.type == "cuda":
            from study.engine.cuda_graphs import captured

            self.full_step = captured(self)

    def run_epoch(self, epoch: int, progress: Progress) -> Epoch:
        """Train through one epoch (from 0), then measure on the validation set.

        Raises StudyError where the loss stops being a finite number.
        """
        rate = learning_rate(self.recipe, epoch)
        self._set_rate(rate)
        self.model.train()
        self.step_number.zero_()
        indices, movements = self._plan(epoch)
        full = self.recipe.batch_size
        for step, (start, stop) in enumerate(self.steps):
            self._seed(epoch, step)
            run = self.full_step if stop - start == full else self.step
            run(indices[start:stop], None if movements is None else movements[start:stop])
            progress(stop, lambda step=step, stop=stop: self._mean_loss(epoch, step, stop))  # type: ignore[misc]
        loss = self._mean_loss(epoch, len(self.steps) - 1, len(self.train))
        wrong = self._sums[1].cpu().double().sum().item()
        val_loss, val_error = self._validate(epoch)
        return Epoch(epoch + 1, rate, loss, wrong / len(self.train), val_loss, val_error)

    def tensors(self) -> dict[str, Tensor]:
        """The state as named tensors: the model's under model., Adam's moments under their names, and its step count."""
        state = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for name, parameter in self.model.named_parameters():
            adam = self.optimizer.state[parameter]
            state |= {f"{moment}.{name}": adam[moment] for moment in ("exp_avg", "exp_avg_sq")}
            state[f"step.{name}"] = adam["step"]
        return state

    def snapshot(self) -> dict[str, Tensor]:
        """A copy of ``tensors`` on the CPU, which training on does not touch."""
        return {name: tensor.detach().to("cpu", copy=True) for name, tensor in self.tensors().items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take over what ``tensors`` gave, in place: memory layouts and captured graphs stay valid."""
        for name, tensor in self.tensors().items():
            tensor.detach().copy_(state[name])

    def _adam(self) -> torch.optim.Adam:
        """torch's Adam with L2 weight decay; its state exists from the start, laid out in memory as the parameters are."""
        recipe, cuda = self.recipe, self.device.type == "cuda"
        optimizer = torch.optim.Adam(
            self.model.parameters(),
            lr=torch.tensor(recipe.learning_rate, device=self.device) if cuda else recipe.learning_rate,
            betas=recipe.betas,
            eps=recipe.eps,
            weight_decay=recipe.weight_decay,
            fused=True,
            capturable=cuda,
        )
        for parameter in self.model.parameters():
            optimizer.state[parameter] = {
                "step": torch.zeros((), dtype=torch.float32, device=self.device),
                "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
                "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
            }
        return optimizer

    def _set_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)  # in place: a captured graph reads it there
            else:
                group["lr"] = rate

    def _plan(self, epoch: int) -> tuple[Tensor, Tensor | None]:
        """What the epoch's steps take, in order, on the device: places in the train set, and how to move each image."""
        count = len(self.train)
        indices = torch.from_numpy(order(count, self.seed, epoch)).to(self.device)
        if self.recipe.augmentation == "none":
            return indices, None
        height, width = self.train.images.shape[2:]
        return indices, torch.from_numpy(moves(count, height, width, self.seed, epoch)).to(self.device)

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
        self.optimizer.step()
        sums = torch.stack([loss.detach() * len(indices), wrong.to(loss.dtype)])
        self._sums.index_copy_(1, self.step_number, sums.unsqueeze(1))
        self.step_number += 1

    def loss(self, indices: Tensor, movements: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean cross entropy, and the number of wrong answers, on the train images at ``indices`` (B,)."""
        inputs, labels = self.inputs(indices, movements)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16"):
            outputs = self.model(inputs)
        outputs = outputs.float()
        return F.cross_entropy(outputs, labels), (outputs.detach().argmax(1) != labels).sum()

    def inputs(self, indices: Tensor, movements: Tensor | None) -> tuple[Tensor, Tensor]:
        """What the model sees of the train images at ``indices`` (B,): (B, C, image_size, image_size) and labels (B,)."""
        images = self.train.images[indices]
        labels = self.train.labels[indices]
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
        outputs = logits(self.model, self.validation, self.preprocess, self.recipe.precision, self.channels_last).cpu()
        labels = self.validation.labels.cpu()
        loss = F.cross_entropy(outputs.double(), labels).item()
        if not math.isfinite(loss):
            raise StudyError(
                f"the validation loss is {loss} after epoch {epoch + 1}; "
                f"lower the learning rate ({self.recipe.learning_rate}) in params.yaml."
            )
        return loss, int((outputs.argmax(1) != labels).sum()) / len(labels)
