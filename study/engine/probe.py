"""A linear probe: the recipe's ``trained: head``. All but the classifier stays as it was; the features are computed once.

The model is in evaluation mode throughout, so that nothing random precedes its classifier and batch normalisation keeps the
statistics of pre-training (Alain and Bengio, Understanding intermediate layers using linear classifier probes, 2016).
"""

from typing import Any

import torch
from torch import Tensor, nn

from study.base.errors import StudyError
from study.engine.batches import ImageSet, Preprocess
from study.engine.inference import outputs

TRIED = 4  # images on which the parts of the model must give what the whole model gives


class Probe:
    """``model`` in two parts: what gives an image's features, frozen, and its linear classifier, which learns."""

    def __init__(self, model: nn.Module, preprocess: Preprocess, precision: str, channels_last: bool):
        """Freeze ``model``; StudyError where its last layer is not one linear classifier on its features."""
        classifier = getattr(model, "get_classifier", lambda: None)()
        if not isinstance(classifier, nn.Linear):
            raise StudyError(
                f"trained is head in params.yaml, but the last layer of {type(model).__name__} is not one linear classifier; "
                "write all, or choose another model."
            )
        self.classifier = classifier
        self._model: Any = model.eval()
        model.requires_grad_(False)
        classifier.requires_grad_(True)
        self._images = (preprocess, precision, channels_last)

    def features(self, inputs: Tensor) -> Tensor:
        """What the classifier sees of ``inputs`` (B, 3, side, side): (B, features)."""
        return self._model.forward_head(self._model.forward_features(inputs), pre_logits=True)  # type: ignore[no-any-return]

    def all_features(self, images: ImageSet) -> Tensor:
        """The features (N, features) float32 of all ``images``; StudyError where the classifier does not end the model."""
        few = ImageSet(images.images[:TRIED], images.labels[:TRIED])
        with torch.inference_mode():
            parts: Tensor = self.classifier(outputs(self.features, few, *self._images))
        if not torch.allclose(parts, outputs(self._model, few, *self._images), rtol=1e-2, atol=1e-2):
            raise StudyError(f"trained is head in params.yaml, but {type(self._model).__name__} goes on after its classifier.")
        return outputs(self.features, images, *self._images).clone()  # a tensor of inference mode could not be learned from
