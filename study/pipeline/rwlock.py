"""DVC's list of the files that its processes use, .dvc/tmp/rwlock: mended where a killed process left it empty.

DVC writes the list in place, and refuses every command where it cannot be read. Processes that DVC does not find any more
it takes off the list itself, so that an empty list does no harm.
"""

import json
import time

from study.base.console import say
from study.settings.at_work import DVC as LIST

SETTLED = 0.5  # seconds in which a process that is writing it would be done


def mend() -> None:
    """Remove the list where it cannot be read and nobody writes it, and say so."""
    before = _damaged()
    if before is None:
        return
    time.sleep(SETTLED)
    if _damaged() == before:
        LIST.unlink(missing_ok=True)
        say(f"{LIST} could not be read (a dvc was killed while it wrote it), so it was removed; nothing else was lost.")


def _damaged() -> tuple[int, int] | None:
    """When the list was written and how long it is, where it is there and cannot be read."""
    try:
        stat = LIST.stat()
        json.loads(LIST.read_bytes())
    except OSError:
        return None
    except (ValueError, RecursionError):
        return stat.st_mtime_ns, stat.st_size
    return None
