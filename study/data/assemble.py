"""From lists of image files to a Dataset: both parts decoded, unreadable files dealt with, the digest checked."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from stages.lib.console import say
from stages.lib.engine.dataset import Dataset
from stages.lib.errors import StudyError
from study.data.decode import Decoded, Item, decode

NAMED = 5  # files that a message names before it only counts


def assembled(
    parts: Mapping[str, Sequence[Item]],
    classes: Sequence[str],
    options: Mapping[str, object],
    draft: Path,
    besides: Iterable[Path] = (),
    root: Path | None = None,
) -> Dataset:
    """The dataset of ``parts``, "train" and "test"; its images are memory maps of files in the folder ``draft``.

    ``options``: side, fit, unreadable ("stop" or "skip") and md5 (None: said, not checked). The digest is over the files
    of the items and over ``besides``, files below ``root`` that say which image has which label. Raises StudyError.
    """
    side, fit = options["side"], options["fit"]
    assert isinstance(side, int) and isinstance(fit, str)
    done = {part: decode(items, len(items), side, fit, draft / f"{part}_images.npy") for part, items in parts.items()}
    _unreadable([failure for decoded in done.values() for failure in decoded.unreadable], options["unreadable"] == "skip")
    sums = [entry for decoded in done.values() for entry in decoded.sums]
    sums += [(path.relative_to(root or path.parent).as_posix(), _md5(path.read_bytes())) for path in besides]
    _checked(digest(sums), options["md5"])
    return Dataset(*_arrays(done["train"], draft, "train"), *_arrays(done["test"], draft, "test"), tuple(classes))


def digest(sums: Iterable[tuple[str, str]]) -> str:
    """The md5 of a list of files, given their names and md5 sums: of what ``md5sum`` prints for them in order of names."""
    lines = sorted((name.encode("utf-8", "surrogateescape"), md5.encode("ascii")) for name, md5 in sums)
    return _md5(b"".join(md5 + b"  " + name + b"\n" for name, md5 in lines))


def some(names: Sequence[str]) -> str:
    """The first few of ``names``, for a message that counts the rest."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")


def _unreadable(failures: Sequence[tuple[str, str]], skip: bool) -> None:
    if not failures:
        return
    listed = some([f"{name} ({reason})" for name, reason in failures])
    if not skip:
        raise StudyError(
            f"{len(failures):,} image{'s' * (len(failures) > 1)} cannot be read: {listed}; mend or remove them, or write "
            f"unreadable: skip into the dataset's source in params.yaml."
        )
    say(f"skipped {len(failures):,} unreadable images: {listed}")


def _checked(found: str, md5: object) -> None:
    if md5 is None:
        say(f"md5 of the list of files: {found}")
    elif found != md5:
        raise StudyError(
            f"the files of the dataset have the md5 {found} instead of {md5}: some were added, removed or changed; bring "
            f"them back, or write the new md5 into the dataset's source in params.yaml."
        )


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _arrays(decoded: Decoded, draft: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, side, side, 3) as a memory map, and labels (N,)."""
    images = np.load(draft / f"{part}_images.npy", mmap_mode="r", allow_pickle=False)
    return images, np.asarray(decoded.labels, dtype=np.int64)
