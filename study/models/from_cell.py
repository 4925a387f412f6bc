"""A trained cell as the source of another one's weights: its checkpoint, or the folder that tools.export made of it.

data/pretrained/<cell>/ is laid out like a repository of the Hugging Face hub: model.safetensors, the checkpoint byte for
byte, and config.json, made from the checkpoint's own record. git keeps it, for clones that have no cells.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from study.base.atomic import write
from study.base.errors import UNREADABLE, StudyError, told
from study.base.sums import sha256
from study.design import cells
from study.design.cells import Cell
from study.runtime import origin

CHECKPOINT, WEIGHTS, CONFIG = "checkpoint.safetensors", "model.safetensors", "config.json"


def fetch(cell: Cell, target: Path, pinned: str | None = None) -> Mapping[str, Any]:
    """Copy the weights of ``cell`` to ``target`` and return their configuration.

    From data/pretrained/<cell> where it is there, else from data/runs/<cell>. Raises StudyError where neither is there, where
    the checkpoint is damaged, and where the cell was trained anew since its weights were kept or their sha256 was ``pinned``.
    """
    checkpoint, kept = cells.runs(cell) / CHECKPOINT, cells.pretrained(cell) / WEIGHTS
    if not checkpoint.is_file() and not kept.is_file():
        raise StudyError(
            f"{cell} is not trained here, and {kept.parent} does not hold its weights; "
            f"dvc repro train@{cell} trains it where the study has it, and python -m stages.train {cell} wherever params.yaml "
            "declares its dataset and model."
        )
    source = kept if kept.is_file() else checkpoint
    trained = origin.checked(cell, checkpoint) if checkpoint.is_file() else None
    held = sha256(kept) if kept.is_file() else trained
    if trained not in (None, held):
        raise StudyError(
            f"{cell} has been trained anew: {checkpoint} is not what {kept.parent} holds; python -m tools.export {cell} "
            "writes the new weights there and prints the sha256 to pin, or dvc checkout brings the old checkpoint back."
        )
    if pinned is not None and held != pinned:
        doubt, back = "", "dvc checkout with the dvc.lock of then"
        if kept.is_file():  # nothing else says what it should be
            doubt, back = f" and exported, or {kept} is damaged", f"git checkout of {kept.parent}"
        raise StudyError(
            f"{cell} has been trained anew since its weights were pinned{doubt}: {source} has the sha256 {held} instead of "
            f"{pinned}, which params.yaml gives; write sha256: {held} there to start from the new ones, or {back} brings the "
            "old back."
        )
    found = configuration(source, cell)
    shutil.copyfile(source, target)
    return found


def export(cell: Cell) -> Path:
    """Write data/pretrained/<cell>/ from the checkpoint of ``cell`` and return it. Raises StudyError where there is none."""
    checkpoint, folder = cells.runs(cell) / CHECKPOINT, cells.pretrained(cell)
    found = configuration(checkpoint, cell)
    write(folder / WEIGHTS, checkpoint.read_bytes())
    write(folder / CONFIG, (json.dumps(found, indent=2) + "\n").encode())
    return folder


def configuration(file: Path, cell: Cell) -> dict[str, Any]:
    """What the record in the checkpoint ``file`` of ``cell`` says, as timm writes a config.json.

    Raises StudyError where the file is absent, damaged or of another cell.
    """
    try:
        with safe_open(file, framework="np") as content:
            record = json.loads(content.metadata()["study"])
        named = record["cell"]
        side = record["image_size"]
        settings = {key: record[key] for key in ("mean", "std", "interpolation")}
        found = {
            "architecture": record["arch"],
            "model_args": record["arch_options"],
            "num_classes": record["classes"],
            "cell": named,
            "epoch": record["epoch"],
            "pretrained_cfg": {"input_size": [3, side, side], **settings, "num_classes": record["classes"]},
        }
    except FileNotFoundError:
        raise StudyError(f"{file} is not here; python -m stages.train {cell} makes it, or dvc pull brings it.") from None
    except (SafetensorError, *UNREADABLE):
        raise StudyError(f"{file} is damaged, or not a checkpoint of this study; make it again.") from None
    if named != str(cell):
        raise StudyError(f"{file} is of {told(str(named))}, not of {cell}.")
    return found
