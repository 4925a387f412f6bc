"""DVC's own repro, in which the entry of a stage that ran takes its place in the text of dvc.lock.

DVC parses and dumps the whole of dvc.lock for every stage that ran, so that a study of N stages pays N * N
(https://github.com/treeverse/dvc/issues/10629 is that cost in dvc commit). Here, with DVC's own parts, a finished stage
goes to the cache and the run cache as always, and its entry alone is dumped. dvc.lock ends up byte for byte as DVC would
have written it, and is replaced whole: DVC itself writes it in place, which takes seconds in a large study, and a kill
within them leaves a torn file.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from study.base import atomic
from study.pipeline import entries, rwlock
from study.pipeline.dvc_errors import opened, translated
from study.pipeline.standing import LOCK, recorded


def reproduce(targets: Collection[str] = (), keep_going: bool = False) -> list[str]:
    """``dvc repro`` of ``targets``, or of the whole study: the names of the stages that ran or were restored.

    Raises StudyError where a stage fails; what finished before it is recorded.
    """
    on_error = "keep-going" if keep_going else "fail"
    with repository() as repo:
        done = repo.reproduce(list(targets) or None, repro_fn=_reproduced, on_error=on_error)
        return [stage.addressing for stage in done]


def reproduce_alone(names: Sequence[str]) -> list[str]:
    """``dvc repro --single-item`` of the stages called ``names``, in this order: those that ran or were restored.

    The rest of dvc.lock is not parsed, nor is dvc.yaml resolved for it. Raises StudyError where a stage fails or is unknown.
    """
    with repository() as repo:  # dvc.lock is read under it: what another process records meanwhile shall not run again
        return [stage.name for stage in loaded(repo, recorded(), names) if _reproduced(stage)]


def loaded(repo: Any, lock: Mapping[str, Any], names: Collection[str]) -> Iterator[Any]:
    """DVC's stages called ``names``, with what ``lock`` has of them: dvc.lock itself is not read once more."""
    from dvc.dvcfile import PROJECT_FILE, load_file  # type: ignore[import-untyped]

    project = load_file(repo, PROJECT_FILE)
    project.lockfile_contents = {"stages": {name: lock[name] for name in names if name in lock}}
    return map(project.stages.__getitem__, names)


def _reproduced(stage: Any, **options: Any) -> Any:
    """DVC's reproduction of one stage, in place of its own function that parses and dumps all of dvc.lock."""
    done = stage.reproduce(**options)
    if done:
        from dvc.stage.serialize import to_lockfile  # type: ignore[import-untyped]

        record(to_lockfile(done))
    return done


def record(changes: Mapping[str, Any]) -> None:
    """Set the entries of stages in dvc.lock, and take away those that are None; called under DVC's lock."""
    from dvc.utils.serialize import dumps_yaml, parse_yaml_for_update  # type: ignore[import-untyped]

    text = LOCK.read_text(encoding="utf-8") if LOCK.exists() else entries.HEAD
    texts = entries.split(text)
    if texts is None:  # somebody edited it: all of it is parsed, and their comments stay
        content = parse_yaml_for_update(text, LOCK)
        _change(content.setdefault("stages", {}), changes)
        text = dumps_yaml(content)
    else:
        dumped = {name: entry and dumps_yaml({"stages": {name: entry}}) for name, entry in changes.items()}
        _change(texts, {name: entry and entry.removeprefix("stages:\n") for name, entry in dumped.items()})
        text = entries.HEAD + "".join(texts.values()) if texts else dumps_yaml({"schema": "2.0", "stages": {}})
    atomic.write(LOCK, text.encode())


def _change(stages: Any, changes: Mapping[str, Any]) -> None:
    """Set entries by name, and take away those that are None."""
    for name, entry in changes.items():
        if entry is None:
            stages.pop(name, None)
        else:
            stages[name] = entry


@contextmanager
def repository() -> Iterator[Any]:
    """The DVC repository around, locked; waits while another process holds it."""
    rwlock.mend()
    with translated(), opened(_wait_for_lock=True) as repo:
        from dvc.repo import lock_repo  # type: ignore[import-untyped]

        with lock_repo(repo):
            yield repo
