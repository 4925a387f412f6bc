"""The checkpoint of a cell, as safetensors: nothing is ever unpickled."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from study.base.errors import UNREADABLE, StudyError
from study.design.recipe import CHOICES, is_number

FILE = "checkpoint.safetensors"
LARGEST = 1 << 16  # classes, or pixels of a side
# What evaluate needs to know of the model and its images; train adds the epoch.
RECORD = frozenset({"cell", "arch", "arch_options", "classes", "image_size", "mean", "std", "interpolation", "precision"})


def pack(tensors: Mapping[str, Tensor], study: Mapping[str, Any]) -> bytes:
    """``tensors`` and the record ``study`` as the bytes of a safetensors file, the same bytes every time.

    The record is one JSON string under one key, because safetensors writes several keys in no fixed order.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save(plain, metadata={"study": json.dumps(study, sort_keys=True)})


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors (on the CPU) and record of a checkpoint; StudyError where it is absent, damaged or foreign."""
    try:
        with safe_open(path, framework="pt") as file:
            study = json.loads(file.metadata()["study"])
            if not study.keys() >= RECORD or not _sound(study):
                raise ValueError
            return {name: file.get_tensor(name) for name in file.keys()}, study  # noqa: SIM118 (not a dict)
    except FileNotFoundError:
        raise StudyError(f"{path} is not here; the stage train makes it.") from None
    except (SafetensorError, *UNREADABLE):
        raise StudyError(f"{path} is damaged, or not a checkpoint of this study; make it again with the stage train.") from None


def _sound(study: Mapping[str, Any]) -> bool:
    """Whether the record can be one of ours: a file from elsewhere may claim anything, a size of terabytes too."""
    numbers = [*study["mean"], *study["std"]]
    return (
        all(isinstance(study[key], str) for key in ("cell", "arch", "interpolation"))
        and isinstance(study["arch_options"], dict)
        and all(type(study[key]) is int and 0 < study[key] <= LARGEST for key in ("classes", "image_size"))
        and len(study["mean"]) == len(study["std"]) == 3
        and all(map(is_number, numbers))
        and min(study["std"]) > 0
        and study["interpolation"] in ("bilinear", "bicubic")
        and study["precision"] in CHOICES["precision"]
    )
