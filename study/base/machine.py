"""How much of the machine this process may use, within the limits of its container or job, and what its processor is called."""

import math
import os
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")  # where Linux shows control groups, of version 2 or 1
OWN = Path("/proc/self/cgroup")  # those that this process is in


def processors(groups: Path = GROUPS, own: Path = OWN) -> int:
    """The number of processors, 1 or more: of the machine, of the affinity mask and of the quotas in whole processors."""
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = (_quota(folder) for folder in _folders("cpu", groups, own))
    return max(1, min([seen, *(math.floor(quota) for quota in quotas if quota is not None)]))


def memory(groups: Path = GROUPS, own: Path = OWN) -> int:
    """Bytes of memory: of the machine, or the lowest limit."""
    names = ("memory.max", "memory.limit_in_bytes")
    limits = [_text(folder / name).strip() for folder in _folders("memory", groups, own) for name in names]
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *(int(limit) for limit in limits if limit.isdigit())])


def processor_name() -> str:
    """The processor's name as its maker gives it; the architecture where the system does not tell."""
    try:
        if platform.system() == "Darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return " ".join(line.split(":", 1)[1].split())
    except (OSError, subprocess.CalledProcessError):
        pass
    return platform.machine()


def _quota(folder: Path) -> float | None:
    """Processors' worth of time that a control group is given, None where it has no limit."""
    words = (_text(folder / "cpu.max") or _text(folder / "cpu.cfs_quota_us") + _text(folder / "cpu.cfs_period_us")).split()
    limited = len(words) == 2 and all(word.isdigit() for word in words)  # else "max", or -1
    return int(words[0]) / int(words[1]) if limited and int(words[1]) else None


def _folders(controller: str, groups: Path, own: Path) -> Iterator[Path]:
    """The control groups that limit this process by ``controller``: the outermost, and its own with those around it."""
    for top, holder in ((groups, ""), (groups / controller, controller)):  # version 2 has one tree, version 1 one for each
        yield top
        for line in _text(own).splitlines():
            _, holders, path = line.split(":", 2)
            if holder in holders.split(","):
                inner = top / path.lstrip("/")
                yield from (folder for folder in (inner, *inner.parents) if folder.is_relative_to(top) and folder != top)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
