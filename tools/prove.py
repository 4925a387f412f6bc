"""Make cells of the committed studies again, from nothing, and compare checkpoints, histories and predictions with dvc.lock.

    python -m tools.prove                       # the cheapest cells of each kind, in minutes
    python -m tools.prove CELL [CELL ...]       # these
    python -m tools.prove --study digits        # every cell of a study that dvc.lock has

Runs in a temporary folder and changes nothing here. On an x86-64 processor with AVX2 every cell should be the same bytes.
"""

import os
import sys
import tempfile
from pathlib import Path

from study.base.console import parser, run, say
from study.design.cells import Cell
from study.pipeline import proof, standing
from study.pipeline.proof import Proof

CHEAPEST = (
    "cifar10-cnn32_tiny-0.1-0",
    "cifar10-vit32_scratch-0.1-0",
    "digits-cnn_scratch-0.1-0",
    "digits-vit_glyphs-0.1-0",
)


def main() -> None:
    """Command line: python -m tools.prove [CELL ...] [--jobs N]."""
    arguments = parser(__doc__, "prove", "tools")
    arguments.add_argument("cells", nargs="*", metavar="CELL", help="dataset-model-fraction-seed")
    arguments.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="cells at a time (one per processor)")
    given = arguments.parse_args()
    lock = standing.recorded()
    wanted = [Cell.parse(name) for name in given.cells or CHEAPEST]
    say(f"{len(wanted)} cells, {given.jobs} at a time")
    with tempfile.TemporaryDirectory(prefix="prove-") as folder:
        proofs = proof.prove(wanted, lock, Path(folder), max(1, given.jobs), show)
    failed = [each for each in proofs if each.different or each.error]
    say(f"{len(proofs) - len(failed)} of {len(proofs)} cells are the same bytes as dvc.lock has")
    sys.exit(1 if failed else 0)


def show(result: Proof) -> None:
    """One line for a cell."""
    differs = f"differs: {', '.join(result.different)}" if result.different else "the same bytes"
    say(f"{result.cell}: {result.error or differs}")


if __name__ == "__main__":
    run(main)
