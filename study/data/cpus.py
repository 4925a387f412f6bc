"""How many processors this process may really use: of the machine, of its affinity mask and of its container's quota."""

import math
import os
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")


def usable(groups: Path = _GROUPS) -> int:
    """The number of processors, 1 or more; ``groups`` is where Linux shows control groups (v2, or v1)."""
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(groups)
    return seen if quota is None else max(1, min(seen, math.floor(quota)))


def _quota(groups: Path) -> float | None:
    """Processors' worth of time that the container is given, None where it has no limit."""
    try:
        given, period = (groups / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            given = (groups / "cpu" / "cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (groups / "cpu" / "cpu.cfs_period_us").read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return None
    return int(given) / int(period) if given.isdigit() and period.isdigit() and int(period) else None
