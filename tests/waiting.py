"""Waiting for what another process or thread does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE = 60.0
"""Seconds for what another has to do; reached only by a test that fails."""


def wait_until(condition: Callable[[], object]) -> None:
    """Return when a condition holds: nothing tells when another process or thread got so far."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
