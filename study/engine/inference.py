"""A model's logits on a set of images, in large batches."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from study.engine.batches import ImageSet, Preprocess

BATCH = 256  # fixed, on every device: another batch size may give other last bits


def logits(model: nn.Module, images: ImageSet, preprocess: Preprocess, precision: str, channels_last: bool) -> Tensor:
    """Logits (images, classes) float32 of ``model`` in evaluation mode, on the images' device; its mode is put back."""
    training = model.training
    found = outputs(model.eval(), images, preprocess, precision, channels_last)
    model.train(training)
    return found


@torch.inference_mode()
def outputs(
    function: Callable[[Tensor], Tensor], images: ImageSet, preprocess: Preprocess, precision: str, channels_last: bool
) -> Tensor:
    """What ``function`` gives for all ``images``, float32, on their device."""
    device = images.labels.device
    layout = torch.channels_last if channels_last else torch.contiguous_format
    parts = []
    for batch in images.images.split(BATCH):
        inputs = preprocess(batch).contiguous(memory_format=layout)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            parts.append(function(inputs).float())
    return torch.cat(parts)
