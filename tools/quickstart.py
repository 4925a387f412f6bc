"""The small study, whole, on handwritten digits: as many cells at a time as processors (one on a Mac), then its report.

params.yaml is put back however this ends: by itself, by Ctrl-C, TERM or a closed terminal; after a SIGKILL the next start
does it, and so does the next `python -m tools.study NAME`.
"""

import signal
import sys
from contextlib import suppress
from types import FrameType

from study.base.console import parser, run, say
from study.base.errors import StudyError
from study.design import cells
from study.pipeline import process
from study.runtime.lifecycle import stoppable
from study.settings import at_work, lent, studies
from tools import first_contact

NAME = "digits"
REPORT = cells.report(NAME)
FANOUT = [sys.executable, "-m", "tools.fanout"]
GO_ON = "every finished epoch is kept; the same command goes on from there."


def main() -> None:
    """Command line: python -m tools.quickstart."""
    parser(__doc__, "quickstart", "tools").parse_args()
    for problem in (*first_contact.git(), *first_contact.user()):  # type: ignore[no-untyped-call]  # it runs on any Python
        raise StudyError(f"{problem}.")
    if busy := at_work.who():
        raise StudyError(f"{busy} is at work in this workspace; wait for it, or stop it first.")
    with at_work.alone(at_work.QUICKSTART, "quickstart"), stoppable(lambda: GO_ON):
        _hang_up_as_terminate()
        if said := lent.give_back():
            say(f"an earlier quickstart was killed: {said}")
        try:
            lent.lend(studies.named(NAME))
            code = process.run(FANOUT)
        finally:
            said = lent.give_back()
            with suppress(OSError):  # the terminal may be gone
                say(said or "")
    if code:
        raise StudyError("the small study is not whole; the reason stands above. The same command goes on from there.")
    for table in sorted((REPORT / "tables").glob("errors_*.md")):
        say(f"\n{table.read_text(encoding='utf-8')}")
    say(f"The report: {REPORT}/README.md. git status shows what differs from the committed study: nothing, it should be.")
    say(f"To go on with this study (dvc push, dvc repro, dvc exp run): python -m tools.study {NAME}")


def _hang_up_as_terminate() -> None:
    """A terminal that is closed ends this as SIGTERM does, but under nohup."""

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        signal.raise_signal(signal.SIGTERM)

    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, end)


if __name__ == "__main__":
    run(main)
