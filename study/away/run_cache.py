"""What the records of runs on the remote (DVC's run cache) say of the study as it stands here, and dvc.lock made of it.

A record is what dvc.lock would hold of one run of one stage: command, code, parameters and inputs, and the md5 of the
outputs. Its file is called by the sha256 of its content, so that one that is damaged or half sent is known.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from study.base import yaml12
from study.base.errors import UNREADABLE, StudyError
from study.base.sums import md5 as md5_of
from study.design import cells
from study.design.cells import Cell
from study.pipeline import lockfile
from study.pipeline.standing import MD5, Pipeline
from study.settings import plain

Entry = Mapping[str, Any]  # of dvc.lock


@dataclass(frozen=True)
class Fitting:
    """The runs that fit the study as it stands, one for each stage that has any.

    ``twice`` holds the cells that several trainings came to different results for, and whether their checkpoints are the same
    bytes. Trainings with the same result are one record.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    twice: dict[Cell, bool] = field(default_factory=dict)


def find(pipeline: Pipeline, lock: Mapping[str, Entry], runs: Path) -> Fitting:
    """The runs that fit, out of ``lock`` and of the records below ``runs``, chosen stage by stage from the first on.

    A run whose outputs are in the cache here comes first, so that a finished cell stays what it is; then the newest record
    (DVC would take that one too), then one that dvc.lock alone knows.
    """
    by_command: dict[str, list[Entry]] = defaultdict(list)
    for record in _records(runs):
        by_command[record["cmd"]].append(record)
    found = Fitting()
    for name, stage in pipeline.stages().items():
        if name.startswith("aggregate@"):  # its report is in git, and made here
            continue
        known = [lock[name]] if name in lock else []
        fitting = [each for each in by_command[stage["cmd"]] if pipeline.repeats(name, each, found.entries)]
        known = [each for each in known if pipeline.repeats(name, each, found.entries)]
        here = [each for each in known if all(map(pipeline.in_cache, _objects(each)))]
        if candidates := [*here, *fitting, *known]:
            found.entries[name] = candidates[0]
        if name.startswith("train@") and len(fitting) > 1:
            cell = Cell.parse(name.removeprefix("train@"))
            found.twice[cell] = len({_checkpoint(each, cell) for each in fitting}) == 1
    return found


def broken(pipeline: Pipeline, entry: Entry) -> list[str]:
    """Outputs of ``entry`` that DVC's cache does not have whole; a listing of a folder that is not its md5 is dropped there.

    DVC's ``verify`` looks at files alone, and believes a listing.
    """
    for md5 in _objects(entry):
        path = pipeline.object_path(md5)
        if md5.endswith(".dir") and path.is_file() and md5_of(path) != md5.removesuffix(".dir"):
            path.unlink()
    return [out["path"] for out in entry["outs"] if not pipeline.in_cache(out["md5"])]


def write(changes: Mapping[str, Entry | None]) -> None:
    """Set entries in dvc.lock, and take away those that are None. The rest stays as it is.

    Waits while another process holds DVC's lock.
    """
    with lockfile.repository():
        lockfile.record(changes)


def _records(runs: Path) -> Iterator[Entry]:
    """The records below ``runs``, the newest first; those that are not what their name says are passed over."""
    from dvc.utils import dict_sha256  # type: ignore[import-untyped]

    for path in sorted(runs.glob("*/*/*"), key=lambda each: each.stat().st_mtime_ns, reverse=True):
        try:
            record = yaml12.load(path.read_text(encoding="utf-8"))
            plain.check(record, path.name)  # references to references: their hash is taken of all that is written out
            whole = _sound(record) and dict_sha256(record, exclude=["size", "nfiles"]) == path.name
        except (*UNREADABLE, yaml.YAMLError, StudyError):
            continue
        if whole:
            yield record


def _sound(record: Any) -> bool:
    """Whether a record is made as DVC makes it; one on the remote may be anybody's, and its md5 will be part of a path."""
    try:
        each = [*(record.get("deps") or []), *record["outs"]]
        params = (record.get("params") or {}).get("params.yaml") or {}
        return (
            isinstance(record["cmd"], str)
            and isinstance(params, dict)
            and all(isinstance(one["path"], str) and MD5.fullmatch(one["md5"]) is not None for one in each)
        )
    except UNREADABLE:
        return False


def _objects(entry: Entry) -> list[str]:
    return [out["md5"] for out in entry["outs"]]


def _checkpoint(entry: Entry, cell: Cell) -> str:
    """The md5 of the checkpoint's folder."""
    return next(str(out["md5"]) for out in entry["outs"] if out["path"] == cells.runs(cell).as_posix())
