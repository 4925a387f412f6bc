"""`dvc exp run` that was killed leaves git on a detached HEAD, where later commits belong to no branch: that is said."""

import subprocess


def advice() -> str | None:
    """A sentence with the way back where HEAD is detached and DVC's own mark of an experiment under way is there."""
    if _git("symbolic-ref", "-q", "HEAD") or not _git("rev-parse", "-q", "--verify", "refs/exps/exec/EXEC_BASELINE"):
        return None
    branch = _git("rev-parse", "-q", "--verify", "--abbrev-ref", "@{-1}") or "BRANCH"
    return (
        "note: git is on a detached HEAD, where dvc exp run leaves it when it is killed (if one is at work now, let it end): "
        f"git checkout {branch} leads back and keeps changed files, git restore --staged .dvc/tmp drops what DVC staged."
    )


def _git(*arguments: str) -> str:
    """What git prints; nothing where it fails or is not there."""
    try:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
