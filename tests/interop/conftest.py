"""The third-party data, unpacked once, and mounts of it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

import pytest

import zarrfs
from tests.interop import conformance_data
from tests.interop.cases import CASES

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path


class MountOf(Protocol):
    """Mounts a store of the third-party data on first use; returns the mount point."""

    def __call__(self, store: str) -> Path: ...


_CASES = "random cases"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Note how many random cases a test ran, on its report, which workers send home."""
    before = CASES.total()
    try:
        yield
    finally:
        if n := CASES.total() - before:
            item.user_properties.append((_CASES, n))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many random cases ran, passed tests and failed ones alike."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    done = [
        int(str(value))
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
        if name == _CASES
    ]
    if done:
        terminalreporter.write_line(f"{sum(done):,} random cases against other implementations")


@pytest.fixture(scope="session")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that the keys of `expected.json` count from."""
    root = tmp_path_factory.mktemp("data")
    conformance_data.unpack(root)
    return root


@pytest.fixture(scope="module")
def mount_of(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MountOf]:
    """Mounts that stay until the module's last test."""
    mounts: dict[str, Path] = {}
    with contextlib.ExitStack() as stack:

        def mount(store: str) -> Path:
            if store not in mounts:
                point = tmp_path_factory.mktemp("mnt").resolve()
                mounts[store] = stack.enter_context(zarrfs.mount(data_root / store, point)).path
            return mounts[store]

        yield mount
