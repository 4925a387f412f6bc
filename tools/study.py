"""Choose the study: write a named one of studies.yaml into the section `study` of params.yaml, and nothing else.

    python -m tools.study show       which one is set, and which there are
    python -m tools.study digits     the small study on handwritten digits
    python -m tools.study back       what stood there before, where that was none of studies.yaml, or written in another way

`dvc repro`, tools.fanout and tools.status are about the study that is set. Cells of the others stay recorded in dvc.lock.
"""

if __name__ == "study":  # `python tools/status.py` puts this folder before the project's, and finds this file for the library
    raise SystemExit("error: run it as python -m tools.NAME, in the project's root.")

from collections.abc import Sequence
from pathlib import Path

from study.base import atomic, yaml12
from study.base.console import parser, run, say
from study.base.errors import StudyError
from study.settings import at_work, lent, studies
from study.settings.params import Params
from study.settings.sections import Study

FORMER = Path(".dvc/tmp")  # of texts of sections that no name brings back: study.before-1, and what came on top of it


def main() -> None:
    """Command line: python -m tools.study [NAME]."""
    arguments = parser(__doc__, "study", "tools")
    arguments.add_argument("name", nargs="?", default="show", help="a key of studies.yaml, show or back")
    name = arguments.parse_args().name
    if name == "show":
        show()
        return
    busy = at_work.who()
    if busy:
        raise StudyError(f"{busy} is at work on this study; wait for it, or stop it first: it would record what changes now.")
    if said := lent.give_back():  # a quickstart was killed
        say(said)
    text, before = lent.read(), Params.load().study()
    if name != "back" and studies.named(name) == before:
        say(f"params.yaml has study {name} already; nothing changed.")
        return
    former = sorted(FORMER.glob("study.before-*"), key=lambda file: int(file.suffix.partition("-")[2]))
    changed = _former(text, former) if name == "back" else studies.put(studies.named(name), text)
    now = Params(yaml12.load(changed)).study()  # StudyError where it names what is not declared
    own = before not in studies.every().values() or studies.put(before, text) != text  # put would not write it so again
    section = studies.cut(text)[1].encode()
    if own and changed != text and section not in [file.read_bytes() for file in former[-1:]]:
        atomic.write(FORMER / f"study.before-{len(former) + (name != 'back')}", section)
    atomic.write(lent.PARAMS, changed.encode())
    if name == "back" and not own:
        former[-1].unlink()
    tell(before, now, own)


def show() -> None:
    """Say which study is set, and which there are."""
    now = Params.load().study()
    for name, study in studies.every().items():
        say(f"{'*' if study == now else ' '} {name}: {', '.join(study.datasets)}; {', '.join(study.models)}")
    if now not in studies.every().values():
        say(f"* {now.name}, as params.yaml has it: {', '.join(now.datasets)}; {', '.join(now.models)}")


def tell(before: Study, now: Study, own: bool) -> None:
    """Say what changed, and the word back; ``own``: the former section has a text that no name brings back."""
    for key in studies.ORDER:
        old, new = (getattr(study, key) for study in (before, now))
        if old != new:
            say(f"study.{key}: {_words(old)} -> {_words(new)}")
    back = next((name for name, study in studies.every().items() if study == before and not own), "back")
    say(f"params.yaml has study {now.name} now; python -m tools.study {back} sets the former one.")


def _former(text: str, former: Sequence[Path]) -> str:
    """``text`` with the last of the ``former`` sections."""
    if not former:
        raise StudyError(f"there is no study to go back to; the named ones are {', '.join(studies.every())}.")
    before, _, after = studies.cut(text)
    return studies.joined(text, before, former[-1].read_bytes().decode(), after)


def _words(value: object) -> str:
    return value if isinstance(value, str) else ", ".join(map(str, value))  # type: ignore[call-overload]


if __name__ == "__main__":
    run(main)
