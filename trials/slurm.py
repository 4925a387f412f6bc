"""Try `python -m tools.fanout --executor slurm` on a real Slurm, of three nodes on this one machine.

    python -m trials.slurm

A small study of 8 cells: one worker is killed, one cell preempted, one node drained, the driver killed and started again. In
the end every output has to be, byte for byte, that of a serial `dvc repro`, and dvc.lock equal to its lock as a mapping,
and no epoch trained twice but the one that was under way. Needs root and Debian's packages slurm-wlm and munge.
Takes about ten minutes on two cores.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from study.base.console import parser
from trials import study
from trials.cluster import ARRAY, cluster, missing

EPOCHS = 12
NODES = ("n1", "n2", "n3")


def main() -> None:
    parser(__doc__, "slurm", "trials").parse_args()
    if missing():
        sys.exit(f"error: this machine lacks {', '.join(missing())}; apt-get install slurm-wlm munge, as root.")
    with tempfile.TemporaryDirectory(prefix="trial-slurm-") as folder:
        Path(folder).chmod(0o755)
        base = study.make(Path(folder) / "clone", EPOCHS, "cnn_scratch,cnn_glyphs")
        print("a serial dvc repro, to compare with", flush=True)
        serial = study.serial(base, Path(folder) / "serial")
        with cluster(Path(folder) / "cluster", NODES):
            tried(base, serial, Path(folder) / "driver.log")


def tried(clone: Path, serial: Path, log: Path) -> None:
    verdict = study.Verdict()
    interrupted: dict[str, int] = {}

    def driver() -> "subprocess.Popen[bytes]":
        return study.start(clone, "--executor", "slurm", "--slurm", "time=30", log=log)

    def running() -> dict[str, str]:
        """Slurm's id of each job that runs, and the node that it is on."""
        command = ["squeue", "--me", "--array", "--noheader", "--states=RUNNING", "--format=%i %N"]
        rows = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
        return dict(map(str.split, rows))

    def cell_of(job: str) -> str:
        from submitit import SlurmJob

        return str(SlurmJob(clone / ".dvc/tmp/fanout/jobs", job).submission().function.cell)

    def under_way() -> str | None:
        """A job that has at least two epochs done, and as many to go."""
        return next((job for job in running() if 2 <= study.epoch(clone, cell_of(job)) <= EPOCHS - 2), None)

    def worker(job: str) -> int | None:
        for process in study.processes(clone, "submitit.core._submit"):
            array, task = (study.environ(process, f"SLURM_ARRAY_{name}_ID") for name in ("JOB", "TASK"))
            if f"{array}_{task}" == job and study.environ(process, "SLURM_PROCID"):
                return process
        return None

    def arrays() -> Counter[str]:
        """How many jobs each array that was handed over has."""
        return Counter(path.name.partition("_")[0] for path in (clone / ".dvc/tmp/fanout/jobs").glob("*_submitted.pkl"))

    try:
        process = driver()
        job = study.until(under_way, "a cell with two epochs done")
        killed = cell_of(job)
        os.kill(study.until(lambda: worker(job), "its worker"), signal.SIGKILL)
        interrupted[killed] = 1
        print(f"killed the worker of {killed} after epoch {study.epoch(clone, killed)}", flush=True)

        job = study.until(lambda: (found := under_way()) and cell_of(found) != killed and found, "another one")
        preempted = cell_of(job)
        # Slurm's signal ahead of a time limit, and of a preemption where the cluster is set so; to every process of the job.
        # scancel sends it again and again while the job is on its way out, and fails at last: it is not waited for.
        scancel = subprocess.Popen(["scancel", "--signal=USR2", job])
        time.sleep(3)
        scancel.kill()
        interrupted[preempted] = interrupted.get(preempted, 0) + 1
        print(f"preempted {preempted} after epoch {study.epoch(clone, preempted)}", flush=True)
        study.until(lambda: f"back in the queue: {preempted}" in log.read_text(), "its return to the queue", 120)
        verdict.check(True, "a preempted job is queued again by Slurm, under the same number", job)

        subprocess.run(["scontrol", "update", "NodeName=n3", "State=DRAIN", "Reason=trial"], check=True)
        time.sleep(5)
        size = log.stat().st_size
        print("drained n3", flush=True)

        study.until(lambda: log.read_text().count(" done ") >= 3, "three cells done")
        process.kill()
        process.wait()
        held = running()
        print(f"killed the driver while {len(held)} jobs ran", flush=True)
        time.sleep(10)
        process = driver()
        code = process.wait(1500)
        verdict.check(code == 0, "the driver, started again, ends with 0", code)
        said = log.read_text()
        verdict.check("was handed over before, as job" in said, "it found the jobs that were still queued or running")
        sizes = arrays()
        verdict.check(max(sizes.values()) <= ARRAY, f"no array is larger than the {ARRAY} jobs that this cluster takes", sizes)
        later = [name for name in re.findall(r"start \S+ on (\S+),", said[size:]) if name == "n3"]
        verdict.check(not later, "nothing started on the drained node", later)
        verdict.check(f"killed: {killed}" in said, "the killed worker was noticed")
        verdict.check(study.nothing_left(clone), "a plain dvc repro finds nothing left to do")
        found = study.differences(clone, serial)
        verdict.check(
            not found, f"{len(study.files(clone))} files and {len(study.entries(clone))} lock entries as of a serial run", found
        )
        again = study.once(clone, EPOCHS, interrupted)
        verdict.check(not again, "no cell was trained twice, nor any epoch but those that were under way", again)
    finally:
        process.terminate()
        process.wait(120)
        print(log.read_text())
    verdict.end()


if __name__ == "__main__":
    main()
