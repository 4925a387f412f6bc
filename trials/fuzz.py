"""Changed files and lying servers for as long as you like: python -m trials.fuzz [MINUTES], ten by default.

The same as tests/fuzz, from a seed that the clock gives and that is printed: FUZZ_SEED=… pytest tests/fuzz makes it again.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from study.base.console import parser


def main() -> None:
    arguments = parser(__doc__, "fuzz", "trials")
    arguments.add_argument("minutes", nargs="?", type=float, default=10.0, metavar="MINUTES")
    minutes = arguments.parse_args().minutes
    seed = os.environ.get("FUZZ_SEED") or str(time.time_ns())
    print(f"seed {seed}, {minutes:g} minutes", flush=True)
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "--timeout", "0", "tests/fuzz"]
    sys.exit(
        subprocess.run(command, cwd=root, env={**os.environ, "FUZZ_SEED": seed, "FUZZ_SECONDS": str(60 * minutes)}).returncode
    )


if __name__ == "__main__":
    main()
