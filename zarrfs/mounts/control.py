"""Commands to a running mount, over a Unix socket: one JSON request and one reply a connection.

Its own thread, and no trio: it answers while the kernel side is busy. The file system itself is
never asked through its own mount point.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

from zarrfs.errors import MountError, ZarrfsError
from zarrfs.mounts.mountinfo import absolute_mountpoint
from zarrfs.mounts.state import find_daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Command = Callable[[Mapping[str, Any]], Any]

LARGEST_REQUEST = 64 << 10
"""Bytes of one request; the longest is a path, at most 4 KiB."""

LARGEST_REPLY = 4 << 20
"""Bytes of one reply; the statistics take a few KiB."""

REQUEST_SECONDS = 2.0
"""A client that connects and says nothing holds the thread no longer than this."""

REPLY_SECONDS = 15.0
"""How long a client waits for the answer."""

log = logging.getLogger(__name__)


class ControlServer:
    """Answers commands on a socket that only its owner may open, until closed.

    Parameters
    ----------
    path
        The socket; one that a dead daemon left is replaced.
    commands
        From a command's name to what answers it: the request in, JSON values out.
    """

    def __init__(self, path: Path, commands: Mapping[str, Command]) -> None:
        self._path, self._commands = path, commands
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path.unlink(missing_ok=True)
        with _short_name(path) as name:
            self._socket.bind(name)
        path.chmod(0o600)
        self._socket.listen(8)
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        # close() alone would leave the thread in accept(); shutdown() wakes it.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=REQUEST_SECONDS)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed
            with connection:
                connection.settimeout(REQUEST_SECONDS)
                try:
                    request = _receive(connection, LARGEST_REQUEST)
                    connection.sendall(json.dumps(self._answer(request)).encode())
                except (OSError, ValueError) as error:
                    log.debug("control connection dropped: %s", error)

    def _answer(self, request: Any) -> dict[str, Any]:
        name = request.get("command") if isinstance(request, dict) else None
        command = self._commands.get(name) if isinstance(name, str) else None
        if command is None:
            return {"error": f"no command {name!r}; there are {', '.join(self._commands)}"}
        try:
            return {"result": command(request)}
        except ZarrfsError as error:
            return {"error": str(error)}
        except Exception as error:  # one bad command must not end the thread
            log.exception("command %s failed", name)
            return {"error": f"{type(error).__name__}: {error}"}


def ask_mount(mountpoint: str | os.PathLike[str], command: str, /, **arguments: str) -> Any:
    """Send one command to the daemon of a mount point; see `ask`."""
    path = absolute_mountpoint(os.fspath(mountpoint))
    found = find_daemon(path)
    if found is None:
        raise MountError(
            f"no mount of yours at {path} has a running daemon; `zarrfs list` shows the mounts"
        )
    return ask(found[0].socket, command, **arguments)


def ask(path: Path, command: str, /, **arguments: str) -> Any:
    """Send one command to a mount and return its result.

    Raises
    ------
    MountError
        If the daemon does not answer in time, or answers with an error.
    """
    request = json.dumps({"command": command, **arguments}).encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(REPLY_SECONDS)
        try:
            with _short_name(path) as name:
                connection.connect(name)
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            reply = _receive(connection, LARGEST_REPLY)
        except (OSError, ValueError) as error:
            raise MountError(f"the daemon does not answer at {path}: {error}") from error
    if "error" in reply:
        raise MountError(reply["error"])
    return reply["result"]


def _receive(connection: socket.socket, largest: int) -> Any:
    """Read JSON until the other side has no more to say."""
    data = bytearray()
    while part := connection.recv(64 << 10):
        data += part
        if len(data) > largest:
            raise ValueError(f"more than {largest} bytes")
    return json.loads(data)


@contextlib.contextmanager
def _short_name(path: Path) -> Iterator[str]:
    """Name a socket in at most 108 bytes, wherever its folder is (unix(7), sun_path)."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
