"""What people read instead of a model's key: its ``label`` in params.yaml, or the key where it has none; and its kind."""

from study.settings.grid import Grid
from study.settings.params import Model


class Labels:
    """Labels of a grid's models. Params.check_all refuses two models of a study that would be called the same."""

    def __init__(self, grid: Grid) -> None:
        self._models = {model.name: model for model in grid.models}

    def architecture(self, model: Model) -> str:
        """``ViT-S/16``."""
        return model.label or model.name

    def model(self, model: Model) -> str:
        """``ViT-S/16, pre-trained``."""
        return f"{self.architecture(model)}, {start(model)}"

    def of(self, name: str) -> str:
        """The label of the model with that key."""
        return self.model(self._models[name])

    def architecture_of(self, name: str) -> str:
        """The label of its architecture."""
        return self.architecture(self._models[name])


def start(model: Model) -> str:
    """Whether ``model`` starts from pre-trained weights."""
    return "scratch" if model.weights is None else "pre-trained"
