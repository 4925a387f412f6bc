"""Files written whole or not at all, and the checkpoint of a cell as safetensors: nothing is ever unpickled."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from stages.lib.errors import StudyError


def write(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` so that a reader, or a power loss, meets the old file or the new one, whole.

    The temporary file has one fixed name: what a killed process left is overwritten, not piled up. Raises OSError that
    names ``path``, the old file being in place still.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        error.filename = str(path)  # a full disk fails in write(), which names no file
        raise


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` outlive a power loss."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def pack(tensors: Mapping[str, Tensor], study: Mapping[str, Any]) -> bytes:
    """``tensors`` and the record ``study`` as the bytes of a safetensors file, the same bytes every time.

    The record is one JSON string under one key, because safetensors writes several keys in no fixed order.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save(plain, metadata={"study": json.dumps(study, sort_keys=True)})


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors (on the CPU) and record of a file that ``pack`` made; StudyError where it is absent, damaged or foreign."""
    try:
        with safe_open(path, framework="pt") as file:
            study = json.loads(file.metadata()["study"])
            return {name: file.get_tensor(name) for name in file.keys()}, study  # noqa: SIM118 (not a dict)
    except FileNotFoundError:
        raise StudyError(f"{path} is not here; the stage train makes it.") from None
    except (SafetensorError, KeyError, TypeError, ValueError):
        raise StudyError(f"{path} is damaged, or not a checkpoint of this study; make it again with the stage train.") from None
