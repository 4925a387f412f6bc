"""What DVC raises, as sentences: its own errors, and what its inner interfaces come upon."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import DatabaseError
from typing import Any

from study.base.errors import StudyError, one_line, plain

NO_DVC = "dvc is not installed here; pip install -r requirements.txt."


@contextmanager
def translated() -> Iterator[None]:
    """Within it, DVC's own errors and damage to its database are a StudyError."""
    try:
        from dvc.exceptions import DvcException, NotDvcRepoError  # type: ignore[import-untyped]
    except ImportError:
        raise StudyError(NO_DVC) from None
    try:
        yield
    except NotDvcRepoError:
        raise StudyError("this folder is in no DVC repository; go to the project's root.") from None
    except DvcException as error:
        causes = [str(error)]
        while error.__cause__ is not None:  # DVC says what failed, its causes say why
            error = error.__cause__
            causes.append(str(error))
        said = ": ".join(plain(cause).rstrip(".:") for cause in causes if cause)
        raise StudyError(f"{said}; put it right and run the same command, what finished is kept.") from None
    except DatabaseError as error:
        from dvc.dirs import site_cache_dir  # type: ignore[import-untyped]

        said = f"DVC's own files below {os.environ.get('DVC_SITE_CACHE_DIR') or site_cache_dir()} are damaged"
        raise StudyError(f"{said} ({one_line(error)}); remove them, and DVC makes them anew.") from None


@contextmanager
def asked(what: str) -> Iterator[None]:
    """As ``translated``; all else that DVC raises when it is asked to do ``what`` is a StudyError too.

    A user without a name is a KeyError there, and a list in place of a mapping an AttributeError.
    """
    try:
        with translated():
            yield
    except ImportError:
        raise StudyError(NO_DVC) from None
    except (StudyError, OSError, MemoryError):
        raise
    except Exception as error:
        raise StudyError(f"DVC cannot {what} ({type(error).__name__}: {one_line(error)}); dvc status says more.") from None


def opened(*arguments: str, **options: bool) -> Any:
    """DVC's repository in this folder, or in those above it. StudyError where DVC cannot open it."""
    with asked("open this project"):
        from dvc.repo import Repo  # type: ignore[import-untyped]

        return Repo(*arguments, **options)
