"""What the tests of `zarrfs.vfs` share: stores in a few words, and reading as a user does."""

from __future__ import annotations

import json
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from zarrfs.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from zarrfs.format.documents import Json
    from zarrfs.stores.base import Store
    from zarrfs.vfs.entries import Entry, Name, OpenFile
    from zarrfs.vfs.filesystem import FileSystem

# Seconds that no reply takes.
PATIENCE = 20.0


class Show(Protocol):
    """Makes a file system that shows a store."""

    def __call__(self, store: Store, name: str = "data", **options: Any) -> FileSystem: ...


class Clock:
    """The real time, and what it was put forward."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ahead = 0.0

    def __call__(self) -> float:
        return self._clock() + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += seconds


class Branch(Protocol):
    """A tree, or the whole mount."""

    def entry(self, path: str) -> Entry: ...

    def names(self, path: str) -> list[Name]: ...

    def open(self, path: str) -> OpenFile: ...


GROUP = json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {}}).encode()


def array_document(shape: Iterable[int] = (2,), **members: Json) -> bytes:
    """Return the v3 document of an array of one chunk of uint8."""
    shape = list(shape)
    document = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": shape,
        "data_type": "uint8",
        "chunk_grid": {
            "name": "regular",
            "configuration": {"chunk_shape": [max(n, 1) for n in shape]},
        },
        "chunk_key_encoding": {"name": "default"},
        "fill_value": 0,
        "codecs": [{"name": "bytes"}],
        "attributes": {},
        **members,
    }
    return json.dumps(document).encode()


STRINGS = array_document(data_type="string", fill_value="", codecs=[{"name": "vlen-utf8"}])
"""An array that no file format of fixed sizes can show."""

UNKNOWN_CODEC = array_document(codecs=[{"name": "bytes"}, {"name": "example.unheard-of"}])


def put_array(store: Store, path: str, data: bytes = b"ab") -> None:
    """Store an array of one chunk of bytes."""
    prefix = f"{path}/" if path else ""
    store.set(f"{prefix}zarr.json", array_document([len(data)]))
    store.set(f"{prefix}c/0", data)


def memory_store(**nodes: bytes | None) -> MemoryStore:
    """Return a store with a root group and nodes by their path (``__`` for ``/``).

    Bytes are an array's data, ``None`` is a group.
    """
    store = MemoryStore()
    store.set("zarr.json", GROUP)
    for name, data in nodes.items():
        path = name.replace("__", "/")
        if data is None:
            store.set(f"{path}/zarr.json", GROUP)
        else:
            put_array(store, path, data)
    return store


def names(filesystem: Branch, path: str = "") -> list[str]:
    """List a directory as ``ls -F`` does: directories end in ``/``."""
    return [name.name + "/" * name.is_directory for name in filesystem.names(path)]


def walk(filesystem: Branch, path: str = "") -> Iterator[tuple[str, bool]]:
    """Yield the path of everything below a directory, and whether it is a directory."""
    for name in filesystem.names(path):
        below = f"{path}/{name.name}" if path else name.name
        yield below, name.is_directory
        if name.is_directory:
            yield from walk(filesystem, below)


def read(file: OpenFile, offset: int = 0, size: int = 2**30) -> bytes:
    """Read from an open file."""
    reply = file.read(offset, size)
    return bytes(reply.result(PATIENCE) if isinstance(reply, Future) else reply)


def contents(filesystem: Branch, path: str) -> bytes:
    """Read a whole file."""
    return read(filesystem.open(path))


def load(data: bytes, dtype: str, shape: Iterable[int]) -> Any:
    """Return an array of bytes."""
    return np.frombuffer(data, dtype).reshape(tuple(shape))
