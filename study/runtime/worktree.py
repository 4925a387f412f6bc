"""A git worktree begins with an empty DVC cache, and everything in it is trained again: that is said before it happens."""

import configparser
import os
import shlex
from pathlib import Path


def advice() -> str | None:
    """A sentence where the project is a git worktree whose cache is empty, with the command that shares the main one's."""
    root = Path(os.environ.get("DVC_ROOT") or ".")
    own = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "dvc" / "config"
    if (root / ".dvc" / "cache" / "files").is_dir() or any(map(_names_a_cache, (*root.glob(".dvc/config*"), own))):
        return None
    try:
        kind, _, folder = (root / ".git").read_text(encoding="utf-8").strip().partition(": ")
    except (OSError, ValueError):  # a folder, as in every clone
        return None
    main = (root / folder).parent.parent.parent  # of <main>/.git/worktrees/<name>, which may be written from the root
    if kind != "gitdir" or not (main / ".dvc" / "cache").is_dir():
        return None
    return (
        f"note: this is a git worktree with an empty DVC cache, so what {main} has is trained again here; "
        f"dvc cache dir --local {shlex.quote(str(main / '.dvc' / 'cache'))} shares that cache."
    )


def _names_a_cache(config: Path) -> bool:
    parsed = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parsed.read(config, encoding="utf-8")
    except (configparser.Error, ValueError):
        return False
    return parsed.has_option("cache", "dir")
