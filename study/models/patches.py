"""Pixels that a model never sees: cut into patches, an image whose side is no multiple of theirs loses its last rows."""

from typing import Any

import torch
from torch import Tensor, nn

from study.base.errors import StudyError

FAINT = 1e-3  # layer scales and gains start as small as this, or at 0, and would hide what trained ones let through


@torch.inference_mode()
def check(model: nn.Module, arch: str, size: int) -> None:
    """StudyError where ``model`` does not see the last row and column of an image of ``size`` pixels a side, for its patches.

    Convolutions that overlap are let be: where they have no padding, a pixel at the border may be too few for one step more.
    """
    left_over: list[int] = []

    def look(module: Any, inputs: tuple[Tensor, ...]) -> None:
        height = inputs[0].shape[-2]
        if height % _patch(module):
            left_over.append(_patch(module) * max(1, round(size / height)))

    hooks = [module.register_forward_pre_hook(look) for module in model.modules() if _patch(module) > 1]
    image = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    model.eval()
    try:
        model(image)
    finally:
        for hook in hooks:
            hook.remove()
    if not left_over:
        return
    for parameter in model.parameters():
        if parameter.abs().max() <= FAINT:
            parameter.fill_(1.0)
    changed = image.clone()
    changed[..., -1, :] += 10
    changed[..., :, -1] += 10
    if torch.equal(model(image), model(changed)):
        side, below = left_over[0], max(1, size // left_over[0]) * left_over[0]
        raise StudyError(
            f"{arch} cuts images into patches of {side} pixels, and never sees the last rows and columns of one of {size} "
            f"pixels; take a multiple of {side} for image_size, such as {below} or {below + side}."
        )


def _patch(module: nn.Module) -> int:
    """The side of the patches that ``module`` cuts its input into, which neither overlap nor are padded; else 1."""
    if not isinstance(module, nn.Conv2d | nn.Unfold):
        return 1
    kernel, stride, padding = (_pair(each) for each in (module.kernel_size, module.stride, module.padding))
    return kernel[0] if kernel == stride and padding in ((0, 0), ("valid", "valid")) else 1


def _pair(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value, value)
