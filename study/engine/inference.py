"""A model's logits on a set of images, in large batches."""

import torch
from torch import Tensor, nn

from study.engine.batches import ImageSet, Preprocess

BATCH = 256  # fixed, on every device: another batch size may give other last bits


@torch.inference_mode()
def logits(model: nn.Module, images: ImageSet, preprocess: Preprocess, precision: str, channels_last: bool) -> Tensor:
    """Logits (images, classes) float32 of ``model`` in evaluation mode, on the images' device; its mode is put back."""
    training = model.training
    model.eval()
    device = images.labels.device
    layout = torch.channels_last if channels_last else torch.contiguous_format
    parts = []
    for batch in images.images.split(BATCH):  # type: ignore[no-untyped-call]
        inputs = preprocess(batch).contiguous(memory_format=layout)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            parts.append(model(inputs).float())
    model.train(training)
    return torch.cat(parts)
