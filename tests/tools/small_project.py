"""A project of this repository's Makefile and tools in which a fan-out does nothing but wait, to be stopped in every way."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from study.settings import studies

ROOT = Path(__file__).resolve().parents[2]
FANOUT = """import pathlib, signal, sys, time
for number in (signal.SIGTERM, signal.SIGINT):  # as tools.fanout ends
    signal.signal(number, lambda number, _: sys.exit(128 + number))
pathlib.Path("begun").touch()
time.sleep(float(pathlib.Path("seconds").read_text()))
"""


def make(folder: Path, seconds: float = 0, study: str = "cifar32") -> Path:
    """The project in ``folder``, with ``study`` of studies.yaml in its params.yaml; its fan-out takes ``seconds``."""
    for name in ("Makefile", "studies.yaml", "requirements.txt"):
        shutil.copy(ROOT / name, folder / name)
    text = studies.put(studies.named(study, ROOT / "studies.yaml"), (ROOT / "params.yaml").read_text())
    (folder / "params.yaml").write_text(text)
    (folder / "study").symlink_to(ROOT / "study")
    (folder / "tools").mkdir()
    for path in (ROOT / "tools").glob("*.py"):
        shutil.copy(path, folder / "tools")
    (folder / "tools/fanout.py").write_text(FANOUT)
    (folder / "seconds").write_text(str(seconds))
    (folder / ".venv/bin").mkdir(parents=True)
    python = folder / ".venv/bin/python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    for name in ("python", "study"):
        (folder / ".venv" / name).touch()
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "MAKE", "MFLAGS"))} | more


def run(folder: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command in ``folder``, to its end."""
    return subprocess.run(command, cwd=folder, env=environment(**more), capture_output=True, text=True, timeout=1200)


def start(folder: Path) -> "subprocess.Popen[str]":
    """`make quickstart`, in a process group of its own as a terminal starts it, whose fan-out has begun."""
    begun = folder / "begun"
    begun.unlink(missing_ok=True)
    process = subprocess.Popen(
        ["make", "quickstart", f"PYTHON={sys.executable}"],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # this test run may be under nohup
    )
    end = time.monotonic() + 1200
    while not begun.exists():
        assert process.poll() is None and time.monotonic() < end, process.communicate()[0]
        time.sleep(0.1)
    return process
