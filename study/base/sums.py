"""Checksums of files: the md5 that DVC knows a file by, and the sha256 that pins it."""

import hashlib
from pathlib import Path


def md5s(paths: list[Path]) -> dict[str, str]:
    """The md5 of each of ``paths``, by file name: what DVC knows them by."""
    return {path.name: md5(path) for path in paths}


def md5(path: Path) -> str:
    """The md5 of the file at ``path``."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def sha256(path: Path) -> str:
    """The sha256 of the file at ``path``."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
