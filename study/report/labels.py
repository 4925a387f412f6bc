"""What people read instead of the keys of params.yaml: ``ViT-S/16, pre-trained`` for ``vit_s16_im1k``."""

import re
from collections import Counter
from itertools import takewhile

from study.settings.grid import Grid
from study.settings.params import Model

PROPER = {"vit": "ViT", "cnn": "CNN"}


class Labels:
    """Labels of a grid's models: the architecture alone, and the architecture with its kind."""

    def __init__(self, grid: Grid) -> None:
        stems: dict[str, str] = {}
        for scratch, pretrained in grid.pairs():
            words = zip(scratch.name.split("_"), pretrained.name.split("_"), strict=False)
            stem = "_".join(first for first, _ in takewhile(lambda both: both[0] == both[1], words)) or scratch.name
            stems.setdefault(scratch.name, stem)
            stems[pretrained.name] = stems[scratch.name]
        for model in grid.models:
            stems.setdefault(model.name, re.sub(r"_(scratch|pretrained)$", "", model.name))
        self._architectures = {name: _proper(stem) for name, stem in stems.items()}
        self._architectures |= {model.name: label for model in grid.models if (label := _given(model))}
        plain = {model.name: f"{self._architectures[model.name]}, {kind(model)}" for model in grid.models}
        uses = Counter(plain.values())
        self._models = {name: label if uses[label] == 1 else f"{label} ({name})" for name, label in plain.items()}
        self._by_name = {model.name: model for model in grid.models}
        self._clash = {name for name, label in plain.items() if uses[label] > 1}

    def architecture(self, model: Model) -> str:
        """``ViT-S/16``, with the key where the study has several such models of one kind."""
        plain = self._architectures[model.name]
        return f"{plain} ({model.name})" if model.name in self._clash else plain

    def model(self, model: Model) -> str:
        """``ViT-S/16, pre-trained``."""
        return self._models[model.name]

    def of(self, name: str) -> str:
        """The label of the model with that key."""
        return self._models[name]

    def architecture_of(self, name: str) -> str:
        """The label of its architecture."""
        return self.architecture(self._by_name[name])


def kind(model: Model) -> str:
    """Whether ``model`` starts from pre-trained weights."""
    return "scratch" if model.weights is None else "pre-trained"


def _given(model: Model) -> str:
    """The ``label`` that params.yaml gives a model, without the word that is added to it here; empty where it gives none."""
    return re.sub(r",? (from )?(scratch|pre-trained)$", "", model.label or "")


def _proper(stem: str) -> str:
    return "-".join(_word(word) for word in stem.split("_"))


def _word(word: str) -> str:
    if word in PROPER:
        return PROPER[word]
    if word.startswith("resnet"):
        return "ResNet" + word.removeprefix("resnet")
    size = re.fullmatch(r"([a-z])(\d+)", word)  # and patch size: s16 is S/16
    return f"{size[1].upper()}/{size[2]}" if size else word
