"""Changed files against their readers, in a process of limited memory: python tests/fuzz/fuzzing.py ROOT SEED SECONDS.

Run in an empty folder inside another empty one. Prints what a reader did that it may not do, a line each, with the seed of the
one case; exit code 1 then. What it may: give something, or raise StudyError with one printable line.
"""

import faulthandler
import random
import resource
import shutil
import signal
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

LIMIT = 20  # seconds for one case
MEMORY = 6 << 30  # bytes of addresses, torch's included


def main() -> int:
    faulthandler.enable()
    root, seed, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    sys.path[:0] = [str(root), *(str(root / "tests" / name) for name in (".", "fuzz", "results"))]
    from targets import prepare, targets

    from study.base import console

    console.say = lambda *_: None  # type: ignore[assignment]
    project = Path("project")
    project.mkdir()
    with inside(project):
        prepare(root)
        cases: dict[str, Any] = targets()
        good = {name: target.file.read_bytes() for name, target in cases.items()}
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.signal(signal.SIGALRM, _too_long)
        end, number, wrong = time.monotonic() + seconds, 0, 0
        while time.monotonic() < end:
            for name, target in cases.items():
                number += 1
                dice = random.Random(f"{seed}/{number}")
                with suppress(UnicodeEncodeError):  # a lone surrogate in YAML
                    content = target.mutation(dice, good[name])
                    fault = _fault(target, content)
                    if fault:
                        wrong += 1
                        print(f"{name}, case {seed}/{number}: {fault}\n    {content[:300]!r}", flush=True)
                target.file.parent.mkdir(parents=True, exist_ok=True)
                target.file.write_bytes(good[name])
    strangers = [path.name for path in Path().iterdir() if path != project]
    if strangers:
        print(f"files outside the project: {strangers}")
    print(f"{number} cases of {len(good)} kinds, {wrong} wrong")
    return int(bool(wrong or strangers))


def _fault(target: Any, content: bytes) -> str | None:
    """What the reader of ``target`` does with ``content`` that it may not do."""
    from study.base.errors import StudyError

    target.file.write_bytes(content)
    signal.alarm(LIMIT)
    try:
        target.read()
    except StudyError as error:
        text = str(error)
        return None if text and text.isprintable() and len(text) < 20_000 else f"no line for people: {text[:300]!r}"
    except TimeoutError:
        return f"not done after {LIMIT} s"
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {str(error)[:200]} ({place.filename}:{place.lineno})"
    finally:
        signal.alarm(0)
    return None


def _too_long(*_: object) -> None:
    raise TimeoutError


class inside:  # noqa: N801 (as contextlib.chdir, which leaves again also)
    def __init__(self, folder: Path):
        self.folder = folder

    def __enter__(self) -> None:
        import os

        os.chdir(self.folder)

    def __exit__(self, *_: object) -> None:
        import os

        os.chdir("..")


if __name__ == "__main__":
    shutil.rmtree("project", ignore_errors=True)
    sys.exit(main())
