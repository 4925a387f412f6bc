"""How every stage talks to the person who started it: errors in one sentence, progress on a terminal and in a log."""

import argparse
import io
import math
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from study.base.errors import OUT_OF_MEMORY, StudyError, plain

if TYPE_CHECKING:
    from tqdm import tqdm


def parser(module_doc: str, name: str, package: str = "stages") -> argparse.ArgumentParser:
    """A parser for ``python -m <package>.<name>`` that shows the module's docstring as its help.

    Arguments of ``type=float`` are seconds or shares: they are finite numbers above 0.
    """
    made = argparse.ArgumentParser(
        prog=f"python -m {package}.{name}", description=module_doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.register("type", float, _positive)
    return made


def run(main: Callable[[], None]) -> None:
    """Run a stage; turn the errors that a user can put right into one sentence on stderr and exit code 1.

    Everything else keeps its traceback: it is a defect, and whoever mends it needs to see where it happened.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal's encoding lacks is shown as ?
            stream.reconfigure(errors="replace")
    try:
        main()
    except StudyError as error:
        sys.exit(f"error: {error}{_way_back(str(error))}")
    except KeyboardInterrupt:
        print("stopped by Ctrl-C.", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        hush()
        sys.exit(128 + signal.SIGPIPE)
    except MemoryError:
        sys.exit(f"error: {OUT_OF_MEMORY}")
    except OSError as error:  # a full disk, a missing permission: not a defect of ours
        if isinstance(error, FileNotFoundError) and error.filename == "git":
            sys.exit("error: git is not installed, or not in PATH; install it and run the same command.")
        if isinstance(error, shutil.Error) and isinstance(error.args[0], list):  # of a folder, file by file
            sys.exit(f"error: {plain(error.args[0][0][2])}; nothing was recorded, put it right and run the same command.")
        place = error.filename2 or error.filename  # of a copy the second is what is written
        where = f" ({plain(os.fsdecode(place))})" if isinstance(place, str | bytes | os.PathLike) else ""
        sys.exit(f"error: {error.strerror or error}{where}; nothing was recorded, put it right and run the same command.")


def hush() -> None:
    """For when whoever read the output has seen enough (status | head): what is flushed at the end goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def progress(**options: Any) -> "tqdm[Any]":
    """A tqdm bar that shows on a terminal and stays silent in a log file or CI, where its lines would pile up."""
    from tqdm import tqdm  # 0.05 s, and most commands show no bar

    return tqdm(disable=not sys.stderr.isatty(), dynamic_ncols=True, leave=False, **options)


def say(text: str) -> None:
    """Print ``text`` at once, so that it stands in the right place of a log that DVC also writes to.

    It may quote names of files: characters that would control a terminal are written out.
    """
    try:
        print("".join(each if each in "\n\t" else written_out(each) for each in text), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:  # a full disk below a log
        hush()
        raise StudyError(f"the output cannot be written ({error.strerror}); what was done before that stays done.") from None


def written_out(text: str) -> str:
    """``text`` with every character that would control a terminal written out, a line break too."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


ABOUT_PARAMS = ("params.yaml", "fraction is", "seed is")  # how errors begin that -S of dvc exp run may have caused
WAY_BACK = (
    " params.yaml differs from the last commit. Where -S wrote this (it writes before anything runs), git checkout HEAD -- "
    "params.yaml takes it away, and every edit of yours that is not committed; -S ++key=value sets a key whether or not it is "
    "there, -S ~key takes it away."
)


def _way_back(error: str) -> str:
    """In an experiment, a sentence on how params.yaml is put back, where ``error`` is about it and git knows another one."""
    if "DVC_EXP_BASELINE_REV" not in os.environ or not error.startswith(ABOUT_PARAMS):
        return ""
    try:
        differs = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "params.yaml"], capture_output=True, check=False)
    except OSError:  # there is no git
        return ""
    return WAY_BACK if differs.returncode == 1 else ""


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return value
