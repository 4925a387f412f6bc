"""The checkpoint of a cell, as safetensors: nothing is ever unpickled."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from study.base.errors import UNREADABLE, StudyError
from study.design.recipe import CHOICES
from study.models.card import Normalisation

FILE = "checkpoint.safetensors"
LARGEST = 1 << 16  # classes, or pixels of a side


@dataclass(frozen=True)
class Checkpoint:
    """What the file says beside its tensors: all that evaluate needs to know of the model and of the images it expects."""

    cell: str
    arch: str
    arch_options: Mapping[str, Any]
    classes: int
    image_size: int  # pixels of a side
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str
    precision: str
    epoch: int  # from 1

    def pack(self, tensors: Mapping[str, Tensor]) -> bytes:
        """The file's bytes, the same every time: one JSON string under one key, as safetensors keeps no order of keys."""
        return packed(tensors, {"study": json.dumps(asdict(self), sort_keys=True)})

    @classmethod
    def read(cls, path: Path) -> tuple[dict[str, Tensor], "Checkpoint"]:
        """Tensors (on the CPU) and record of the file ``path``; StudyError where it is absent, damaged or foreign."""
        try:
            with safe_open(path, framework="pt") as file:
                record = json.loads(file.metadata()["study"])
                found = cls(**record | vars(Normalisation.parse(record, str(path))))
                if not found._sound():
                    raise ValueError
                return {name: file.get_tensor(name) for name in file.keys()}, found  # noqa: SIM118 (not a dict)
        except FileNotFoundError:
            raise StudyError(f"{path} is not here; the stage train makes it.") from None
        except (SafetensorError, StudyError, *UNREADABLE):
            raise StudyError(
                f"{path} is damaged, or not a checkpoint of this study; make it again with the stage train."
            ) from None

    def _sound(self) -> bool:
        """Whether this can be one of ours: a file from elsewhere may claim anything, a size of terabytes too."""
        return (
            all(isinstance(text, str) for text in (self.cell, self.arch))
            and isinstance(self.arch_options, dict)
            and all(type(number) is int and 0 < number <= LARGEST for number in (self.classes, self.image_size))
            and type(self.epoch) is int
            and self.epoch > 0
            and self.precision in CHOICES["precision"]
        )


def packed(tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """``tensors`` as the bytes of a safetensors file."""
    return save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, metadata)
