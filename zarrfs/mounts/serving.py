"""One mount at work, from opening its store to its end: session, control socket and record."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote, unquote, urlsplit

from zarrfs.errors import MountError, StoreError, UrlError, UsageError
from zarrfs.mounts.control import ControlServer
from zarrfs.mounts.doctor import check_pyfuse3
from zarrfs.mounts.liveness import start_time
from zarrfs.mounts.preflight import check_cache_dir, check_overlap
from zarrfs.mounts.state import MountFolder, MountInfo, Record
from zarrfs.stores.redaction import redact
from zarrfs.stores.urls import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from zarrfs.mounts.config import MountConfig
    from zarrfs.stores.base import Store
    from zarrfs.vfs.filesystem import FileSystem

LOCAL_ATTR_SECONDS = 1.0
REMOTE_ATTR_SECONDS = 60.0
"""How long names and attributes are trusted, by default: asking a remote store costs a request."""

CLOSE_SECONDS = 5.0
"""For closing the store after the mount has ended; one that hangs is left behind."""

log = logging.getLogger(__name__)


def serve(
    config: MountConfig, folder: MountFolder, ready: Callable[[MountInfo, list[str]], None]
) -> None:
    """Mount, call `ready` once the mount answers, and serve until it is unmounted.

    `ready` is given the mount, and what its user should be told about it, a line each.

    Raises
    ------
    ZarrfsError
        If the store cannot be opened or mounted.
    """
    try:
        from zarrfs.fuse import session
    except ImportError as error:
        if (check := check_pyfuse3()).ok:
            raise
        raise MountError(f"cannot mount: {check.found}; run: {check.remedy}") from error
    from zarrfs.vfs.filesystem import FileSystem
    from zarrfs.vfs.options import ViewOptions

    options = config.options
    try:
        store = open_store(config.store, options=dict(options.store))
    except UrlError as error:
        hint = "; `zarrfs mount --help` lists the options of a mount" if options.store else ""
        raise UsageError(f"{error}{hint}") from error
    check_overlap(store.url, config.mountpoint)
    check_cache_dir(config)
    with contextlib.ExitStack() as stack:
        attr_timeout = options.attr_timeout
        if attr_timeout is None:
            is_local = store.capabilities.cheap_stat
            attr_timeout = LOCAL_ATTR_SECONDS if is_local else REMOTE_ATTR_SECONDS
        filesystem = FileSystem(
            store,
            name=store_name(store.url),
            options=ViewOptions(
                layout=options.layout,
                views=options.views,
                endian=options.endian,
                memory=options.memory,
                cache_dir=options.cache_dir,
                cache_size=options.cache_size,
                attr_timeout=attr_timeout,
            ),
            version=version("zarrfs"),
            read_log=folder.log.read_bytes,
        )
        stack.callback(_close_bounded, filesystem.close)

        def on_ready() -> None:
            info = _write_record(config, store, folder)
            server = ControlServer(folder.socket, _commands(filesystem))
            stack.callback(server.close)
            log.info("%s is mounted at %s, %s", info.store, info.mountpoint, info.mode)
            ready(info, _notes(config, info, filesystem))

        session.run(
            filesystem,
            session.SessionOptions(
                mountpoint=config.mountpoint,
                fuse_options=fuse_options(config, store, is_read_only=True),
                timeout=options.timeout,
                names_timeout=options.names_timeout,
                attr_timeout=attr_timeout,
                keep_cache=options.keep_cache,
            ),
            on_ready,
        )
        log.info("%s is unmounted", config.mountpoint)


def store_name(url: str) -> str:
    """Return the name of a store in file names: the last part without ``.zarr`` and ``.zip``."""
    bare = url.removeprefix("fault+")
    if "://" in bare:
        path = urlsplit(bare).path
    else:  # a plain path may hold any character; options come after a wrapped one only
        path = quote(bare if bare == url else bare.partition("?")[0])
    name = unquote(path.rstrip("/").rpartition("/")[2]).replace("/", "_") or "root"
    for ending in (".zip", ".zarr"):
        name = name.removesuffix(ending) or name
    return name


def fuse_options(config: MountConfig, store: Store, *, is_read_only: bool) -> frozenset[str]:
    """Return the options of a mount for libfuse, one a string."""
    # ASCII only: the binding encodes options so. Commas would end the option.
    source = quote(config.options.fsname or store.url, safe="".join(map(chr, range(32, 127))))
    escaped = source.replace("\\", "\\\\").replace(",", "\\,")
    mode = {"ro"} if is_read_only else set()
    return frozenset({f"fsname={escaped}", "subtype=zarrfs", *mode, *config.options.kernel})


def secrets_of(config: MountConfig) -> list[str]:
    """Return what must not be logged: user, password and options that sound secret."""
    options = list(config.options.store)
    secrets = []
    if "://" in config.store:
        parts = urlsplit(config.store)
        user, at, _ = parts.netloc.rpartition("@")
        secrets += user.split(":") if at else []
        options += [
            (key, value)
            for key, _, value in (part.partition("=") for part in parts.query.split("&"))
        ]
    secrets += [value for key, value in options if "***" in redact(f"x://?{key}=1")]
    # Stores use them with percent signs decoded.
    return list(dict.fromkeys([*secrets, *map(unquote, secrets)]))


def _commands(filesystem: FileSystem) -> dict[str, Callable[[Any], Any]]:
    return {
        "ping": lambda request: "pong",
        "stats": lambda request: filesystem.stats(),
        "refresh": lambda request: filesystem.refresh(request.get("path")),
    }


def _notes(config: MountConfig, info: MountInfo, filesystem: FileSystem) -> list[str]:
    notes = []
    if info.mode == "ro" and not config.options.read_only:  # as mount(8) says it
        notes.append(f"{info.store} is mounted read-only at {info.mountpoint}")
    with contextlib.suppress(StoreError):  # told by whatever asks next
        if filesystem.is_empty():
            notes.append(f"there is no Zarr array or group in {info.store}: only zarr/ shows it")
    return notes


def _write_record(config: MountConfig, store: Store, folder: MountFolder) -> MountInfo:
    pid = os.getpid()
    record = Record(
        store=redact(store.url),
        mountpoint=config.mountpoint,
        pid=pid,
        started=start_time(pid) or 0,
        since=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    folder.write_record(record)
    return MountInfo(
        store=record.store,
        mountpoint=record.mountpoint,
        pid=pid,
        since=record.since,
        mode="ro",
        state="healthy",
    )


def _close_bounded(close: Callable[[], None]) -> None:
    closing = threading.Thread(target=close, daemon=True)
    closing.start()
    closing.join(CLOSE_SECONDS)


def end_process(code: int) -> NoReturn:
    """End the process without waiting for threads."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
