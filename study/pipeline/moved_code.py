"""Code that was edited and still makes the same bytes: how dvc.lock learns of it, with no output here and none made again.

`dvc commit -f` does the same for the study that is set, and needs all of its outputs.
"""

from collections.abc import Collection, Mapping
from typing import Any

from study.design.cells import Cell
from study.pipeline import lockfile, stage_names, standing
from study.settings.grid import Grid
from study.settings.params import Params

CODE = ("stages/", "study/")
Dependencies = list[dict[str, Any]]


def today() -> dict[str, Dependencies]:
    """The code that each kind of stage depends on by dvc.yaml, as it is now and as dvc.lock would have it."""
    names = stage_names.every(Grid.load(Params.load()).cells()[0])
    with lockfile.repository() as repo:
        return {stage.name.partition("@")[0]: _code(stage) for stage in lockfile.loaded(repo, {}, names)}


def record(code: Mapping[str, Dependencies], proved: Collection[Cell]) -> tuple[list[str], list[str]]:
    """Set ``code`` (see ``today``) in the entries of all cells and splits, and of the data and weights of ``proved`` cells.

    Returns the names of the entries that were changed, and of those of data and weights that were not: no cell proved them.
    """
    made = {name for cell in proved for name in stage_names.every(cell)}
    changes, left = {}, []
    with lockfile.repository():  # from the reading on: an entry that a run sets meanwhile would be lost
        for name, entry in standing.recorded().items():
            kind = name.partition("@")[0]
            if kind not in code:  # a report is made again in seconds, by dvc repro --allow-missing
                continue
            others = [each for each in entry["deps"] if not each["path"].startswith(CODE)]
            dependencies = sorted(others + code[kind], key=lambda each: str(each["path"]))
            if dependencies == entry["deps"]:
                continue
            if kind in ("download", "weights") and name not in made:
                left.append(name)
            else:
                changes[name] = entry | {"deps": dependencies}
        if changes:
            lockfile.record(changes)
    return list(changes), left


def _code(stage: Any) -> Dependencies:
    found = []
    for dependency in stage.deps:
        if str(dependency.def_path).startswith(CODE):
            dependency.save()
            size = {key: value for key, value in dependency.meta.to_dict().items() if key != "isdir"}
            path = {"path": dependency.def_path, "hash": dependency.hash_name}
            found.append(path | dependency.hash_info.to_dict() | size)
    return found
