"""The small study, whole, on handwritten digits: as many cells at a time as there are processors, then its report.

params.yaml is put back however this ends: by itself, by Ctrl-C, TERM or a closed terminal; after a SIGKILL the next start
does it.
"""

import signal
import sys
from pathlib import Path
from types import FrameType

from study.base import atomic
from study.base.console import parser, run, say
from study.base.errors import StudyError
from study.pipeline import process
from study.settings import studies

NAME = "digits"
PARAMS, KEPT = Path("params.yaml"), Path(".dvc/tmp/params.before")  # DVC keeps its own temporary files there, git none
TABLES = ("errors_digits.md", "errors_digits100.md")


def main() -> None:
    """Command line: python -m tools.quickstart."""
    parser(__doc__, "quickstart", "tools").parse_args()
    if KEPT.is_file():
        put_back()
        say("an earlier run was killed: params.yaml is as it was before that")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    atomic.write(KEPT, PARAMS.read_bytes())
    try:
        atomic.write(PARAMS, studies.put(studies.named(NAME), PARAMS.read_text(encoding="utf-8")).encode())
        code = process.run([sys.executable, "-m", "tools.fanout"])
    finally:
        put_back()
    if code:
        raise StudyError("the small study is not whole; the reason stands above. The same command goes on from there.")
    for table in TABLES:
        say(f"\n{Path('reports', NAME, 'tables', table).read_text(encoding='utf-8')}")
    say(f"The report: reports/{NAME}/README.md. git status shows what differs from the committed study: nothing, it should be.")


def put_back() -> None:
    """Make params.yaml what it was before."""
    KEPT.replace(PARAMS)


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    run(main)
