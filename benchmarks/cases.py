"""What is compared on a kind of machine: models, ways to train them, sizes and goals. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.base.errors import StudyError
from study.settings.params import Params

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Case:
    """A model, the side of its square input in pixels, and the precision (fp32 or bf16) in which all ways train it."""

    name: str
    arch: str
    options: Mapping[str, Any]
    image_size: int
    precision: str


@dataclass(frozen=True)
class Setting:
    """A comparison. ``ways`` are those of benchmarks/ways.py, ``rivals`` those with a column of ratios.

    ``batches`` are the study's batch size, then candidates for the best one. ``goals``, for the way "ours" at batch 64, are
    ratios to the way of that name, "img/s" a rate; None: said, without a goal. ``longest`` is for a block of steps, in seconds.
    """

    models: tuple[str, ...]
    image_size: int
    precision: str
    batches: tuple[int, ...]
    ways: tuple[str, ...]
    rivals: tuple[str, ...]
    goals: Mapping[str, float | None]
    rounds: int = 6
    longest: float = 30.0

    def case(self, model: str) -> Case:
        """``model`` is a key of models in params.yaml or, where it is none, a name of timm's."""
        try:
            declared = Params.load(ROOT / "params.yaml").model(model)
        except StudyError:
            return Case(model, model, {}, self.image_size, self.precision)
        return Case(model, declared.arch, dict(declared.arch_options), self.image_size, self.precision)


SETTINGS = {
    "cuda": Setting(
        ("resnet50", "vit_small_patch16_224"), 224, "bf16", (64, 128, 256, 512),
        ("plain", "timm", "synthetic", "ours, step", "ours"), ("plain", "timm", "synthetic"),
        {"img/s": 5000, "plain": 3, "timm": 1.3, "synthetic": 0.97},  # set for one H200
    ),
    # The models of cifar32 and of the small study, as these train them.
    "cpu": Setting(
        ("cnn32_scratch", "vit32_scratch", "cnn_scratch", "vit_scratch"), 32, "fp32", (64,),
        ("plain", "timm", "plain, step", "timm, step", "native", "bf16", "ours"), ("plain", "timm", "native"),
        {"plain": 1.5, "timm": 1.1, "plain, step": None, "timm, step": None, "native": 0.9, "bf16": None},
    ),
    # Shows in seconds that everything runs.
    "toy": Setting(("test_vit",), 32, "fp32", (8,), ("plain", "ours"), ("plain",), {}, rounds=2, longest=0.3),
}  # fmt: skip
