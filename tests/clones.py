"""Clones of this repository for tests that run DVC for real."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

GIT_IDENTITY = {
    f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in (("NAME", "t"), ("EMAIL", "t@localhost"))
}


def sh(folder: Path, *command: str, fails: bool = False, **env: str) -> str:
    """Run ``command`` in ``folder`` with this test run's interpreter first on the path; its output, both streams."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **GIT_IDENTITY, "PATH": path, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1500,
    )
    assert (done.returncode != 0) == fails, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def ran(output: str) -> set[str]:
    """The stages that a ``dvc repro`` or ``dvc exp run`` started."""
    return set(re.findall(r"Running stage '([^']+)'", output))


def commit(folder: Path, message: str) -> None:
    """Commit everything that changed in the clone."""
    sh(folder, "git", "add", "--all")
    sh(folder, "git", "commit", "--quiet", "--allow-empty", "--no-verify", "-m", message)


def working_tree(root: Path, target: Path, shipped: bool = False) -> Path:
    """A new repository at ``target`` on branch main, with the files of ``root`` that git does not ignore, as they are now.

    Without those of .dvc/shipped, unless ``shipped``. Git's objects are packed: some file systems take milliseconds to remove
    a folder, and a test's copies have hundreds.
    """
    listed = sh(root, "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, listed.split("\0")):
        if (root / name).is_file() and (shipped or not name.startswith(".dvc/shipped/")):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)
    sh(target, "git", "init", "--quiet", "--initial-branch=main")
    commit(target, "as it is")
    sh(target, "git", "repack", "-adq")
    return target


def set_params(folder: Path, *overrides: str) -> None:
    """Set values in params.yaml as ``dvc exp run -S`` does, without running anything."""
    from dvc.utils.hydra import apply_overrides  # type: ignore[import-untyped]

    apply_overrides(str(folder / "params.yaml"), list(overrides))


def copy(folder: Path, target: Path) -> Path:
    """A copy of a whole clone, DVC's cache and outputs included."""
    shutil.copytree(folder, target, symlinks=True)
    return target
