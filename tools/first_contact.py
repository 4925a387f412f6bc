"""What a first run needs, looked at before anything is installed: run by any Python, with its standard library alone.

The argument is the shell that make uses.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys

INSTALLED = 9  # GB: the packages take 5.5, pip's cache and the study the rest
STUDY = 1  # GB: the study alone, where the packages are installed already
UNPACKED = 2  # GB of the folder for temporary files: the largest package is unpacked there
POSIX = 'x=$((1 + 1)) && test "$x" = 2'


def problems(shell="/bin/sh"):
    """One sentence for each thing that would stop a first run later."""
    for look in (python, git, lambda: make_shell(shell), place, environment, user):
        for problem in look():
            yield problem


def python():
    """Python's version, and what it needs to make an environment."""
    if sys.version_info < (3, 11):
        yield "Python %d.%d is too old; name a newer one: make PYTHON=python3.11 quickstart" % sys.version_info[:2]
        return
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        yield "this Python cannot make an environment; install its venv module (python3-venv on Debian and Ubuntu)"


def git():
    """A git that takes this folder for one of a repository."""
    if shutil.which("git") is None:
        yield "git is not installed; DVC needs it"
        return
    english = dict(os.environ, LC_ALL="C")
    done = subprocess.run(["git", "rev-parse", "--show-prefix"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=english)
    if "dubious ownership" in done.stderr.decode(errors="replace"):
        yield (
            "this folder belongs to another user, so git refuses it: git config --global --add safe.directory %s"
            % shlex.quote(os.getcwd())
        )
    elif done.returncode:
        yield "this is no git repository (a ZIP file has none): git clone the project, or git init, add and commit"


def make_shell(shell):
    """A shell that understands what the Makefile says."""
    try:
        code = subprocess.run([shell, "-c", POSIX], stdout=subprocess.PIPE, stderr=subprocess.PIPE).returncode
    except OSError:
        code = 1
    if code:
        yield "make's shell is %s, which is none like sh: make SHELL=/bin/sh quickstart" % shell


def place():
    """A folder that can be written, and room on the disk."""
    if not os.access(".", os.W_OK):
        yield "this folder cannot be written"
    needed = STUDY if os.path.exists(".venv/study") else INSTALLED
    free = shutil.disk_usage(".").free
    if free < needed * 10**9:
        yield "%.1f GB are free here, and %d are needed; free some, or clone the project to a larger disk" % (
            free / 1e9,
            needed,
        )
    temporary = os.environ.get("TMPDIR") or "/tmp"
    if needed == INSTALLED and os.path.isdir(temporary) and shutil.disk_usage(temporary).free < UNPACKED * 10**9:
        yield "less than %d GB are free in %s, where packages are unpacked; set TMPDIR to a larger folder" % (
            UNPACKED,
            temporary,
        )


def environment():
    """A .venv that make made, for this folder; or none."""
    if os.path.lexists(".venv") and not os.path.isdir(".venv"):
        yield ".venv is no folder; move it away, and make makes one"
        return
    if not os.path.isdir(".venv") or not os.listdir(".venv"):
        return
    if not os.path.exists(".venv/python"):
        if os.path.exists(".venv/begun"):
            return  # make was stopped while it made it, and goes on
        yield "this .venv was not made by make; move it away, or touch .venv/python to have make install into it"
        return
    if not os.path.exists(".venv/bin/python"):
        yield "the Python that .venv was made with is gone; remove .venv, and make makes it anew"
        return
    try:
        with open(".venv/bin/activate") as file:
            # From Python 3.12 on, what Windows is to do stands first: VIRTUAL_ENV=$(cygpath ...)
            written = re.search(r"VIRTUAL_ENV=(?!\$)(.+)", file.read())
        made_for = "".join(shlex.split(written.group(1))) if written else ""
    except (OSError, ValueError):
        made_for = ""
    if made_for and not os.path.isdir(made_for):
        yield "this clone was moved or renamed after .venv was made; remove .venv, and make makes it anew"


def user():
    """A user whom libraries can ask for a name: some containers run under a number without one."""
    try:
        import pwd

        pwd.getpwuid(os.getuid())
    except (ImportError, KeyError):
        if not any(os.environ.get(name) for name in ("LOGNAME", "USER", "LNAME", "USERNAME")):
            yield "user %d has no name here; export USER=me HOME=/a/folder/that/can/be/written" % os.getuid()


if __name__ == "__main__":
    found = list(problems(*sys.argv[1:2]))
    for each in found:
        sys.stderr.write("error: %s.\n" % each)
    sys.exit(1 if found else 0)
