"""DVC's own repro, with dvc.lock written once for many stages instead of once for each.

DVC reads and writes the whole of dvc.lock for every stage that ran, so that a study of N stages pays N * N
(https://github.com/treeverse/dvc/issues/10629 is that cost in dvc commit). Here, with DVC's own parts, a finished
stage goes to the cache and the run cache at once, as always, and to dvc.lock together with others. Whatever is killed in
between is restored from the run cache by the next repro, so no training is lost. dvc.lock ends up byte for byte as DVC would
have written it, and is replaced whole: DVC itself writes it in place, which takes seconds in a large study, and a kill
within them leaves a torn file.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from study.base import atomic
from study.base.errors import StudyError, plain
from study.pipeline import rwlock
from study.pipeline.standing import recorded

SHARE = 0.1  # of the running time, at most, goes into writing dvc.lock


def reproduce(targets: Collection[str] = (), keep_going: bool = False) -> list[str]:
    """``dvc repro`` of ``targets``, or of the whole study: the names of the stages that ran or were restored.

    Raises StudyError where a stage fails; what finished before it is recorded.
    """
    on_error = "keep-going" if keep_going else "fail"
    with repository() as repo:
        batch = Batch(repo)
        try:
            done = repo.reproduce(list(targets) or None, repro_fn=batch.reproduce, on_error=on_error)
        finally:
            batch.write()
        return [stage.addressing for stage in done]


def run(names: Sequence[str]) -> None:
    """A worker's part: run the stages called ``names``, in this order, into DVC's cache and run cache.

    dvc.lock is not written, so that many workers do not wait for each other's writing: `record` takes up what they did.
    A stage that is up to date is left alone; one whose result the cache or the run cache has is restored from there.
    Raises StudyError where a stage fails or is unknown.
    """
    lock = recorded()  # before it is our turn: the others need not wait for that
    with repository() as repo:
        for stage in loaded(repo, lock, names):
            stage.reproduce()


def loaded(repo: Any, lock: Mapping[str, Any], names: Collection[str]) -> Iterator[Any]:
    """DVC's stages called ``names``, with what ``lock`` has of them: dvc.lock itself is not read once more."""
    from dvc.dvcfile import PROJECT_FILE, load_file  # type: ignore[import-untyped]

    project = load_file(repo, PROJECT_FILE)
    project.lockfile_contents = {"stages": {name: lock[name] for name in names if name in lock}}
    return map(project.stages.__getitem__, names)


def record(names: Collection[str]) -> list[str]:
    """Record in dvc.lock, in one write, those of the stages called ``names`` whose result the run cache has.

    A result counts for the present command, code, parameters and data, as in DVC. Outputs that are not in the workspace
    are checked out; nothing is ever run. Returns the names that have yet to run, because they or a stage before them
    among ``names`` did not, or are running; raises StudyError for what is no stage.
    """
    from dvc.lock import LockError  # type: ignore[import-untyped]

    with repository() as repo:
        stages = {stage.addressing: stage for stage in repo.index.stages}
        unknown = sorted(set(names) - set(stages))
        if unknown:
            raise StudyError(f"{unknown[0]} is no stage of dvc.yaml; `dvc stage list --name-only` names them.")
        batch = Batch(repo)
        left: dict[Any, None] = {}
        wanted = set(names)
        for stage in (stage for name, stage in stages.items() if name in wanted):  # dvc.yaml's order: first what others need
            with suppress(LockError):  # it is running in another process
                if left.keys().isdisjoint(repo.index.graph.successors(stage)) and batch.restore(stage):
                    continue
            left[stage] = None
        batch.write()
        return [stage.addressing for stage in left]


class Batch:
    """Stages that finished and are not in dvc.lock yet; all is called under DVC's lock."""

    def __init__(self, repo: Any):
        self.repo = repo
        self.waiting: list[Any] = []
        self.written, self.cost = time.monotonic(), 0.0  # when dvc.lock was written last, and the seconds it took

    def reproduce(self, stage: Any, **options: Any) -> Any:
        """DVC's reproduction of one stage, in place of its own function that writes dvc.lock every time."""
        done = stage.reproduce(**options)
        if done:
            self.waiting.append(done)
            if not _in_run_cache(stage) or time.monotonic() - self.written >= self.cost / SHARE:
                self.write()
        return done

    def restore(self, stage: Any) -> bool:
        """Whether ``stage`` is recorded, or could be restored from the run cache and now waits to be written."""
        from dvc.stage.cache import RunCacheNotFoundError  # type: ignore[import-untyped]

        if not all(dep.exists for dep in stage.deps):
            return False
        if not stage.changed():
            return True
        try:
            self.repo.stage_cache.restore(stage)
        except RunCacheNotFoundError:
            return False
        stage.save()
        self.waiting.append(stage)
        return True

    def write(self) -> None:
        """Put the waiting stages into dvc.lock: one read, one write."""
        from dvc.stage.serialize import to_lockfile  # type: ignore[import-untyped]
        from dvc.utils.serialize import dumps_yaml, parse_yaml_for_update  # type: ignore[import-untyped]

        if not self.waiting or not self.repo.lock.is_locked:  # not locked: a process that would not give it back has it
            return
        begin = time.monotonic()
        path = Path(self.repo.root_dir) / "dvc.lock"
        empty: dict[str, Any] = {"schema": "2.0", "stages": {}}
        content = parse_yaml_for_update(path.read_text(encoding="utf-8"), path) if path.exists() else empty
        for stage in self.waiting:
            content["stages"].update(to_lockfile(stage))
        atomic.write(path, dumps_yaml(content).encode())
        self.waiting.clear()
        self.written = time.monotonic()
        self.cost = self.written - begin


def _in_run_cache(stage: Any) -> bool:
    """Whether a stage that is not in dvc.lock can be restored: not one whose outputs persist, such as a report."""
    return all(out.use_cache and not out.persist for out in stage.outs)


@contextmanager
def repository() -> Iterator[Any]:
    """The DVC repository around, locked; waits while another process holds it."""
    from dvc.exceptions import DvcException, NotDvcRepoError  # type: ignore[import-untyped]
    from dvc.repo import Repo, lock_repo  # type: ignore[import-untyped]

    rwlock.mend()
    try:
        with Repo(_wait_for_lock=True) as repo, lock_repo(repo):
            yield repo
    except NotDvcRepoError:
        raise StudyError("this folder is in no DVC repository; go to the project's root.") from None
    except DvcException as error:
        causes = [str(error)]
        while error.__cause__ is not None:  # DVC says what failed, its causes say why
            error = error.__cause__
            causes.append(str(error))
        said = ": ".join(plain(cause).rstrip(".:") for cause in causes if cause)
        raise StudyError(f"{said}; put it right and run the same command, what finished is kept.") from None
