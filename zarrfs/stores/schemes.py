"""The part of a URL before ``://`` -> how its stores are opened: ours, and those of others.

What a scheme opens is named by its *place*, all that stands behind ``://``, percent signs decoded.
"""

from __future__ import annotations

import inspect
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zarrfs.errors import RegistrationError, StoreError, UnsupportedError, UrlError, ZarrfsError
from zarrfs.registry import Registry
from zarrfs.stores.base import Store
from zarrfs.stores.local import LocalStore
from zarrfs.stores.memory import MemoryStore
from zarrfs.stores.os_errors import store_error
from zarrfs.stores.redaction import USER, redact
from zarrfs.stores.zip import ZipStore

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = re.compile(r"[a-z][a-z0-9.-]*")
"""A scheme; no ``+``, which stands behind ``fault``."""

_NEEDED = ("url", "capabilities", "get", "stat", "list_dir")
"""What `Store` has no default for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """What is done with a place."""

    open: Callable[..., Store]
    """Open the store at a place; the second argument allows to create it, options are keywords."""

    split: Callable[[str], tuple[str, str]]
    """Cut a place into the store's and the node path inside."""

    options: frozenset[str] = frozenset()
    """Names of the options that `open` takes."""


def register_store(scheme: str, store_class: type[Store], *, force: bool = False) -> None:
    """Let ``scheme://…`` open a store of your own, in this process.

    Parameters
    ----------
    scheme
        Lower-case letters, digits, ``.`` and ``-``.
    store_class
        A subclass of `zarrfs.Store`. Its constructor takes the place, all that stands behind
        ``scheme://``, as a string; and options, strings too, as arguments by keyword only. The
        argument ``create``, if it has that, says whether the store may be made.
    force
        Replace what the scheme opens already.

    Raises
    ------
    RegistrationError
        If the scheme or the class cannot be used, or the scheme is taken.

    Notes
    -----
    ``scheme://name/a/b`` is the node ``a/b`` in the store at ``name``. ``scheme:///path/x/a/b``
    is the node ``a/b`` in the store at ``/path/x``, if that is a file.

    A store is used by many threads at once. It raises `zarrfs.errors.KeyNotFoundError` for what
    is not there and `zarrfs.errors.StoreError` if something went wrong, and nothing else.

    A package that has stores offers them by entry points, group ``zarrfs.stores``, scheme and
    class; they then work by being installed, in mounts too.
    """
    if not _NAME.fullmatch(scheme):
        reason = "is no scheme of a URL: lower-case letters, digits, '.' and '-', a letter first"
        raise RegistrationError("store", scheme, reason)
    if reason := _unfit(store_class):
        raise RegistrationError("store", scheme, reason)
    STORES.register(scheme, store_class, force=force)


def find_scheme(name: str) -> Scheme | None:
    """Return what a scheme does, ``None`` if there is none of that name.

    Raises
    ------
    UnsupportedError
        If a package offers it, but cannot be imported or does not hold a store.
    """
    found = STORES.find(name)
    if found is None or isinstance(found, Scheme):
        return found
    if reason := _unfit(found):
        raise UnsupportedError(f"the store {name!r} {reason}")
    return _scheme_of(name, found)


def _unfit(store_class: Any) -> str:
    """Say why no store can be made of a class; empty if one can."""
    if not isinstance(store_class, type) or Store not in store_class.__mro__:
        return f"is to be opened by {store_class!r}, which is no subclass of zarrfs.Store"
    lacking = [name for name in _NEEDED if getattr(store_class, name) is getattr(Store, name)]
    return f"lacks {' and '.join(lacking)} in {store_class.__name__}" if lacking else ""


def _scheme_of(name: str, store_class: Callable[..., Store]) -> Scheme:
    parameters = inspect.signature(store_class).parameters.values()
    options = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
    takes_create = any(p.name == "create" for p in parameters)

    def open_(place: str, create: bool, **given: str) -> Store:
        url = redact(f"{name}://{place}")
        try:
            if takes_create:
                return store_class(place, create=create, **given)
            return store_class(place, **given)
        except ZarrfsError:
            raise
        except OSError as error:
            raise store_error("open", "", error, url) from error
        except Exception as error:  # another package's code, which may fail as it likes
            reason = f"{type(error).__name__}: {error}"
            raise StoreError("open", "", reason, store=url) from error

    return Scheme(open=open_, split=_split_other, options=frozenset(options - {"create"}))


def _split_other(place: str) -> tuple[str, str]:
    """Cut after the first part that is a file, or after the name if it is no path."""
    if place.startswith("/"):
        return _split_at_file(place, "") or (place, "")
    name, _, node_path = place.partition("/")
    return name, node_path


# --- those built in ---------------------------------------------------------------------------


def _open_path(path: str, create: bool) -> Store:
    is_zip = path.lower().endswith(".zip") and not stat.S_ISDIR(_mode(path))
    return ZipStore(path) if is_zip else LocalStore(path, create=create)


def _split_path(path: str) -> tuple[str, str]:
    """Cut after the first part that is a file and ends in ``.zip``."""
    return _split_at_file(path, ".zip") or (path, "")


def _open_file(path: str, create: bool) -> Store:
    return _open_path(absolute("file", path), create)


def _split_file(path: str) -> tuple[str, str]:
    return _split_path(absolute("file", path))


def _open_zip(path: str, _create: bool) -> Store:
    return ZipStore(absolute("zip", path))


def _split_zip(path: str) -> tuple[str, str]:
    """Cut after the first part that is a file, whatever its name."""
    return _split_at_file(absolute("zip", path), "") or (path, "")


def _open_memory(name: str, _create: bool) -> Store:
    return MemoryStore(name)


def _split_memory(place: str) -> tuple[str, str]:
    if USER.search(f"://{place}"):
        raise UrlError("a memory:// URL takes no user and password")
    name, _, node_path = place.partition("/")
    return name, node_path


def absolute(scheme: str, path: str) -> str:
    """Return the path of ``scheme://place``, which is an absolute one.

    Raises
    ------
    UrlError
        If it is not.
    """
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


STORES: Registry[Scheme | type[Store]] = Registry(
    "store",
    {
        "": Scheme(open=_open_path, split=_split_path),
        "file": Scheme(open=_open_file, split=_split_file),
        "memory": Scheme(open=_open_memory, split=_split_memory),
        "zip": Scheme(open=_open_zip, split=_split_zip),
    },
    group="zarrfs.stores",
)
"""What opens the stores of each scheme; the empty one is a plain path."""

unregister_store = STORES.unregister
store_info = STORES.info


def list_stores() -> list[str]:
    """Return all schemes that a URL may have, sorted."""
    return [name for name in STORES.names() if name]
