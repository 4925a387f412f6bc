"""DVC as a process: the one of this interpreter's environment, activated or not, and stages that run under it too."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from study.pipeline import rwlock


def command(*arguments: str) -> list[str]:
    """The command line of dvc, which waits for its turn at the repository's lock."""
    return [sys.executable, "-m", "dvc", "--wait-for-lock", *arguments]


def repro(*arguments: str) -> list[str]:
    """The command line of `dvc repro` that parses less of dvc.lock (study.pipeline.lockfile)."""
    return [sys.executable, "-m", "tools.repro", *arguments]


def environment(**more: str) -> dict[str, str]:
    """This process's environment, in which a stage's ``python`` is this interpreter; and ``more``."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}", **more}


def run(line: Sequence[str]) -> int:
    """The exit code of the command ``line``, which runs before the user's eyes and ends where this process is stopped."""
    rwlock.mend()
    sys.stdout.flush()
    with subprocess.Popen(line, env=environment()) as process:
        try:
            return process.wait()
        except BaseException:
            process.terminate()  # a stage that it runs sees it go, and ends too
            raise
