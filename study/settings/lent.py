"""params.yaml lent to a run of another study: the original lies beside it until it is back, however the run ends."""

from pathlib import Path

from study.base import atomic
from study.base.errors import StudyError
from study.settings import studies
from study.settings.sections import Study

PARAMS = Path("params.yaml")
# DVC keeps its own temporary files there; neither git nor any command of DVC looks at others.
BEFORE, LENT = Path(".dvc/tmp/params.before"), Path(".dvc/tmp/params.lent")
ASIDE = Path(".dvc/tmp/params.aside")


def lend(study: Study) -> None:
    """Make ``study`` the study of params.yaml, for as long as a run of it takes. Raises StudyError as ``read`` does."""
    original = read()
    lent = studies.put(study, original)
    atomic.write(LENT, lent.encode())
    atomic.write(BEFORE, original.encode())
    atomic.write(PARAMS, lent.encode())


def give_back() -> str | None:
    """Make params.yaml what it was before ``lend``, and say so; None where nothing is lent, or nothing was changed.

    What was edited meanwhile in other sections stays as edited. Where the study itself was, params.yaml is left alone.
    """
    if not BEFORE.is_file() or not LENT.is_file():
        return None
    original, lent = (path.read_bytes().decode() for path in (BEFORE, LENT))
    now = read() if PARAMS.is_file() else lent
    said = None
    if now == lent:
        atomic.write(PARAMS, original.encode())
        said = "params.yaml is as it was before."
    elif now != original:
        said = _edited(original, lent, now)
    BEFORE.unlink(missing_ok=True)
    LENT.unlink(missing_ok=True)
    return said


def read() -> str:
    """params.yaml, line ends as they are. Raises StudyError where it is absent, or no text."""
    try:
        return PARAMS.read_bytes().decode()
    except FileNotFoundError:
        raise StudyError(f"{PARAMS} is not here; run from the project's root.") from None
    except UnicodeDecodeError:
        raise StudyError(f"{PARAMS} is not text in UTF-8; git checkout HEAD -- {PARAMS} brings it back.") from None


def _edited(original: str, lent: str, now: str) -> str:
    try:
        before, section, after = studies.cut(now)
        if section == studies.cut(lent)[1]:
            atomic.write(PARAMS, studies.joined(now, before, studies.cut(original)[1], after).encode())
            return "params.yaml was edited meanwhile: its study is the one of before again, the rest is as edited."
    except StudyError:
        pass  # it is no longer whole; whoever edited it knows what it shall be
    atomic.write(ASIDE, original.encode())
    return f"params.yaml and its study were edited meanwhile and stay so; what it was before is in {ASIDE}."
