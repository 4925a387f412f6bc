"""Three workers and a head that share nothing but an SSH server: one worker dies, two get the same cell.

python -m trials.away

Ends with 1 where something does not hold. The head must end with what a serial `dvc repro` makes, byte for byte.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from study.base.console import parser
from tests.clones import sh
from trials import servers, study
from trials.remotes import clone_of
from trials.servers import NotInstalledError, Server
from trials.study import Verdict, until

BIG, HALF, FIFTH, TENTH = CELLS = [f"digits-cnn_scratch-{fraction}-0" for fraction in ("1.0", "0.5", "0.2", "0.1")]
EPOCHS = 4


def main() -> None:
    parser(__doc__, "away", "trials").parse_args()
    verdict = Verdict()
    with tempfile.TemporaryDirectory(prefix="away-") as name:
        folder = Path(name)
        (folder / "server").mkdir()
        try:
            with servers.ssh(folder / "server") as server:
                tried(verdict, server, folder)
        except NotInstalledError as error:
            sys.exit(f"not tried: {error}")
    verdict.end()


def tried(verdict: Verdict, server: Server, folder: Path) -> None:
    (folder / "run").mkdir()
    unrun = study.make(folder / "study", epochs=EPOCHS, models="cnn_scratch")
    expected = study.serial(unrun, folder / "run" / "serial")
    verdict.check(len(study.files(expected)) > 0, f"a serial run to compare with, over {server.name}")
    head, one, two, three = (clone_of(unrun, folder / each, server) for each in ("head", "one", "two", "three"))
    commit = sh(head, "git", "rev-parse", "HEAD").strip()

    output = collect(head, server, fails=True)
    verdict.check(all(cell in output for cell in CELLS) and commit[:10] in output, "before any work, collect names every cell")

    dying = work(one, server, commit, BIG, HALF)
    until(lambda: study.epoch(one, HALF), f"an epoch of {HALF}")
    os.killpg(dying.pid, signal.SIGKILL)
    dying.wait()
    verdict.check(
        study.epoch(one, HALF) < EPOCHS, f"worker one was killed in {HALF}", f"epoch {study.epoch(one, HALF)} of {EPOCHS}"
    )
    output = collect(head, server, fails=True)
    verdict.check(
        "1 of 4 cells are here" in output and "Running stage" not in output, "its finished cell is at the head, trained nothing"
    )

    both = [work(two, server, commit, FIFTH, HALF), work(three, server, commit, FIFTH, TENTH)]
    codes = [each.wait(900) for each in both]
    trained = {each.name: trainings(each) for each in (one, two, three)}
    verdict.check(codes == [0, 0], "workers two and three, given the same cell at the same time, end well", trained)
    verdict.check(FIFTH in trained["two"] and FIFTH in trained["three"], f"both trained {FIFTH}")
    again = work(one, server, commit, BIG, HALF)
    verdict.check(
        again.wait(900) == 0 and trainings(one).count(HALF) == 1,
        "worker one, started again, takes its lost cell from worker two",
    )

    output = collect(head, server)
    print("\n".join(f"          {line}" for line in output.splitlines() if "cells are here" in line))
    verdict.check(study_stages(output) == {"aggregate@digits"}, "collect at the head runs aggregate alone")
    verdict.check("more than once" not in output, "what was trained twice with the same bytes is one record, and no news")
    verdict.check(study.nothing_left(head), "dvc repro at the head runs nothing")
    found = study.differences(expected, head)
    verdict.check(not found, "files and dvc.lock at the head are those of the serial run", ", ".join(found[:5]))


def work(clone: Path, server: Server, commit: str, *cells: str) -> "subprocess.Popen[bytes]":
    """A worker in a process group of its own; what it prints is added to work.log beside its clone."""
    with log(clone).open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "tools.away", "work", "--at", commit, *cells],
            cwd=clone,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **server.environment, "DVC_NO_ANALYTICS": "1"},
        )


def collect(clone: Path, server: Server, fails: bool = False) -> str:
    return sh(clone, "python", "-m", "tools.away", "collect", fails=fails, **server.environment)


def log(clone: Path) -> Path:
    return clone.parent / f"{clone.name}.log"


def trainings(clone: Path) -> list[str]:
    """The cells whose training was started in a clone."""
    stages = [line for line in log(clone).read_text(errors="replace").splitlines() if line.startswith("Running stage 'train@")]
    return [line.split("@")[1].rstrip("':") for line in stages]


def study_stages(output: str) -> set[str]:
    return {line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")}


if __name__ == "__main__":
    main()
