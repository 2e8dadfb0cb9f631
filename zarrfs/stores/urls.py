"""URL or path -> store, and what of it names a node inside the store.

A plain path is taken as it is: no query, no percent signs decoded. In a URL the query holds
options. ``fault+`` before either wraps the store, and takes its options from after the first ``?``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

from zarrfs.errors import UrlError
from zarrfs.stores.faults import FAULT_OPTIONS, parse_faults
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.keys import is_key
from zarrfs.stores.redaction import redact
from zarrfs.stores.schemes import Scheme, absolute, find_scheme, list_stores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarrfs.stores.base import Store

_FAULT = "fault+"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Location:
    """A URL taken apart."""

    is_faulty: bool
    name: str
    """Before ``://``; empty for a plain path."""
    scheme: Scheme
    place: str
    query: str

    def url(self, place: str) -> str:
        """Return the URL of another place in the same scheme, with the same options."""
        head = f"{self.name}://{quote(place, errors='surrogateescape')}" if self.name else place
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
    place, node_path = location.scheme.split(location.place)
    if node_path:
        raise UrlError(
            f"{redact(os.fspath(url))} names {node_path!r} inside a store, not the store itself"
        )
    merged = {**_parse_query(location), **(options or {})}
    of_faults = FAULT_OPTIONS if location.is_faulty else frozenset[str]()
    known = of_faults | location.scheme.options
    for name in merged:
        if name not in known:
            bare = redact(os.fspath(url)).partition("?")[0]
            names = ", ".join(sorted(known)) or "no options"
            raise UrlError(f"unknown option {name!r}: the store {bare} has {names}")
    faults = parse_faults({name: merged[name] for name in merged.keys() & of_faults})
    its_own = {name: merged[name] for name in merged.keys() - of_faults}
    store = location.scheme.open(place, create, **its_own)
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
    place, node_path = location.scheme.split(location.place)
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
    if location.name not in ("", "file"):
        return []
    place = absolute(location.name, location.place) if location.name else location.place
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


def _parse_location(url: str | os.PathLike[str]) -> _Location:
    text = os.fspath(url)
    is_faulty = isinstance(url, str) and text.startswith(_FAULT)
    bare = text.removeprefix(_FAULT) if is_faulty else text
    name, separator, rest = bare.partition("://")
    if not isinstance(url, str):
        name, place, query = "", str(Path(url).absolute()), ""
    elif separator and bare[0] not in "/.~":
        name = name.lower()
        place, _, query = rest.partition("?")
        place = unquote(place, errors="surrogateescape")
        if not name:
            raise UrlError(_unknown(name))
    else:
        # A path may hold "?", so only a wrapper that needs options looks for them there.
        place, _, query = bare.partition("?") if is_faulty else (bare, "", "")
        name, place = "", _expand(place)
    scheme = find_scheme(name)
    if scheme is None:
        raise UrlError(_unknown(name))
    if "\0" in place or not (name or place):
        raise UrlError(f"{redact(text)!r} is neither a path nor a URL")
    return _Location(is_faulty=is_faulty, name=name, scheme=scheme, place=place, query=query)


def _unknown(name: str) -> str:
    known = ", ".join([*list_stores(), f"{_FAULT} before one of them"])
    return (
        f"no store for scheme {name!r}: known are {known}; a store of another package works once "
        "that is installed, one of your own after zarrfs.register_store"
    )


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
