"""torch's optimizers by the recipe, fused, with a state that exists from the start and has a name for every tensor.

A state that is there before the first step is laid out in memory as the parameters are, can be put on disk and restored
in place, and stays where a captured CUDA graph looks for it.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from study.design.recipe import Recipe

MOMENTS = {"adam": ("exp_avg", "exp_avg_sq"), "adamw": ("exp_avg", "exp_avg_sq"), "sgd": ("momentum_buffer",)}


def make(recipe: Recipe, parameters: list[nn.Parameter], device: torch.device) -> torch.optim.Optimizer:
    """The recipe's optimizer over ``parameters``, all on ``device``.

    ``weight_decay`` is an L2 penalty, added to the gradient, for adam and sgd; adamw decouples it (Loshchilov and Hutter,
    Decoupled Weight Decay Regularization, 2019).
    """
    cuda = device.type == "cuda"
    # On CUDA a tensor: a captured graph reads the learning rate where it lies.
    rate = torch.tensor(recipe.learning_rate, device=device) if cuda else recipe.learning_rate
    optimizer: torch.optim.Optimizer
    if recipe.optimizer == "sgd":
        optimizer = torch.optim.SGD(parameters, lr=rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay, fused=True)
    else:
        kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
        optimizer = kind(
            parameters,
            lr=rate,
            betas=recipe.betas,
            eps=recipe.eps,
            weight_decay=recipe.weight_decay,
            fused=True,
            capturable=cuda,
        )
    for parameter in parameters:
        state = {name: torch.zeros_like(parameter, memory_format=torch.preserve_format) for name in MOMENTS[recipe.optimizer]}
        if recipe.optimizer != "sgd":
            state["step"] = torch.zeros((), dtype=torch.float32, device=device)
        optimizer.state[parameter] = state
    return optimizer


def tensors(optimizer: torch.optim.Optimizer, named: list[tuple[str, nn.Parameter]]) -> Iterator[tuple[str, Tensor]]:
    """Every tensor of the optimizer's state, called by its kind and the name of its parameter: ``exp_avg.head.weight``."""
    for name, parameter in named:
        for kind, tensor in optimizer.state[parameter].items():
            yield f"{kind}.{name}", tensor


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Train with ``rate`` from the next step on."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)  # in place: a captured graph reads it there
        else:
            group["lr"] = rate
