"""Cores and disk space."""

import os
from pathlib import Path

import pytest

from lmp_thermo.errors import WorkspaceError
from lmp_thermo.launch.machine import cgroup_quota, require_free_space, usable_cores


def test_cores_are_those_of_the_affinity() -> None:
    assert 1 <= usable_cores() <= len(os.sched_getaffinity(0))
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, cores)


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/a/b", {"a/cpu.max": "150000 100000", "a/b/cpu.max": "max 100000"}, 1.5),
        ("0::/a/b", {"a/cpu.max": "400000 100000", "a/b/cpu.max": "250000 100000"}, 2.5),
        ("0::/not/mounted/here", {"cpu.max": "300000 100000"}, 3.0),
        ("0::/", {"cpu.max": "max 100000"}, None),
        ("0::/", {"cpu.max": "nonsense"}, None),
        ("0::/", {}, None),
        (
            "3:memory:/m\n4:cpu,cpuacct:/g",
            {"cpu/g/cpu.cfs_quota_us": "200000", "cpu/g/cpu.cfs_period_us": "100000"},
            2.0,
        ),
        (
            "4:cpu:/g",
            {"cpu/g/cpu.cfs_quota_us": "-1", "cpu/g/cpu.cfs_period_us": "100000"},
            None,
        ),
    ],
)
def test_quota(
    tmp_path: Path, membership: str, files: dict[str, str], expected: float | None
) -> None:
    (tmp_path / "cgroup").write_text(membership + "\n")
    root = tmp_path / "root"
    root.mkdir()
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    assert cgroup_quota(root, tmp_path / "cgroup") == expected


def test_no_control_groups(tmp_path: Path) -> None:
    assert cgroup_quota(tmp_path, tmp_path / "none") is None


def test_free_space(tmp_path: Path) -> None:
    require_free_space(tmp_path / "not" / "yet", 1.0, "a test")
    with pytest.raises(WorkspaceError, match=r"MB free, a test needs 1e\+15 MB|a test needs \d+"):
        require_free_space(tmp_path, 1e21, "a test")
