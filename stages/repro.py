"""`dvc repro` for large grids: the same stages, the same dvc.lock, which is written once for many stages.

python -m stages.repro                 what changed, and nothing else
python -m stages.repro split weights   stages or groups of them, and what they depend on
"""

from dvc.exceptions import DvcException  # type: ignore[import-untyped]

from stages.lib import recording
from stages.lib.console import parser, run, say
from stages.lib.errors import StudyError


def main() -> None:
    arguments = parser(__doc__, "repro")
    arguments.add_argument("targets", nargs="*", help="stages or groups of stages; the whole study where none is given")
    arguments.add_argument(
        "-k", "--keep-going", action="store_true", help="go on with stages that do not depend on a failed one"
    )
    given = arguments.parse_args()
    try:
        done = recording.reproduce(given.targets, keep_going=given.keep_going)
    except DvcException as error:
        raise StudyError(f"{error}; what finished is recorded, put it right and run the same command.") from None
    say(f"{len(done)} stages ran or were restored." if done else "Nothing changed, nothing ran.")


if __name__ == "__main__":
    run(main)
