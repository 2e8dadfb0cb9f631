from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.vfs.conftest import clock
from zarrfs.arrays.engine import Engine
from zarrfs.arrays.hierarchy import Hierarchy
from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["clock"]


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Threads of their own, and 1 MiB."""
    engine = Engine(memory=2**20, failure_ttl=5)
    yield engine
    engine.close()


@pytest.fixture
def store() -> MemoryStore:
    """Empty, and nobody else's."""
    return MemoryStore()


@pytest.fixture
def hierarchy(store: MemoryStore) -> Hierarchy:
    """The nodes of `store`."""
    return Hierarchy(store)
