"""Which commit this clone is at, and whether the code and the parameters are that commit's own."""

import subprocess

from study.base.errors import StudyError, listed

# What a result is made by. dvc.lock, reports/ and .dvc/config may differ: work changes them.
INPUTS = ("stages", "study", "dvc.yaml", "params.yaml", ".dvcignore", "data/pretrained", "data/reference")


def committed() -> str:
    """The full id of this clone's commit; StudyError where code or parameters here are not what it holds."""
    edited = [line[3:] for line in _git("status", "--porcelain", "--", *INPUTS).splitlines()]
    commit = _git("rev-parse", "HEAD").strip()
    if edited:
        raise StudyError(
            f"{listed(edited, 1)} is not as in commit {commit[:10]}, so that results would fit no other clone; commit it on "
            "the head and check that commit out on every worker, or git checkout it."
        )
    return commit


def check(wanted: str) -> str:
    """The full id of this clone's commit; StudyError where it is not the one called ``wanted``, or where files differ."""
    here = committed()
    if len(wanted) < 7 and here.startswith(wanted):
        raise StudyError(f"--at {wanted} is too short to name a commit for certain; give what collect prints on the head.")
    if not here.startswith(wanted):
        raise StudyError(
            f"this clone is at commit {here[:10]}, not at the head's {wanted[:10]}; git fetch && git checkout {wanted}."
        )
    return here


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise StudyError("git is not installed here; without it nobody can tell which code made a result.") from None
    if done.returncode:
        raise StudyError(f"git cannot tell which commit this is ({done.stderr.strip()}); run this in a clone of the project.")
    return done.stdout
