"""Where a result comes from: code, data, libraries, machine. Recorded by train, quoted by the report."""

import hashlib
import importlib.metadata
import platform
from pathlib import Path

LIBRARIES = ("numpy", "safetensors", "timm", "torch", "torchvision")


def libraries() -> dict[str, str]:
    """Versions of the libraries that a training runs on, as installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # torchvision may be absent
    return found


def md5s(folder: Path) -> dict[str, str]:
    """The md5 of each file in ``folder``, by name: what DVC knows them by."""
    return {path.name: _md5(path) for path in sorted(folder.iterdir()) if path.is_file()}


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def sha256(path: Path) -> str:
    """The sha256 of the file at ``path``."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def system() -> str:
    """Operating system and processor type: ``Linux-6.1-x86_64``."""
    return f"{platform.system()}-{platform.release().split('-')[0]}-{platform.machine()}"


def python() -> str:
    """Python's version: ``3.11.9``."""
    return platform.python_version()
