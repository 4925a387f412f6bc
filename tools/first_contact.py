"""What a first run needs, looked at before anything is installed: run by any Python, with its standard library alone."""

import os
import shutil
import subprocess
import sys

DISK = 9  # GB: the packages take 5.5, pip's cache and the study the rest


def problems():
    """One sentence for each thing that would stop a first run later."""
    if sys.version_info < (3, 11):
        yield "Python %d.%d is too old; name a newer one: make PYTHON=python3.11 quickstart" % sys.version_info[:2]
    if shutil.which("git") is None:
        yield "git is not installed; DVC needs it"
    else:
        done = subprocess.run(["git", "rev-parse", "--is-inside-work-tree"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = done.stderr.decode(errors="replace")
        if "dubious ownership" in said:
            yield (
                "this folder belongs to another user, so git refuses it: git config --global --add safe.directory '%s'"
                % os.getcwd()
            )
        elif done.returncode:
            yield "this is no git repository (a ZIP file has none): git clone the project, or git init, add and commit"
    if not os.path.isdir(".venv") and shutil.disk_usage(".").free < DISK * 10**9:
        yield "less than %d GB are free here, and the packages would not fit" % DISK
    if not os.access(".", os.W_OK):
        yield "this folder cannot be written"


if __name__ == "__main__":
    found = list(problems())
    for each in found:
        sys.stderr.write("error: %s.\n" % each)
    sys.exit(1 if found else 0)
