"""URL or path -> store, and what of it names a node inside the store.

A plain path is taken as it is: no query, no percent signs decoded. In a URL the query holds
options. ``fault+`` before either wraps the store, and takes its options from after the first ``?``.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

from zarrfs.errors import UrlError
from zarrfs.stores.faults import FAULT_OPTIONS, parse_faults
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.keys import is_key
from zarrfs.stores.local import LocalStore
from zarrfs.stores.memory import MemoryStore
from zarrfs.stores.zip import ZipStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zarrfs.stores.base import Store

_FAULT = "fault+"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scheme:
    """What is done with the place that stands after ``scheme://``, percent signs decoded."""

    open: Callable[[str, bool], Store]
    """Open the store at a place; the flag allows to create it."""

    split: Callable[[str], tuple[str, str]]
    """Cut a place into the store's and the node path inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Location:
    """A URL taken apart."""

    is_faulty: bool
    scheme: str
    """Key of `SCHEMES`; empty for a plain path."""
    place: str
    query: str

    def url(self, place: str) -> str:
        """Return the URL of another place in the same scheme, with the same options."""
        head = f"{self.scheme}://{quote(place, errors='surrogateescape')}" if self.scheme else place
        return f"{_FAULT * self.is_faulty}{head}{'?' * bool(self.query)}{self.query}"


def open_store(
    url: str | os.PathLike[str],
    *,
    options: Mapping[str, str] | None = None,
    create: bool = False,
) -> Store:
    """Open the store at a URL or path, without a node inside it (see `split_url`).

    Parameters
    ----------
    url
        ``/path``, a relative path, ``~/path``, ``file:///path``, ``memory://name``,
        ``/path/x.zip``, ``zip:///path``, or ``fault+`` and one of these.
    options
        Further options; they win over those of the query.
    create
        Make a directory that is not there.

    Raises
    ------
    UrlError
        If the URL or an option is not understood.
    StoreNotFoundError
        If there is nothing, or a file that is no zip.
    StoreError
        If it cannot be opened.
    """
    location = _parse_location(url)
    place, node_path = SCHEMES[location.scheme].split(location.place)
    if node_path:
        raise UrlError(
            f"{redact(os.fspath(url))} names {node_path!r} inside a store, not the store itself"
        )
    merged = {**_parse_query(location), **(options or {})}
    known = FAULT_OPTIONS if location.is_faulty else frozenset[str]()
    for name in merged:
        if name not in known:
            bare = redact(os.fspath(url)).partition("?")[0]
            names = ", ".join(sorted(known)) or "no options"
            raise UrlError(f"unknown option {name!r}: the store {bare} has {names}")
    faults = parse_faults(merged)
    store = SCHEMES[location.scheme].open(place, create)
    return FaultyStore(store, faults) if location.is_faulty else store


def split_url(url: str | os.PathLike[str]) -> tuple[str, str]:
    """Cut a URL into the store's URL and the path of a node inside the store.

    ``/data/x.zip/a/b`` -> ``/data/x.zip`` and ``a/b``; ``memory://name/a`` -> ``memory://name``
    and ``a``. The root's node path is ``""``. Where in a directory its store begins is a question
    of Zarr, so a directory is returned whole, with the node path ``""``; `zarrfs.arrays` goes on.

    Raises
    ------
    UrlError
        If the URL is not understood.
    """
    location = _parse_location(url)
    place, node_path = SCHEMES[location.scheme].split(location.place)
    node_path = "/".join(filter(None, node_path.split("/")))
    if node_path and not is_key(node_path):
        raise UrlError(f"{node_path!r} in {redact(os.fspath(url))} is no path inside a store")
    return location.url(place), node_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A directory on the way from the root to another one."""

    directory: Path
    store_url: str
    """URL of a store that would begin there."""

    node_path: str
    """Path from there to the other directory; ``""`` for that itself."""


def directories(url: str | os.PathLike[str]) -> list[Way]:
    """List the directories on the way to one, the topmost first; empty if it is of another scheme.

    Raises
    ------
    UrlError
        If the URL is not understood.
    """
    location = _parse_location(url)
    if location.scheme not in ("", "file"):
        return []
    place = location.place if not location.scheme else _absolute(location.scheme, location.place)
    path = Path(place)
    # Only the disk knows where ".." leads from a symbolic link.
    path = path.resolve() if ".." in path.parts else path.absolute()
    return [
        Way(
            directory=directory,
            store_url=location.url(str(directory)),
            node_path="/".join(path.parts[len(directory.parts) :]),
        )
        for directory in (*reversed(path.parents), path)
    ]


_SECRET_NAME = re.compile(r"key|secret|token|passw|pwd|sig|credential|auth|sas", re.IGNORECASE)
# What stands before the last "@": after "user:" anywhere, since passwords are pasted with "/", "?"
# and "#" unescaped, else in the host's part alone. "host:8080/a@b" has no user.
_USER = re.compile(r"://(?:[^/?#@]*:(?!\d+(?:[/?#]|$))[\s\S]*@|(?:[^/?#@]*@)+)")
_OPTION = re.compile(r"([?&;])([^=&;?\s]+)=([^&;\s]*)")


