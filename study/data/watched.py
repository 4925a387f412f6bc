"""Whether DVC sees when the files of a dataset change: those below data/own/<dataset>/, which the download stage depends on.

data/own/<dataset> may be a link to a folder elsewhere, which DVC follows; links to folders inside it, DVC does not follow.
Files in other places must be pinned, by the md5 of their list or the sha256 of their archive: then they cannot change
unnoticed, since the download stage checks it.
"""

import os
from pathlib import Path

from study.base.errors import StudyError, listed

OWN = Path("data", "own")  # DVC's stages run in the project's root


def is_watched(path: str | Path, dataset: str) -> bool:
    """Whether ``path`` lies below data/own/``dataset``. Raises StudyError where DVC would not see all that lies there."""
    place = Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111 (Path.resolve would follow the link)
    own = Path(os.path.abspath(OWN / dataset))  # noqa: PTH100
    if not place.is_relative_to(own):
        return False
    links = [
        os.path.join(directory, name)  # noqa: PTH118
        for directory, subfolders, _ in os.walk(OWN / dataset)
        for name in subfolders
        if os.path.islink(os.path.join(directory, name))  # noqa: PTH114, PTH118
    ]
    if links:
        raise StudyError(
            f"DVC does not look into links to folders below {OWN / dataset}: {listed(sorted(links))}; make {OWN / dataset} "
            f"itself the link, or copy the files."
        )
    return True


def refuse(path: str, dataset: str, digest: str, packed: bool) -> None:
    """Raise StudyError: the files at ``path`` are neither watched nor pinned; ``digest`` is the md5 of their list.

    ``packed``: they come in an archive, whose sha256 pins them too.
    """
    or_sha256 = " (or sha256: what `sha256sum` prints for the archive)" if packed else ""
    raise StudyError(
        f"DVC does not see when files of {path} change: write md5: {digest}{or_sha256} into datasets.{dataset}.source in "
        f"params.yaml, which pins them as they are now, or make {OWN / dataset} a link to their folder and let path begin with "
        f"{OWN / dataset}, which re-runs the study when they change."
    )
