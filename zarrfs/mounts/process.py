"""Start the daemon of a mount, and know that it answers. The Python face of mounting."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from zarrfs.errors import MountBusyError, MountError, UsageError
from zarrfs.mounts.config import MountConfig, parse_options
from zarrfs.mounts.detaching import detach
from zarrfs.mounts.liveness import probe, send_signal, start_time, wait_for_end
from zarrfs.mounts.mountinfo import absolute_mountpoint, mounted_at
from zarrfs.mounts.preflight import claim
from zarrfs.mounts.state import MountInfo
from zarrfs.mounts.unmount import unmount

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

START_SECONDS = 30.0
"""How long a daemon may take until its mount answers."""

TERMINATE_SECONDS = 2.0
"""How long a daemon that failed to start may take to end by itself."""

LARGEST_OUTPUT = 64 << 10
"""Bytes kept of what a starting daemon says."""


class Mount:
    """A running mount. Leaving a ``with`` block unmounts it.

    If files are still open then (an `numpy.memmap` that is alive, say), the mount is taken off
    the tree and its daemon ends when the last of them is closed.
    """

    def __init__(self, info: MountInfo) -> None:
        self.info = info
        self.path = Path(info.mountpoint)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if mounted_at(self.info.mountpoint) is None:
            return  # unmounted inside the block
        try:
            self.unmount()
        except MountBusyError:
            detach(self.info.mountpoint)

    def unmount(self) -> None:
        """Unmount, and wait for the daemon to end; `MountBusyError` if files are open."""
        unmount(self.info.mountpoint)

    def __repr__(self) -> str:
        return f"<Mount of {self.info.store} at {self.info.mountpoint}>"


def mount(
    store: str | os.PathLike[str],
    mountpoint: str | os.PathLike[str],
    *,
    storage_options: Mapping[str, object] | None = None,
    **options: object,
) -> Mount:
    """Mount a store in a process of its own; return once the mount answers.

    Parameters
    ----------
    store
        Path or URL.
    mountpoint
        An empty directory.
    storage_options
        Options for the store, kept apart from those of the mount.
    **options
        As with ``zarrfs mount -o``: ``memory="512M"``, ``views="bin:npy"``, ``keep_cache=False``.
        What the mount does not know is an option of the store.

    Raises
    ------
    UsageError
        If an option or the URL is not understood.
    MountError
        If it cannot be mounted.
    """
    parsed = parse_options((key, _option_text(value)) for key, value in options.items())
    further = [(key, _option_text(value)) for key, value in (storage_options or {}).items()]
    config = MountConfig(
        store=os.fspath(store),
        mountpoint=absolute_mountpoint(os.fspath(mountpoint)),
        options=dataclasses.replace(parsed, store=(*parsed.store, *further)),
    )
    info, _ = start(config)
    return Mount(info)


def start(config: MountConfig) -> tuple[MountInfo, list[str]]:
    """Start the daemon of a mount, and wait until the mount answers.

    Returns
    -------
    info, notes
        The mount, and what its user should be told about it, a line each.

    Raises
    ------
    UsageError
        If the daemon does not understand the URL or an option.
    MountError
        If it cannot be mounted, or does not answer in time; nothing is left behind then.
    """
    with claim(config):
        # -P: the folder that we are in may hold a package of the same name.
        daemon = subprocess.Popen(
            [sys.executable, "-P", "-m", "zarrfs.mounts.daemon", config.mountpoint],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with daemon:
            return _await_ready(daemon, config)


def _await_ready(
    daemon: subprocess.Popen[bytes], config: MountConfig
) -> tuple[MountInfo, list[str]]:
    """Send the configuration, and listen until the daemon is ready or has failed."""
    assert daemon.stdin
    assert daemon.stdout
    assert daemon.stderr
    output = {daemon.stdout.fileno(): bytearray(), daemon.stderr.fileno(): bytearray()}
    messages: dict[str, Any] = {}
    is_ready = False
    try:
        with contextlib.suppress(BrokenPipeError), daemon.stdin:
            daemon.stdin.write(config.to_json().encode())
        with selectors.DefaultSelector() as selector:
            for descriptor in output:
                selector.register(descriptor, selectors.EVENT_READ)
            deadline = time.monotonic() + START_SECONDS
            while selector.get_map() and (left := deadline - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    data = os.read(key.fd, LARGEST_OUTPUT)
                    output[key.fd] = (output[key.fd] + data)[-LARGEST_OUTPUT:]
                    if not data:
                        selector.unregister(key.fd)
                messages = _parse_messages(output[daemon.stdout.fileno()])
                if "ready" in messages:
                    is_ready = True
                    return MountInfo(**messages["ready"]), messages["notes"]
    finally:
        if not is_ready:
            daemon.kill()  # the process that forks the daemon, if it got no further
            # What was not read yet counts; what comes later finds the pipe closed, and ends.
            os.set_blocking(daemon.stdout.fileno(), False)
            with contextlib.suppress(BlockingIOError):
                output[daemon.stdout.fileno()] += os.read(daemon.stdout.fileno(), LARGEST_OUTPUT)
            messages = _parse_messages(output[daemon.stdout.fileno()])
            _end(messages.get("pid"), config.mountpoint)
    raise _failure(messages, output[daemon.stderr.fileno()].decode(errors="replace"), config)


def _parse_messages(output: bytearray) -> dict[str, Any]:
    """Merge the complete lines, each a JSON object."""
    messages: dict[str, Any] = {}
    for line in bytes(output).split(b"\n")[:-1]:
        messages.update(json.loads(line))
    return messages


def _failure(messages: Mapping[str, Any], stderr: str, config: MountConfig) -> Exception:
    """Make the daemon's error, or its silence, ours."""
    words = stderr.strip()
    if "error" not in messages:
        reason = words.rpartition("\n")[2] or f"no answer within {START_SECONDS:g} s"
        error: Exception = MountError(f"cannot mount at {config.mountpoint}: {reason}")
        error.add_note(words)
        return error
    text = messages["error"]
    if words and words not in text:
        text = f"{text} ({words})"
    error = UsageError(text) if messages["usage"] else MountError(text)
    error.add_note(f"In the daemon:\n{messages['traceback']}")
    return error


def _end(pid: int | None, mountpoint: str) -> None:
    """End a daemon that failed to start, and clear what it mounted."""
    started = start_time(pid) if pid else None
    if pid is None or started is None:
        return
    send_signal(pid, started, signal.SIGTERM)
    if not wait_for_end(pid, started, TERMINATE_SECONDS):
        send_signal(pid, started, signal.SIGKILL)
        wait_for_end(pid, started, TERMINATE_SECONDS)
    entry = mounted_at(mountpoint)
    if entry is not None and entry.is_zarrfs and probe([mountpoint]) == ["dead"]:
        detach(mountpoint)


def _option_text(value: object) -> str:
    """Write a Python value as ``-o`` has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ":".join(map(str, value))
    return str(value)
