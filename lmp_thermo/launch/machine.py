"""What this machine has to give: cores, a compiler, disk space."""

import os
import shlex
import shutil
from pathlib import Path

from lmp_thermo.errors import WorkspaceError

CGROUP = Path("/sys/fs/cgroup")


def usable_cores() -> int:
    """Cores that this process may use: its affinity, and the quota of its control group."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = cgroup_quota(CGROUP, Path("/proc/self/cgroup"))
    return max(1, min(cores, int(quota))) if quota is not None else cores


def cgroup_quota(root: Path, membership: Path) -> float | None:
    """Cores granted by control groups, version 2 or 1; None without a limit.

    Args:
        root: where control groups are mounted.
        membership: which group this process is in, as ``/proc/self/cgroup``.
    """
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    quotas: list[float] = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = root / "cpu" if controllers else root
        folder = base / group.lstrip("/")
        # Inside a container the path may name a group of the host: then the mount itself counts.
        for place in [folder, *folder.parents]:
            if place.is_relative_to(base):
                quota = read_quota(place)
                if quota is not None:
                    quotas.append(quota)
    return min(quotas, default=None)


def read_quota(group: Path) -> float | None:
    """The quota that one control group sets, in cores."""
    try:
        if (group / "cpu.max").is_file():
            quota, period = (group / "cpu.max").read_text(encoding="utf-8").split()
        else:
            quota = (group / "cpu.cfs_quota_us").read_text(encoding="utf-8").strip()
            period = (group / "cpu.cfs_period_us").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    if quota == "max" or int(quota) <= 0:
        return None
    return int(quota) / int(period)


def compiler() -> str:
    """The C++ compiler that torch calls: of the environment's ``CXX``, or ``g++``."""
    return (shlex.split(os.environ.get("CXX", "")) or ["g++"])[0]


def free_bytes(folder: Path) -> int:
    """Free space where `folder` is, or will be."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def require_free_space(folder: Path, needed_bytes: float, purpose: str) -> None:
    """Refuse long work for which the disk is too small.

    Raises:
        WorkspaceError: less than `needed_bytes` are free.
    """
    free = free_bytes(folder)
    if free < needed_bytes:
        raise WorkspaceError(
            f"{folder}: {free / 1e6:.0f} MB free, {purpose} needs {needed_bytes / 1e6:.0f} MB; "
            "free some space or choose another --workspace"
        )
