"""Serves a directory as a mount, with faults that the starter switches on and off.

``python -m tests.mounted.scripted_daemon STORE MOUNTPOINT`` takes a JSON object a line on standard
input and answers each with a line. It ends with its input.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import signal
import struct
import sys
import threading
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from zarrfs.fuse.kernel_tuning import KernelLimits
from zarrfs.fuse.session import SessionOptions, _descriptor_of_libfuse, run
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.local import LocalStore
from zarrfs.vfs.filesystem import FileSystem
from zarrfs.vfs.options import ViewOptions

if TYPE_CHECKING:
    from zarrfs.byte_range import ByteRange
    from zarrfs.stores.base import Buffer, ObjectInfo


class MisprogrammedStore(FaultyStore):
    """Fails for some keys with what no store may raise."""

    pattern = ""

    def get(self, key: str, byte_range: ByteRange | None = None) -> Buffer:
        """Read, if there is no fault in the program."""
        self._divide(key)
        return super().get(key, byte_range)

    def stat(self, key: str) -> ObjectInfo:
        """Look, if there is no fault in the program."""
        self._divide(key)
        return super().stat(key)

    def _divide(self, key: str) -> None:
        if fnmatchcase(key, self.pattern):
            raise ZeroDivisionError(f"a fault in the program, met at {key}")


class Thief:
    """Takes one request from under the eyes of the mount, and answers it with EIO.

    To the mount that is as if the kernel had taken it back: it was told of it and finds nothing.
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def wait_for_prey(self) -> None:
        """Take the next request that the mount is too slow for: just one, however often called."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._steal, daemon=True)
            self._thread.start()

    def _steal(self) -> None:
        connection = _descriptor_of_libfuse()
        request = os.read(connection, 2**21)
        _, _, unique = struct.unpack_from("=IIQ", request)
        # The kernel wants no answer to some requests, and says so.
        with contextlib.suppress(FileNotFoundError):
            os.write(connection, struct.pack("=IiQ", 16, -errno.EIO, unique))


def obey(
    filesystem: FileSystem,
    store: MisprogrammedStore,
    thief: Thief,
    command: str,
    arguments: dict[str, Any],
) -> object:
    """Do what the starter wants."""
    match command:
        case "refresh":
            filesystem.refresh()
        case "inject":
            store.inject(**arguments["faults"])
        case "heal":
            store.pattern = ""
            store.heal()
        case "wait_until_hanging":
            return store.wait_until_hanging(arguments["count"], timeout=60)
        case "misprogram":
            store.pattern = arguments["keys"]
        case "steal":
            thief.wait_for_prey()
        case "operations":
            return [(operation.name, operation.key) for operation in store.operations]
        case _:
            raise ValueError(command)
    return "done"


def answer(reply: object) -> None:
    """Send a line to the starter."""
    print(json.dumps(reply), flush=True)


def main() -> None:
    """Serve one mount."""
    folder, mountpoint = sys.argv[1:]
    start = json.loads(sys.stdin.readline())
    store = MisprogrammedStore(LocalStore(folder))
    with NamedTemporaryFile() as log:
        logging.basicConfig(
            filename=log.name,
            level=logging.INFO,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )
        attr_timeout = start.get("attr_timeout", 1.0)
        filesystem = FileSystem(
            store,
            name="store",
            options=ViewOptions(memory=start.get("memory", 2**26), attr_timeout=attr_timeout),
            version="0",
            read_log=Path(log.name).read_bytes,
        )

        thief = Thief()

        def listen() -> None:
            for line in sys.stdin:
                arguments = json.loads(line)
                answer(obey(filesystem, store, thief, arguments.pop("command"), arguments))
            os.kill(os.getpid(), signal.SIGTERM)

        def ready() -> None:
            answer("ready")
            threading.Thread(target=listen, daemon=True).start()

        limits: contextlib.AbstractContextManager[object] = contextlib.nullcontext()
        if start.get("is_untuned"):  # as for a user who may not raise them
            low = KernelLimits(read_ahead_kb=128, max_background=None)
            limits = patch("zarrfs.fuse.session.tune", lambda device: low)
        options = SessionOptions(
            mountpoint=mountpoint,
            fuse_options=frozenset({"ro", "fsname=scripted", "subtype=zarrfs"}),
            timeout=start.get("timeout", 60.0),
            names_timeout=start.get("names_timeout", 15.0),
            attr_timeout=attr_timeout,
        )
        with limits:
            run(filesystem, options, ready)
        filesystem.close()


if __name__ == "__main__":
    main()
