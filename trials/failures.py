"""Try what can go wrong with `python -m tools.fanout` on one machine, each for real.

    python -m trials.failures            # all cases
    python -m trials.failures disk       # some of: killed, itself, disk, share

A study of 4 cells, two at a time. killed: a worker, a training and the driver get SIGKILL, then Ctrl-C. itself: one model's
loss is not a number. disk: one cell's saved states lie on a full file system (a tmpfs of 64 KiB; wants root). share: DVC's
cache is behind a link that leads nowhere for a minute. In the end every output is, byte for byte, that of a serial
`dvc repro`, dvc.lock equal to its lock as a mapping, and nothing was trained twice.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.clones import copy, set_params, sh
from trials import study

EPOCHS = 12
AWAY = 60.0  # seconds
JOBS = ("--jobs", "2")


def main() -> None:
    cases: dict[str, Callable[[study.Verdict, Path, Path], None]] = {
        "killed": killed, "itself": itself, "disk": disk, "share": share,
    }  # fmt: skip
    wanted = study.chosen(__doc__, "failures", cases)
    verdict = study.Verdict()
    with tempfile.TemporaryDirectory(prefix="trial-failures-") as folder:
        base = study.make(Path(folder) / "base", EPOCHS, "cnn_scratch,cnn_glyphs", ladder="1.0,0.1")
        sh(base, "dvc", "repro", "download", "weights", "split")
        print("a serial dvc repro, to compare with", flush=True)
        serial = study.serial(base, Path(folder) / "serial")
        for name in wanted:
            print(f"\n{name}", flush=True)
            clone = copy(base, Path(folder) / name)
            log = Path(folder) / f"{name}.log"
            log.touch()
            try:
                cases[name](verdict, clone, log)
                verdict.check(study.nothing_left(clone), "a plain dvc repro finds nothing left to do")
                found = study.differences(clone, serial)
                verdict.check(not found, f"{len(study.files(clone))} files and the lock as of a serial run", found)
            finally:
                print(log.read_text())
    verdict.end()


def killed(verdict: study.Verdict, clone: Path, log: Path) -> None:
    """SIGKILL to a worker, to a training and to the driver; then Ctrl-C, and the same command to the end."""
    interrupted: dict[str, int] = {}

    def under_way(words: str) -> tuple[int, str]:
        """A process with ``words``, and its cell, which has two epochs done at least and two to go."""

        def found() -> tuple[int, str] | None:
            for process in study.processes(clone, "-m stages.train"):
                cell = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")[-2].decode()
                if 2 <= study.epoch(clone, cell) <= EPOCHS - 2 and cell not in interrupted:
                    if words == "-m stages.train":
                        return process, cell
                    return next((each for each in study.processes(clone, words) if _lineage(process, each)), 0), cell
            return None

        process, cell = study.until(found, f"a training that is under way below {words}")
        return process, cell

    process = study.start(clone, *JOBS, log=log)
    worker, cell = under_way("study.fanout.worker")
    os.kill(worker, signal.SIGKILL)
    interrupted[cell] = 0  # its dvc goes on, and the next worker waits for that
    study.until(lambda: f"killed: {cell}" in log.read_text(), "the driver to notice", 60)
    verdict.check(True, "a killed worker is noticed, and the cell handed over again", cell)
    training, cell = under_way("-m stages.train")
    os.kill(training, signal.SIGKILL)
    interrupted[cell] = 1
    study.until(lambda: "this may pass" in (clone / f".dvc/tmp/fanout/{cell}.log").read_text(), "another try", 60)
    verdict.check(True, "a killed training is tried again by its worker", cell)
    process.kill()
    process.wait()
    alive = len(study.processes(clone, "study.fanout.worker"))
    verdict.check(alive > 0, "workers outlive a killed driver", alive)
    second = study.start(clone, *JOBS, log=log)
    study.until(lambda: log.read_text().count(" done ") >= 1, "a cell done under the second driver")
    time.sleep(8)
    second.send_signal(signal.SIGINT)
    code = second.wait(120)
    verdict.check(
        code == 130 and "stopped by Ctrl-C: every finished epoch is kept" in log.read_text(), "Ctrl-C: one line", code
    )
    verdict.check(not study.processes(clone, "stages.train"), "no training is left behind")
    for name in study.trainings(clone):
        interrupted[name] = interrupted.get(name, 0) + 1  # by Ctrl-C
    code = study.start(clone, *JOBS, log=log).wait(900)
    verdict.check(code == 0, "the same command goes on and ends with 0", code)
    again = study.once(clone, EPOCHS, interrupted)
    verdict.check(not again, "no cell was trained twice, nor any epoch but those that were under way", again)


def itself(verdict: study.Verdict, clone: Path, log: Path) -> None:
    """Two cells whose loss is not a number."""
    set_params(clone, "+models.cnn_glyphs.recipe.learning_rate=1.0e+30")
    code = study.start(clone, *JOBS, log=log).wait(900)
    said = log.read_text()
    verdict.check(code == 1 and "error: 2 cells failed" in said, "the end code is not zero", code)
    named = all(f"digits-cnn_glyphs-{fraction}-0 failed after" in said for fraction in ("1.0", "0.1"))
    verdict.check(named and "    error: " in said, "the summary names the cells with the last lines of their logs")
    verdict.check(all(f"done digits-cnn_scratch-{fraction}-0" in said for fraction in ("1.0", "0.1")), "the others went on")
    verdict.check("Running stage 'aggregate" not in said, "no report of half a study")
    sh(clone, "git", "checkout", "params.yaml")
    code = study.start(clone, *JOBS, log=log).wait(900)
    verdict.check(code == 0, "put right, the same command ends with 0", code)
    again = study.once(clone, EPOCHS, {})
    verdict.check(not again, "what was done was not trained again", again)


def disk(verdict: study.Verdict, clone: Path, log: Path) -> None:
    """A file system without room below one cell's saved states."""
    if os.getuid():
        verdict.check(False, "this case wants root, to mount a small tmpfs")
        return
    cell = "digits-cnn_glyphs-0.1-0"
    full = clone / ".dvc/tmp/training" / cell
    full.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(full)], check=True)
    try:
        code = study.start(clone, *JOBS, log=log).wait(900)
    finally:
        subprocess.run(["umount", str(full)], check=True)
    said = log.read_text()
    verdict.check(code == 1 and said.count(" failed after") == 1, "one cell failed, the end code is not zero", code)
    verdict.check(f"{cell} failed after" in said and "No space left on device" in said, "it is named, with the reason")
    verdict.check(said.count("\n") > 0 and said.count(" done digits") == 3, "the three others went on")
    code = study.start(clone, *JOBS, log=log).wait(900)
    verdict.check(code == 0, "with room again, the same command ends with 0", code)
    trained = study.trainings(clone)
    again = [name for name, ran in trained.items() if name != cell and ran != list(range(1, EPOCHS + 1))]
    verdict.check(not again, "what was done was not trained again", again)


