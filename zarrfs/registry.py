"""Names of extensions -> what serves them: built in, installed by other packages, or registered.

One kind of extension has one registry: codecs, stores, data types, chunk grids, chunk key
encodings. Names that a program registers come first, then those built in, then the entry points
of installed packages, which are loaded when first asked for. A program that runs already does not
notice packages that are installed later.
"""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from zarrfs.errors import RegistrationError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.metadata import EntryPoint

T = TypeVar("T")

Origin = Literal["built in", "installed", "registered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a registry knows of one name."""

    name: str
    kind: str
    """Such as ``"codec"``."""

    origin: Origin
    """``"installed"`` is another package's entry point."""

    provider: str
    """Package and object, such as ``"zarrfs.codecs.compressors:parse_gzip"``."""


class Registry(Generic[T]):
    """The extensions of one kind, by name. Safe to use from many threads.

    Parameters
    ----------
    kind
        For messages, such as ``"codec"``.
    builtins
        What zarrfs itself has. A name that ends in ``*`` stands for all that begin so.
    group
        Entry points of installed packages to look at, such as ``"zarrfs.codecs"``.
    """

    def __init__(self, kind: str, builtins: Mapping[str, T], *, group: str) -> None:
        self.kind = kind
        self._builtins = dict(builtins)
        self._families = {name[:-1]: name for name in self._builtins if name.endswith("*")}
        self._group = group
        self._registered: dict[str, T] = {}
        self._loaded: dict[str, T] = {}

    def register(self, name: str, value: T, *, force: bool = False) -> None:
        """Serve a name from now on, in this process.

        Raises
        ------
        RegistrationError
            If the name is none, or taken and `force` is not given.
        """
        if not name or str(name) != name or name.endswith("*"):
            raise RegistrationError(self.kind, name, "is no name")
        if not force and (origin := self._origin(name)):
            raise RegistrationError(self.kind, name, f"is {origin}; force=True replaces it")
        self._registered[name] = value

    def unregister(self, name: str) -> None:
        """Forget a name that was registered; what it replaced, if anything, is back.

        Raises
        ------
        RegistrationError
            If it was not registered: what is built in or installed cannot be taken away.
        """
        if name in self._registered:
            del self._registered[name]
            return
        origin = self._origin(name) or "not registered"
        raise RegistrationError(self.kind, name, f"is {origin}")

    def find(self, name: str) -> T | None:
        """Return what serves a name, or ``None``.

        Raises
        ------
        UnsupportedError
            If a package offers to serve it, but cannot be imported.
        """
        found = self._registered.get(name)
        if found is None and (builtin := self._builtin(name)) is not None:
            found = self._builtins[builtin]
        return self._load(name) if found is None else found

    def names(self) -> list[str]:
        """All names that are served, sorted; one that ends in ``*`` stands for many."""
        return sorted({*self._registered, *self._builtins, *self._entry_points()})

    def info(self, name: str) -> Registration:
        """Tell where a name comes from, without importing anything.

        Raises
        ------
        RegistrationError
            If nothing serves it.
        """
        origin = self._origin(name)
        if origin is None:
            raise RegistrationError(self.kind, name, "is not registered")
        if origin == "installed":
            provider = self._entry_points()[name].value
        else:
            provider = _place(self.find(name))
        return Registration(name=name, kind=self.kind, origin=origin, provider=provider)

    def _origin(self, name: str) -> Origin | None:
        if name in self._registered:
            return "registered"
        if self._builtin(name) is not None:
            return "built in"
        return "installed" if name in self._entry_points() else None

    def _builtin(self, name: str) -> str | None:
        """Name of the built-in that serves `name`: itself, or its family's."""
        if name in self._builtins:
            return name
        return next(
            (all_ for start, all_ in self._families.items() if name.startswith(start)), None
        )

    def _entry_points(self) -> Mapping[str, EntryPoint]:
        return _entry_points(self._group, tuple(sys.path))

    def _load(self, name: str) -> T | None:
        if name in self._loaded:
            return self._loaded[name]
        entry = self._entry_points().get(name)
        if entry is None:
            return None
        try:
            loaded: T = entry.load()
        except Exception as error:  # another package's code, which may fail as it likes
            reason = f"the {self.kind} {name!r} of {entry.value} cannot be imported: {error}"
            raise UnsupportedError(reason) from error
        return self._loaded.setdefault(name, loaded)


def _place(value: object) -> str:
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{named.__module__}:{named.__qualname__}"


@functools.lru_cache(maxsize=32)
def _entry_points(group: str, _paths: tuple[str, ...]) -> Mapping[str, EntryPoint]:
    """Entry points of the packages at some paths, those of a group; read once a process.

    Reading those of some hundred packages takes 15 ms, and ``dtype="f4"`` asks for them: it might
    be the name of somebody's data type.
    """
    return {entry.name: entry for entry in entry_points(group=group)}
