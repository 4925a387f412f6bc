"""Which files of this project a stage runs: what dvc.yaml must list as its dependencies, and what keys a resume state.

Found by walking the import statements, without importing anything; a test holds dvc.yaml to it.
"""

import ast
import hashlib
from functools import lru_cache
from pathlib import Path

from study.base.errors import StudyError

# Rooms that cannot change a result, so that a change in them must not cost a night of training: base writes files whole and
# talks, settings reads parameters whose values DVC sees by itself (`params:` in dvc.yaml), runtime keeps records and devices.
EXEMPT = ("study/base/", "study/runtime/", "study/settings/")
DECIDES = "study/settings/sources.py"  # in one of them: what a dataset's option means that params.yaml leaves out
ROOTS = ("stages", "study")
_begun: dict[str, str] = {}


def files(module: str, root: Path = Path()) -> list[str]:
    """Paths, from ``root`` and sorted, of ``module`` and all project modules it imports.

    Modules of exempt rooms are left out, but for DECIDES, and so is what only they import.
    """
    found: set[str] = set()
    pending = [module]
    while pending:
        path = _path(pending.pop(), root)
        if path is None or path in found or (path.startswith(EXEMPT) and path != DECIDES):
            continue
        found.add(path)
        pending.extend(_imports((root / path).read_text(encoding="utf-8")))
    return sorted(found)


def begin(module: str) -> None:
    """Remember the code of ``module`` as it starts, for its first ``digest``.

    Between the two, torch is imported: for seconds in which old files were read already, and new ones would be taken for them.
    """
    _begun[module] = digest(module)


def digest(module: str, root: Path = Path()) -> str:
    """One sha256 over the bytes of ``files(module)`` and their paths. StudyError where they are edited since ``begin``."""
    total = hashlib.sha256()
    for path in files(module, root):
        total.update(f"{path}\0{hashlib.sha256((root / path).read_bytes()).hexdigest()}\n".encode())
    found = total.hexdigest()
    if _begun.pop(module, found) != found:
        raise StudyError(f"code of {module} was edited while it started, so nothing was done; run the same command again.")
    return found


def _path(module: str, root: Path) -> str | None:
    """The file of ``module`` below ``root``, None for a package without code and for other people's modules."""
    base = module.replace(".", "/")
    for path in (f"{base}.py", f"{base}/__init__.py"):
        if (root / path).is_file():
            return path if (root / path).stat().st_size else None
    return None


@lru_cache(256)  # stages look twice, for edits while they run
def _imports(source: str) -> tuple[str, ...]:
    """Project modules that ``source`` imports, at the top or inside a function; names may turn out not to be modules."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(name for name in names if name.split(".")[0] in ROOTS)
