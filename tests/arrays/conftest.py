from __future__ import annotations

from tests.vfs.conftest import clock

__all__ = ["clock"]
