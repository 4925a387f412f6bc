"""What dvc.lock says of a stage, held against the files, parameters and code that are here: read, never written.

The answer is that of `dvc status`, in a quarter of its time and while `dvc repro` runs, when `dvc status` refuses stages
whose outputs are being written. DVC itself resolves dvc.yaml, reads params.yaml and hashes files (with its cache of
hashes, which lies outside the project); only the comparison is done here, and each file is looked at once.
"""

import json
import re
import time
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from study.base import yaml12
from study.base.errors import UNREADABLE, StudyError
from study.base.folders import is_inside
from study.pipeline import entries
from study.pipeline.dvc_errors import asked, opened

LOCK = Path("dvc.lock")
MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")
SETTLED = 0.15  # seconds: DVC writes dvc.lock piece by piece, with pauses of a few hundredths
PATIENCE = 2.0  # seconds without a write after which nobody will end that any more


class Standing(Enum):
    """How a stage stands."""

    CURRENT = "current"  # as recorded: `dvc repro` has nothing to do
    ABSENT = "absent"  # as recorded, but outputs are not here, or not in DVC's cache: `dvc pull` brings them
    CHANGED = "changed"  # command, code, parameters, inputs or outputs are not what was recorded
    UNRECORDED = "unrecorded"  # dvc.lock does not have it


def recorded() -> Mapping[str, Any]:
    """The stages in dvc.lock by name, none where there is no such file; StudyError where it cannot be read."""
    deadline, written = 0.0, -1
    while True:
        try:
            before = LOCK.stat()
            if before.st_mtime_ns != written:
                deadline, written = time.monotonic() + PATIENCE, before.st_mtime_ns
            if not 0 <= time.time() - before.st_mtime < SETTLED:
                text = LOCK.read_text(encoding="utf-8")
                texts = entries.split(text)
                content = yaml12.load_lock(text) if texts is None and text.endswith("\n") else None
                if LOCK.stat().st_mtime_ns == before.st_mtime_ns:
                    if texts is not None:
                        return entries.Parsed(texts)
                    if isinstance(content, dict):
                        return dict(content.get("stages") or {})
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, yaml.YAMLError):
            pass
        if time.monotonic() > deadline:
            raise StudyError(
                f"{LOCK} cannot be read; try again, else mend it (its last line ends with a line break), or git checkout HEAD "
                f"{LOCK}, which loses what was recorded since."
            )
        time.sleep(SETTLED / 3)


