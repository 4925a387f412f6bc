"""DVC as a process: the one of this interpreter's environment, activated or not, and stages that run under it too."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

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


def run(line: Sequence[str], errors: IO[str] | None = None) -> int:
    """The exit code of the command ``line``, which runs before the user's eyes and ends where this process is stopped.

    What it writes to stderr goes to the file ``errors`` where one is given.
    """
    return run_at_once([line], errors)[0]


def run_at_once(lines: Sequence[Sequence[str]], errors: IO[str] | None = None) -> list[int]:
    """``run`` of several commands, which do not wait for each other."""
    rwlock.mend()
    sys.stdout.flush()
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for line in lines:
            processes.append(subprocess.Popen(line, env=environment(), stderr=errors))
        return [process.wait() for process in processes]
    except BaseException:
        for process in processes:
            process.terminate()  # a stage that it runs sees it go, and ends too
        for process in processes:
            process.wait()
        raise
