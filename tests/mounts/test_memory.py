"""The memory of this machine or of its control group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zarrfs.mounts.memory import LARGEST_DEFAULT, available_memory, cgroup_limit, default_memory
from zarrfs.mounts.mountinfo import MountEntry

if TYPE_CHECKING:
    from pathlib import Path


def hierarchy(folder: Path, *, version: int, root: str = "/") -> MountEntry:
    return MountEntry(
        mountpoint=str(folder),
        root=root,
        fstype="cgroup2" if version == 2 else "cgroup",
        source="cgroup",
        device="0:1",
        options=frozenset({"rw", "memory"} if version == 1 else {"rw"}),
    )


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    (tmp_path / "outer" / "inner").mkdir(parents=True)
    return tmp_path


def test_no_limit(groups: Path) -> None:
    (groups / "outer" / "memory.max").write_text("max\n")
    assert cgroup_limit("0::/outer/inner\n", [hierarchy(groups, version=2)]) is None


def test_tightest_limit_of_the_ancestors_binds(groups: Path) -> None:
    (groups / "outer" / "memory.max").write_text("1000\n")
    (groups / "outer" / "inner" / "memory.max").write_text("3000\n")
    assert cgroup_limit("0::/outer/inner\n", [hierarchy(groups, version=2)]) == 1000


def test_own_limit_binds(groups: Path) -> None:
    (groups / "outer" / "memory.max").write_text("max\n")
    (groups / "outer" / "inner" / "memory.max").write_text("3000\n")
    assert cgroup_limit("0::/outer/inner\n", [hierarchy(groups, version=2)]) == 3000


def test_group_inside_a_container(groups: Path) -> None:
    (groups / "memory.max").write_text("500\n")
    mounts = [hierarchy(groups, version=2, root="/docker/abc")]
    assert cgroup_limit("0::/docker/abc\n", mounts) == 500


def test_version_1_and_the_empty_hybrid_of_version_2(groups: Path, tmp_path: Path) -> None:
    (groups / "outer" / "memory.limit_in_bytes").write_text("700\n")
    empty = tmp_path / "unified"
    empty.mkdir()
    mounts = [hierarchy(groups, version=1), hierarchy(empty, version=2)]
    assert cgroup_limit("5:cpu,memory:/outer\n0::/\n", mounts) == 700


def test_group_that_is_nowhere_has_no_limit(groups: Path) -> None:
    assert cgroup_limit("5:cpu:/outer\n", [hierarchy(groups, version=1)]) is None
    assert cgroup_limit("0::/../elsewhere\n", [hierarchy(groups, version=2)]) is None


def test_default_is_a_quarter_and_bounded() -> None:
    assert default_memory() == min(LARGEST_DEFAULT, available_memory() // 4)
    assert 0 < default_memory() <= LARGEST_DEFAULT