class Pipeline:
    """The stages of dvc.yaml as they stand; a context manager, for DVC's files are open meanwhile.

    Raises StudyError where dvc cannot be imported, where this is no DVC project, and for all that stops DVC itself.
    """

    def __init__(self, lock: Mapping[str, Any]):
        self._lock = lock
        if not Path(".dvc/config").is_file():  # trainings by hand make .dvc/tmp too
            raise StudyError("this is no DVC project (there is no .dvc/config here).")
        self._repo = opened(str(Path.cwd()))
        self.cache = Path(self._repo.cache.local.path)
        with asked("read dvc.yaml and params.yaml"):
            from dvc.dependency.param import read_param_file  # type: ignore[import-untyped]
            from dvc.parsing import DataResolver  # type: ignore[import-untyped]
            from dvc.utils.serialize import load_yaml  # type: ignore[import-untyped]

            resolver = DataResolver(self._repo, self._repo.root_dir, load_yaml("dvc.yaml"))
            self._stages: Mapping[str, Any] = resolver.resolve()["stages"]
            names = {name for stage in self._stages.values() for name in stage.get("params", [])}
            self._params = read_param_file(self._repo.fs, str(Path("params.yaml").absolute()), sorted(names), flatten=True)
            self._owners = {path: name for name, stage in self._stages.items() for path in map(_path, stage["outs"])}
        self._owner_of: dict[str, str | None] = {}
        self._hashes: dict[str, str | None] = {}
        self._standings: dict[str, Standing] = {}
        self._earlier: dict[str, frozenset[str]] = {}

    def __enter__(self) -> "Pipeline":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._repo.close()

    def standing(self, name: str) -> Standing:
        """How the stage ``name`` stands. An input that is not here counts as the output that was recorded for it."""
        if name not in self._standings:
            entry = self._lock.get(name)
            self._standings[name] = self._compare(self._stages[name], entry) if entry else Standing.UNRECORDED
        return self._standings[name]

    def unfinished_before(self, name: str) -> frozenset[str]:
        """The stages before ``name``, near and far, that `dvc repro` would run first: changed, or not in dvc.lock."""
        if name not in self._earlier:
            direct = {owner for path in self._stages[name]["deps"] if (owner := self._owner(path)) is not None}
            far = frozenset[str]().union(*map(self.unfinished_before, direct))
            unfinished = (Standing.CHANGED, Standing.UNRECORDED)
            self._earlier[name] = far | {each for each in direct if self.standing(each) in unfinished}
        return self._earlier[name]

    def stages(self) -> Mapping[str, Mapping[str, Any]]:
        """The stages as dvc.yaml resolves to them, each after those whose outputs it reads."""
        return self._stages

    def repeats(self, name: str, entry: Mapping[str, Any], before: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether running the stage ``name`` after the runs ``before`` of other stages would be the run ``entry`` once more.

        ``entry`` and the values of ``before`` are written as in dvc.lock. What lies in the workspace as the output of a
        stage does not count, only code and data in git do.
        """
        stage, deps = self._stages[name], _by_path(entry, "deps")
        given = {path: md5 for each in before.values() for path, md5 in _by_path(each, "outs").items()}
        return (
            self._same_command(stage, entry)
            and _by_path(entry, "outs").keys() == set(map(_path, stage["outs"]))
            and all(
                self._hash(path) == deps[path]
                if (owner := self._owner(path)) is None
                # A file in an output folder has no md5 of its own there: the folder's stage must have run, no more is known.
                else owner in before and given.get(path, deps[path]) == deps[path]
                for path in stage["deps"]
            )
        )

    def _compare(self, stage: Mapping[str, Any], entry: Mapping[str, Any]) -> Standing:
        deps, outs = _by_path(entry, "deps"), _by_path(entry, "outs")
        if not self._same_command(stage, entry) or not all(self._same_input(path, deps[path]) for path in stage["deps"]):
            return Standing.CHANGED
        absent = False
        for out in stage["outs"]:
            path = _path(out)
            here = self._hash(path)
            if path not in outs or here not in (outs[path], None):
                return Standing.CHANGED
            absent |= here is None or not self.in_cache(outs[path])
        return Standing.ABSENT if absent else Standing.CURRENT

    def _same_command(self, stage: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
        """Whether ``entry`` has the command and the parameters of ``stage``, and all its inputs, whatever these hold."""
        then, now = (entry.get("params") or {}).get("params.yaml") or {}, self._params
        return bool(
            stage["cmd"] == entry["cmd"]
            and all(name in then and name in now and now[name] == then[name] for name in stage.get("params", []))
            and set(stage["deps"]) <= _by_path(entry, "deps").keys()
        )

    def _same_input(self, path: str, md5: str | None) -> bool:
        """Whether an input is as recorded; where it is not here, whether the stage that writes it recorded the same."""
        here = self._hash(path)
        if here is not None or self._owner(path) is None:
            return here == md5
        outs = self._lock.get(self._owners.get(path, ""), {}).get("outs") or []  # none for a file in an output folder
        return all(out.get("md5") == md5 for out in outs if out["path"] == path)

    def _owner(self, path: str) -> str | None:
        """The stage that writes ``path``, or the folder that it is in."""
        if path not in self._owner_of:
            places = map(str, (Path(path), *Path(path).parents))
            self._owner_of[path] = next((self._owners[each] for each in places if each in self._owners), None)
        return self._owner_of[path]

    def _hash(self, path: str) -> str | None:
        """The md5 of a file, or DVC's hash of a folder; None where there is nothing."""
        from dvc_data.hashfile.build import build

        if path not in self._hashes:
            repo, full = self._repo, str(Path(path).absolute())
            try:
                content = build(repo.cache.local, full, repo.fs, "md5", ignore=repo.dvcignore, dry_run=True)[2]
                self._hashes[path] = content.hash_info.value
            except FileNotFoundError:
                self._hashes[path] = None
        return self._hashes[path]

    def in_cache(self, md5: str) -> bool:
        """Whether DVC's cache has the object, for a folder all its files too, whose names must not lead out of it."""
        try:
            listing = json.loads(self.object_path(md5).read_bytes()) if md5.endswith(".dir") else []
            inside = all(is_inside(file["relpath"]) for file in listing)
            return inside and all(self.object_path(each).is_file() for each in (md5, *(file["md5"] for file in listing)))
        except UNREADABLE:
            return False

    def object_path(self, md5: str) -> Path:
        """Where DVC's cache keeps the object ``md5``, whether it has it or not. Raises ValueError for what is no md5."""
        if not MD5.fullmatch(md5):
            raise ValueError(f"{md5} is no md5")
        return self.cache / md5[:2] / md5[2:]


def _by_path(entry: Mapping[str, Any], kind: str) -> dict[str, str]:
    """The md5 of each of the deps or outs of an entry of dvc.lock."""
    return {each["path"]: each.get("md5", "") for each in entry.get(kind) or []}


def _path(out: str | Mapping[str, Any]) -> str:
    """The path of an output in dvc.yaml, written alone or with options."""
    return out if isinstance(out, str) else next(iter(out))
