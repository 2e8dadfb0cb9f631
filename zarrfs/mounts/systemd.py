"""Tell systemd how a ``Type=notify`` service is getting on. Does nothing where none listens."""

from __future__ import annotations

import os
import socket


def notify(state: str) -> None:
    """Send ``READY=1``, ``STOPPING=1`` or ``STATUS=…`` to the service manager (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # the abstract name space of unix(7)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect(address)
        channel.sendall(state.encode())
