from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.vfs.mounting import Clock, Show
from zarrfs.vfs.filesystem import FileSystem
from zarrfs.vfs.options import ViewOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarrfs.stores.base import Store


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time that can be put forward, for all that is remembered for a while."""
    clock = Clock(time.monotonic)
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


@pytest.fixture
def show() -> Iterator[Show]:
    """Make file systems, and close them in the end."""
    made: list[FileSystem] = []

    def show(store: Store, name: str = "data", **options: Any) -> FileSystem:
        chosen: dict[str, Any] = {"memory": 2**26, "attr_timeout": 1.0, **options}
        filesystem = FileSystem(
            store,
            name=name,
            options=ViewOptions(**chosen),
            version="1.2",
            read_log=lambda: b"one line\n",
        )
        made.append(filesystem)
        return filesystem

    yield show
    for filesystem in made:
        filesystem.close()
