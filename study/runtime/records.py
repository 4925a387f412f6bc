"""What a training took, and on which machine: data/records/<cell>.json, which git ignores and no stage depends on.

It differs from run to run while the result does not. Status, the fan-out and --dry-run estimate times by it; a cell that was
trained by hand takes a copy along to data/measured/<cell>/.
"""

import json
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

from study.base.atomic import write
from study.base.errors import UNREADABLE
from study.design import cells
from study.design.cells import Cell

FILE = "record.json"


@dataclass(frozen=True)
class Record:
    """One training: seconds of its epochs, validation included, over all runs that it took; and what it ran on."""

    cell: str
    image_size: int
    batch_size: int
    precision: str
    full_images: int  # train images of fraction 1.0
    wall_seconds: float
    images_per_second: float
    device: str
    python: str
    platform: str
    code_sha256: str
    wandb_run_id: str | None

    def save(self) -> None:
        """Write data/records/<cell>.json."""
        write(path(Cell.parse(self.cell)), (json.dumps(asdict(self), indent=1) + "\n").encode())

    @classmethod
    def load(cls, file: Path) -> "Record | None":
        """The record in ``file``; None where there is none that can be read: nothing depends on it."""
        try:
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        except UNREADABLE:
            return None


def path(cell: Cell) -> Path:
    """Where the record of ``cell`` lies on this machine."""
    return cells.DATA / "records" / f"{cell}.json"


def system() -> str:
    """Operating system and processor type: ``Linux-6.1-x86_64``."""
    return f"{platform.system()}-{platform.release().split('-')[0]}-{platform.machine()}"


def python() -> str:
    """Python's version: ``3.11.9``."""
    return platform.python_version()