def redact(url: str) -> str:
    """Return a URL fit for messages: ``***`` for user, password and options that sound secret."""

    def hide(match: re.Match[str]) -> str:
        is_secret = _SECRET_NAME.search(match[2]) and match[2] != "keys"
        return f"{match[1]}{match[2]}={'***' if is_secret else match[3]}"

    return _OPTION.sub(hide, _USER.sub("://***@", url)) if "://" in url else url


def _parse_location(url: str | os.PathLike[str]) -> _Location:
    text = os.fspath(url)
    is_faulty = isinstance(url, str) and text.startswith(_FAULT)
    bare = text.removeprefix(_FAULT) if is_faulty else text
    scheme, separator, rest = bare.partition("://")
    if not isinstance(url, str):
        scheme, place, query = "", str(Path(url).absolute()), ""
    elif separator and bare[0] not in "/.~":
        scheme = scheme.lower()
        if scheme not in SCHEMES or not scheme:
            known = ", ".join([*sorted(filter(None, SCHEMES)), f"{_FAULT} before one of them"])
            raise UrlError(f"no store for scheme {scheme!r}: known are {known}")
        place, _, query = rest.partition("?")
        place = unquote(place, errors="surrogateescape")
    else:
        # A path may hold "?", so only a wrapper that needs options looks for them there.
        place, _, query = bare.partition("?") if is_faulty else (bare, "", "")
        scheme, place = "", _expand(place)
    if "\0" in place or not (scheme or place):
        raise UrlError(f"{redact(text)!r} is neither a path nor a URL")
    return _Location(is_faulty=is_faulty, scheme=scheme, place=place, query=query)


def _expand(path: str) -> str:
    try:
        return str(Path(path).expanduser()) if path.startswith("~") else path
    except RuntimeError as error:
        raise UrlError(f"{path}: there is no such user, or no home directory") from error


def _parse_query(location: _Location) -> dict[str, str]:
    options: dict[str, str] = {}
    if not location.query:
        return options
    try:
        pairs = parse_qsl(location.query, keep_blank_values=True, strict_parsing=True)
    except ValueError as error:
        raise UrlError("options are written name=value, joined by '&'") from error
    for name, value in pairs:
        if name in options:
            raise UrlError(f"option {name!r} is given twice")
        options[name] = value
    return options


# --- the schemes ----------------------------------------------------------------------------


def _open_path(path: str, create: bool) -> Store:
    is_zip = path.lower().endswith(".zip") and not stat.S_ISDIR(_mode(path))
    return ZipStore(path) if is_zip else LocalStore(path, create=create)


def _split_path(path: str) -> tuple[str, str]:
    """Cut after the first part that is a file and ends in ``.zip``."""
    return _split_at_file(path, ".zip") or (path, "")


def _open_file(path: str, create: bool) -> Store:
    return _open_path(_absolute("file", path), create)


def _split_file(path: str) -> tuple[str, str]:
    return _split_path(_absolute("file", path))


def _open_zip(path: str, _create: bool) -> Store:
    return ZipStore(_absolute("zip", path))


def _split_zip(path: str) -> tuple[str, str]:
    """Cut after the first part that is a file, whatever its name."""
    return _split_at_file(_absolute("zip", path), "") or (path, "")


def _open_memory(name: str, _create: bool) -> Store:
    return MemoryStore(name)


def _split_memory(place: str) -> tuple[str, str]:
    if _USER.search(f"://{place}"):
        raise UrlError("a memory:// URL takes no user and password")
    name, _, node_path = place.partition("/")
    return name, node_path


def _absolute(scheme: str, path: str) -> str:
    path = path.removeprefix("localhost")
    if not path.startswith("/"):
        raise UrlError(f"{scheme}:// needs an absolute path: {scheme}:///path")
    return path


def _split_at_file(path: str, ending: str) -> tuple[str, str] | None:
    for match in re.finditer(r"(?<=[^/])(?=/|$)", path):
        head = path[: match.start()]
        if head.lower().endswith(ending) and stat.S_ISREG(_mode(head)):
            return head, path[match.start() :].strip("/")
    return None


def _mode(path: str) -> int:
    try:
        return Path(path).stat().st_mode
    except OSError:
        return 0  # opening it says why


SCHEMES: dict[str, _Scheme] = {
    "": _Scheme(open=_open_path, split=_split_path),
    "file": _Scheme(open=_open_file, split=_split_file),
    "memory": _Scheme(open=_open_memory, split=_split_memory),
    "zip": _Scheme(open=_open_zip, split=_split_zip),
}
"""Every scheme; the empty one is a plain path."""
