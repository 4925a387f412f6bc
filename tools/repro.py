"""`dvc repro` for large grids: the same stages, the same dvc.lock, which is not parsed and dumped whole for each of them.

python -m tools.repro                  what changed, and nothing else
python -m tools.repro split weights    stages or groups of them, and what they depend on
python -m tools.repro -s train@CELL    these stages alone
"""

import os

from study.base.console import parser, run, say
from study.base.errors import StudyError
from study.pipeline import lockfile, process


def main() -> None:
    arguments = parser(__doc__, "repro", "tools")
    arguments.add_argument("targets", nargs="*", help="stages or groups of stages; the whole study where none is given")
    how = arguments.add_mutually_exclusive_group()
    how.add_argument("-k", "--keep-going", action="store_true", help="go on with stages that do not depend on a failed one")
    how.add_argument("-s", "--single-item", action="store_true", help="single stages, without what they depend on")
    given = arguments.parse_args()
    os.environ |= process.environment()
    if given.single_item and not given.targets:
        raise StudyError("--single-item is for single stages; name them, such as train@digits-cnn_scratch-1.0-0.")
    alone = given.single_item
    done = lockfile.reproduce_alone(given.targets) if alone else lockfile.reproduce(given.targets, given.keep_going)
    say(f"{len(done)} stages ran or were restored." if done else "Nothing changed, nothing ran.")


if __name__ == "__main__":
    run(main)
