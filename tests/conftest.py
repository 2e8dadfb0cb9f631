"""What all tests share: the log check, Hypothesis profiles, markers by folder."""

from __future__ import annotations

import gc
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from zarrfs.mounts.detaching import detach
from zarrfs.mounts.mountinfo import mounted_at

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["pytester", "tests.log_check"]

# A test run must not depend on luck: the same examples each time, more of them in the slow profile.
settings.register_profile("fast", deadline=None, derandomize=True, max_examples=30)
settings.register_profile(
    "slow",
    deadline=None,
    derandomize=True,
    max_examples=300,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
# `make fuzz`: new examples each time, only of the tests against other implementations.
settings.register_profile("fuzz", settings.get_profile("slow"), derandomize=False, max_examples=200)
settings.load_profile("fast")

MARKED_FOLDERS = ("interop", "mounted")

# Shells start what runs in the background with Ctrl-C ignored, and all that is started from there
# would ignore it too.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of a folder that needs more than Python."""
    here = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(here).parts[0] if item.path.is_relative_to(here) else ""
        if folder in MARKED_FOLDERS:
            item.add_marker(folder)


def pytest_collection_finish() -> None:
    """Keep what stays to the end, half a million objects, out of each garbage collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def mountpoint(tmp_path: Path) -> Iterator[Path]:
    """An empty directory; what is mounted there is taken away."""
    path = tmp_path.resolve() / "mnt"
    path.mkdir()
    yield path
    while mounted_at(str(path)):
        detach(str(path))
