"""The control socket: commands, errors, limits."""

from __future__ import annotations

import socket
import stat
import threading
from typing import TYPE_CHECKING, Any

import pytest

from zarrfs.errors import MountError, NodeNotFoundError
from zarrfs.mounts import control
from zarrfs.mounts.control import ControlServer, ask, ask_mount

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.log_check import LogCheck


def not_there(request: Any) -> None:
    raise NodeNotFoundError(request["path"])


def broken(request: Any) -> None:
    raise RuntimeError("a bug")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Path]:
    # Longer than the 108 bytes of a socket's name.
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    path = folder / "control.sock"
    commands = {"echo": lambda request: request["text"], "lookup": not_there, "broken": broken}
    running = ControlServer(path, commands)
    yield path
    running.close()


def test_command_is_answered(server: Path) -> None:
    assert ask(server, "echo", text="héllo\n") == "héllo\n"


def test_socket_is_the_owners_only(server: Path) -> None:
    assert stat.S_IMODE(server.stat().st_mode) == 0o600


def test_errors_come_back_as_messages(server: Path) -> None:
    with pytest.raises(MountError, match="no Zarr array or group at a/b"):
        ask(server, "lookup", path="a/b")


def test_unknown_command_is_told_which_there_are(server: Path) -> None:
    with pytest.raises(MountError, match="no command 'destroy'; there are echo, lookup, broken"):
        ask(server, "destroy")


def test_bug_in_a_command_is_logged_and_the_next_one_answered(
    server: Path, expected_logs: LogCheck
) -> None:
    expected_logs("command broken failed", times=1)
    with pytest.raises(MountError, match="RuntimeError: a bug"):
        ask(server, "broken")
    assert ask(server, "echo", text="alive") == "alive"


@pytest.mark.parametrize("request_text", [b"", b"{", b"[]", b'{"command": ["echo"]}', b"\xff"])
def test_garbage_does_not_stop_the_server(server: Path, request_text: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as client, control._short_name(server) as name:
        client.connect(name)
        client.sendall(request_text)
        client.shutdown(socket.SHUT_WR)
        reply = client.recv(1000)
    assert reply == b"" or b"no command" in reply
    assert ask(server, "echo", text="alive") == "alive"


def test_request_without_end_is_cut(server: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "LARGEST_REQUEST", 1000)
    with pytest.raises(MountError, match="does not answer"):
        ask(server, "echo", text="x" * 1000)
    assert ask(server, "echo", text="alive") == "alive"


def test_silent_client_holds_the_server_for_a_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "REQUEST_SECONDS", 0.05)
    path = tmp_path / "sock"
    server = ControlServer(path, {"ping": lambda request: "pong"})
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        assert ask(path, "ping") == "pong"
    server.close()


def test_server_that_does_not_answer_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "REPLY_SECONDS", 0.05)
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        with pytest.raises(MountError, match="does not answer"):
            ask(path, "ping")


def test_no_server_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MountError, match="does not answer"):
        ask(tmp_path / "sock", "ping")


def test_socket_of_a_dead_daemon_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    server = ControlServer(path, {"ping": lambda request: "pong"})
    assert ask(path, "ping") == "pong"
    server.close()


def test_close_ends_the_thread(tmp_path: Path) -> None:
    server = ControlServer(tmp_path / "sock", {})
    server.close()
    assert "control" not in {thread.name for thread in threading.enumerate()}


def test_mount_point_without_daemon_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MountError, match="has a running daemon"):
        ask_mount(tmp_path, "ping")
