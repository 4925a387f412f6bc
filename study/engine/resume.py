"""What a killed training needs to go on, outside DVC's outs, and the locks that keep two trainings apart.

    <root>/.dvc/tmp/training/<cell>/<key>/0007.safetensors       model and optimizer after epoch 7
                                          best-0005.safetensors  the checkpoint of the best epoch, as it will be written
                                          0007.json              where the training stands, and the sha256 of both

<root> is where dvc was started (for a queued or temporary experiment, the original repository). The key is made of all
that determines the result, so that no other training can pick the state up. The last two epochs are kept: where the
files of one do not have the sums that its JSON records, the one before serves.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.base import atomic
from study.base.console import say
from study.base.errors import UNREADABLE, StudyError
from study.design.cells import Cell
from study.settings import at_work

KEPT = 2


def folder(cell: Cell) -> Path:
    """Where the states of a cell's trainings lie, one folder per key."""
    return Path(os.environ.get("DVC_ROOT") or ".") / ".dvc" / "tmp" / "training" / str(cell)


def workspace_lock(cell: Cell) -> Path:
    """The lock of a cell's outs in this workspace, whatever its recipe is."""
    return Path(".dvc") / "tmp" / "training" / f"{cell}.lock"


def key(determinants: Mapping[str, Any]) -> str:
    """The sha256 of everything that determines the result of a training, given as plain data."""
    return hashlib.sha256(json.dumps(determinants, sort_keys=True).encode()).hexdigest()


@contextlib.contextmanager
def exclusive(path: Path, cell: Cell) -> Iterator[None]:
    """Hold the lock file ``path``; StudyError where another process holds it. The system frees it when we die."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            if not at_work.locked(file.fileno()):
                raise StudyError(f"{cell} is being trained by another process; wait for it, or stop it first.")
            if _is(path, file.fileno()):  # else clear() removed it between open and flock
                yield
                return


def _is(path: Path, handle: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(handle).st_ino
    except FileNotFoundError:
        return False


@dataclass(frozen=True)
class State:
    """A training after ``epoch`` epochs: what stands in the JSON file, and the bytes of the two safetensors files."""

    epoch: int
    best_epoch: int
    record: dict[str, Any]
    tensors: bytes
    best: bytes


class Store:
    """The states of one training. Use it while holding ``lock``."""

    def __init__(self, cell: Cell, key: str):
        self._folder = folder(cell) / key
        self.lock = self._folder / "lock"

    def save(self, state: State) -> None:
        """Put ``state`` on disk; the states before it stay good until it is whole. Raises OSError."""
        files = {_tensors(state.epoch): state.tensors, _best(state.best_epoch): state.best}
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        for name, content in files.items():
            if name != _best(state.best_epoch) or not (self._folder / name).exists():
                atomic.write(self._folder / name, content)
        body = {"epoch": state.epoch, "best_epoch": state.best_epoch, "files": sums, "record": state.record}
        envelope = {"body": body, "sha256": key(body)}
        atomic.write(self._folder / _json(state.epoch), json.dumps(envelope, indent=1).encode())
        self._drop_old()

    def load(self) -> State | None:
        """The latest state that is whole, None where there is none. Says which ones are damaged, and drops them."""
        for path in reversed(self._records()):
            state = self._read(path)
            if state is not None:
                return state
            say(f"the saved state {path} is damaged; the training goes on from the one before it, or from the start.")
            path.unlink()
        for path in self._folder.glob("*.safetensors"):  # of no use without their JSON
            path.unlink()
        return None

    def _records(self) -> list[Path]:
        """The JSON files, the latest epoch last."""
        numbered = (path for path in self._folder.glob("*.json") if path.stem.isdecimal())  # no "0007 (copy).json"
        return sorted(numbered, key=lambda path: int(path.stem))

    def _read(self, path: Path) -> State | None:
        try:
            envelope = json.loads(path.read_bytes())
            body = envelope["body"]
            if envelope["sha256"] != key(body) or path.name != _json(body["epoch"]):
                return None
            contents = []
            for name in (_tensors(body["epoch"]), _best(body["best_epoch"])):
                content = (self._folder / name).read_bytes()
                if hashlib.sha256(content).hexdigest() != body["files"][name]:
                    (self._folder / name).unlink()
                    return None
                contents.append(content)
            return State(body["epoch"], body["best_epoch"], body["record"], contents[0], contents[1])
        except UNREADABLE:
            return None

    def _drop_old(self) -> None:
        """Keep the last states and the files that they name."""
        wanted = {"lock"}
        for path in self._records()[-KEPT:]:
            wanted |= {path.name, *json.loads(path.read_bytes())["body"]["files"]}
        for path in self._folder.iterdir():
            if path.name not in wanted:
                path.unlink()


def clear(cell: Cell, checkpoint_sha256: str) -> None:
    """Remove the states of ``cell`` that ended in the checkpoint of that sha256: it is tested, they are of no use any more.

    Those of other trainings of the cell (a queued experiment with another recipe) stay, and so does one that is running.
    """
    for each in filter(Path.is_dir, folder(cell).glob("*")):
        with contextlib.suppress(StudyError), exclusive(each / "lock", cell):
            state = Store(cell, each.name).load()
            if state is None or hashlib.sha256(state.best).hexdigest() == checkpoint_sha256:
                shutil.rmtree(each, ignore_errors=True)
    with contextlib.suppress(OSError):  # others are left, or there were none
        folder(cell).rmdir()


def _json(epoch: int) -> str:
    return f"{epoch:04}.json"


def _tensors(epoch: int) -> str:
    return f"{epoch:04}.safetensors"


def _best(epoch: int) -> str:
    return f"best-{epoch:04}.safetensors"
