"""Choose the study: write a named one of studies.yaml into the section `study` of params.yaml, and nothing else.

    python -m tools.study            # which one is set, and which there are
    python -m tools.study digits

`dvc repro`, tools.fanout and tools.status are about the study that is set. Cells of the others stay recorded in dvc.lock.
"""

from pathlib import Path

from study.base import atomic
from study.base.console import parser, run, say
from study.settings import studies
from study.settings.params import Params

PARAMS = Path("params.yaml")


def main() -> None:
    """Command line: python -m tools.study [NAME]."""
    arguments = parser(__doc__, "study", "tools")
    arguments.add_argument("name", nargs="?", help="a key of studies.yaml")
    given = arguments.parse_args()
    before = Params.load().study().name
    if given.name is None:
        say(f"params.yaml has study {before}; {studies.FILE} names the others.")
        return
    atomic.write(PARAMS, studies.put(studies.named(given.name), PARAMS.read_text(encoding="utf-8")).encode())
    Params.load().study()
    say(f"params.yaml has study {given.name} now; python -m tools.study {before} sets the former one.")


if __name__ == "__main__":
    run(main)