def share(verdict: study.Verdict, clone: Path, log: Path) -> None:
    """DVC's cache on a share that is away for a minute, while cells end."""
    link, real = clone.parent / "cache", clone.parent / "cache.real"
    real.mkdir()
    link.symlink_to(real)
    sh(clone, "cp", "-r", ".dvc/cache/files", str(link / "files"))
    sh(clone, "dvc", "config", "--local", "cache.dir", str(link))
    process = study.start(clone, *JOBS, log=log)
    study.until(lambda: any(study.epoch(clone, name) >= 2 for name in study.trainings(clone)), "a training that is under way")
    print(f"the share goes away for {AWAY:.0f} s", flush=True)
    _lead(link, Path("/proc/1/nowhere"))
    study.until(
        lambda: any("this may pass" in path.read_text() for path in (clone / ".dvc/tmp/fanout").glob("*.log")), "trouble", 300
    )
    verdict.check(True, "a worker met the missing share, and tries again")
    time.sleep(AWAY)
    _lead(link, real)
    code = process.wait(900)
    verdict.check(code == 0, "when it is back the run goes on by itself and ends with 0", code)
    again = study.once(clone, EPOCHS, {})
    verdict.check(not again, "no epoch was trained twice", again)


def _lead(link: Path, target: Path) -> None:
    """Let ``link`` lead elsewhere, in one step."""
    new = link.with_name("cache.new")
    new.symlink_to(target)
    new.replace(link)


def _lineage(process: int, ancestor: int) -> bool:
    """Whether ``process`` descends from ``ancestor``."""
    while process > 1:
        if process == ancestor:
            return True
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return False


if __name__ == "__main__":
    main()
