"""Output folders of recorded stages, between DVC's cache, a remote and the workspace; dvc.lock is read once for all of them.

`dvc pull` and `dvc push` (3.67) read it anew for each target. Given names of stages and paths in one call, they also leave
out most of them without a word.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from study.base.errors import StudyError, told
from study.base.folders import is_inside
from study.pipeline.lockfile import loaded, repository


def pull(remote: str, lock: Mapping[str, Any], wanted: Mapping[str, Path], listed: Mapping[str, Path]) -> None:
    """Bring folders from ``remote`` into the cache and the workspace; ``wanted`` maps the stages in ``lock`` to theirs.

    Of the folders ``listed`` the lists of their files come into the cache, and no more. Raises StudyError where a file is not
    there or damaged, and where one of the workspace that is nowhere else would be lost.
    """
    with repository() as repo:
        outs = list(_outs(repo, lock, wanted))
        lists = {out.hash_info: str(out) for out in (*outs, *_outs(repo, lock, listed))}
        repo.cloud.pull(lists, remote=remote)
        files = lists | _files(outs, remote)
        repo.cloud.pull(files, remote=remote)
        _demand(files, repo.cache.local, remote)
        _put(outs)


def fetch(remote: str, lock: Mapping[str, Any], names: Collection[str]) -> None:
    """Bring what ``remote`` has of the outputs of the stages ``names`` in ``lock`` into the cache, and leave out the rest."""
    with repository() as repo:
        outs = [out for stage in loaded(repo, lock, names) for out in stage.outs]
        repo.cloud.pull({out.hash_info: str(out) for out in outs}, remote=remote)
        repo.cloud.pull(_files([out for out in outs if out.get_obj() is not None], remote), remote=remote)


def checkout(lock: Mapping[str, Any], names: Collection[str]) -> None:
    """Put the outputs of the stages ``names`` in ``lock`` from the cache into the workspace.

    Raises StudyError where a file of the workspace that is nowhere else would be lost.
    """
    with repository() as repo:
        _put(out for stage in loaded(repo, lock, names) for out in stage.outs)


def push(remote: str, lock: Mapping[str, Any], wanted: Mapping[str, Path], listed: Mapping[str, Path]) -> None:
    """Put folders from the cache on ``remote``, and the mere lists of the files of those ``listed``.

    Raises StudyError where a file is not in the cache, or does not arrive.
    """
    with repository() as repo:
        files = _files(_outs(repo, lock, wanted), "the cache")
        files |= {out.hash_info: str(out) for out in _outs(repo, lock, listed)}
        _demand(files, repo.cache.local, "the cache")
        repo.cloud.push(files, remote=remote)
        _demand(files, repo.cloud.get_remote_odb(remote), remote)


def _put(outs: Iterable[Any]) -> None:
    """Outputs from the cache into the workspace."""
    from dvc.exceptions import ConfirmRemoveError  # type: ignore[import-untyped]

    for out in outs:
        _content(out)
        try:
            out.checkout()
        except ConfirmRemoveError:
            raise StudyError(
                f"{out} was edited here, and DVC's cache does not have the edit; move it away and run the same command again."
            ) from None


def _outs(repo: Any, lock: Mapping[str, Any], wanted: Mapping[str, Path]) -> Iterator[Any]:
    """DVC's outputs at those paths."""
    for stage, path in zip(loaded(repo, lock, wanted), wanted.values(), strict=True):
        yield from (out for out in stage.outs if out.def_path == str(path))


def _files(outs: Iterable[Any], place: str) -> dict[Any, str]:
    """The hashes of folders and of the files in them, with their paths; StudyError where the list of these files is missing."""
    found = {}
    for out in outs:
        found[out.hash_info] = str(out)
        content = _content(out)
        if content is None:
            raise _absent(str(out), out.hash_info, place)
        found |= {md5: "/".join((str(out), *name)) for name, _, md5 in content}
    return found


def _content(out: Any) -> Any:
    """The files of an output's folder; None where their list is not in the cache. StudyError where one would lie outside it.

    DVC itself writes wherever a list says, and a list whose md5 is right may still be anybody's.
    """
    content = out.get_obj()
    for name, *_ in content or ():
        if not is_inside("/".join(name)):
            raise StudyError(
                f"the list of the files of {out} has {told('/'.join(name))}, which lies outside it; do not use it."
            )
    return content


def _demand(files: Mapping[Any, str], store: Any, place: str) -> None:
    """StudyError where ``store`` lacks one of ``files``: of those that could not be transferred DVC writes to its log alone."""
    for md5, path in files.items():
        if not store.exists(md5.value):
            raise _absent(path, md5, place)


def _absent(path: str, md5: Any, place: str) -> StudyError:
    return StudyError(f"{path} is not in {place}, or damaged there (its md5 is {md5.value}); dvc repro makes it again.")
