"""Messages to the service manager."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from zarrfs.mounts.systemd import notify

if TYPE_CHECKING:
    from pathlib import Path


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")


@pytest.mark.parametrize("prefix", ["", "@"])
def test_message_arrives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prefix: str) -> None:
    address = f"{prefix}{tmp_path}/notify" if not prefix else f"@zarrfs-test-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(10)
        manager.bind(address.replace("@", "\0", 1))
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        notify("READY=1")
        notify("STATUS=reading")
        assert manager.recv(100) == b"READY=1"
        assert manager.recv(100) == b"STATUS=reading"
