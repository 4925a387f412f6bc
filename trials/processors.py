"""Train and test two small cells on processors of other makers and years, and compare the bytes with this one's.

    python -m trials.processors          # Haswell (Intel, 2013), Skylake (Intel, 2015), EPYC (AMD, 2017)

The processors are emulated by QEMU's user mode (Debian's package qemu-user, 7.2 or newer, which knows AVX2), so that a
library finds another maker, other instructions and other caches when it asks. A CNN and a ViT from scratch on a tenth of
digits, one epoch: checkpoint, history and predictions must be the same bytes as without QEMU.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from study.base.console import parser
from tests.clones import copy, set_params, sh
from trials import study

EMULATOR = "qemu-x86_64"
PROCESSORS = ("Haswell", "Skylake-Client", "EPYC")
CELLS = ("digits-cnn_scratch-0.1-0", "digits-vit_scratch-0.1-0")
EPOCHS = 1  # minutes of emulation each


def main() -> None:
    parser(__doc__, "processors", "trials").parse_args()
    if shutil.which(EMULATOR) is None:
        sys.exit(f"error: {EMULATOR} is not on this machine; apt-get install qemu-user brings it.")
    verdict = study.Verdict()
    with tempfile.TemporaryDirectory(prefix="trial-processors-") as folder:
        base = study.make(Path(folder) / "base", EPOCHS, "cnn_scratch,vit_scratch", ladder="0.1")
        set_params(base, "datasets.digits.recipe.budget=epochs")  # not the ten times as many steps of fraction 1.0
        sh(base, "dvc", "repro", "download", "weights", "split")
        here = made(copy(base, Path(folder) / "here"))
        for processor in PROCESSORS:
            there = made(copy(base, Path(folder) / processor), EMULATOR, "-cpu", processor)
            different = sorted(name for name in here if there.get(name) != here[name])
            verdict.check(not different, f"{len(here)} files as on this machine's own processor: {processor}", different)
    verdict.end()


def made(clone: Path, *emulator: str) -> dict[str, str]:
    """The sha256 of what train and evaluate make of the cells in ``clone``, their processes run under ``emulator``."""
    for cell in CELLS:
        for stage in ("train", "evaluate"):
            command = [*emulator, sys.executable, "-m", f"stages.{stage}", cell]
            subprocess.run(command, cwd=clone, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return study.files(clone)


if __name__ == "__main__":
    main()
