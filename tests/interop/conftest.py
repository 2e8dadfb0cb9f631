"""The third-party data, unpacked once, and mounts of it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

import pytest

import zarrfs
from tests.interop import conformance_data

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class MountOf(Protocol):
    """Mounts a store of the third-party data on first use; returns the mount point."""

    def __call__(self, store: str) -> Path: ...


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
