"""Every error that zarrfs raises: one tree, named by the case, with fields rather than sentences.

Each class is also the built-in that a Python user would expect (`KeyError`, `ValueError`,
`OSError` …). Nothing here knows errno: `zarrfs.fuse.errno_map` turns a class into one.
"""

from __future__ import annotations

_MOST_SHOWN = 400
"""Characters of a reason that are shown: what a document holds may have millions."""

_MOST_OF_A_FIELD = 120
"""Characters of a member's path that are shown."""


def printable(text: str) -> str:
    """Escape what is no character to show: line breaks, what a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _shown(text: str, most: int = _MOST_SHOWN) -> str:
    """Render text on one line; the middle may be cut."""
    if len(text) > 2 * most:
        text = text[:most] + text[-most:]
    text = printable(text)
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-(most // 3) :]}"


class ZarrfsError(Exception):
    """Base of all errors raised by zarrfs on purpose."""

    is_logged = False
    """Somebody who knew more about it has written it to the log already."""

    def __str__(self) -> str:
        # KeyError and OSError print their arguments in ways of their own (quotes, errno).
        return str(self.args[0]) if self.args else type(self).__name__


# --- format -------------------------------------------------------------------------------


class MetadataError(ZarrfsError, ValueError):
    """A metadata document is not what the specification says.

    Attributes
    ----------
    field
        The member at fault, dotted (``"chunk_grid.configuration"``); empty for the whole.
    reason
        What is wrong with it.
    key
        Store key of the document, or ``None`` where the parser does not know it.
    """

    def __init__(self, reason: str, *, field: str = "", key: str | None = None) -> None:
        self.reason, self.field, self.key = _shown(reason), _shown(field, _MOST_OF_A_FIELD), key
        place = f"{_shown(key)}: " if key else ""
        super().__init__(f"{place}{self.field + ': ' if field else ''}{self.reason}")

    def at(self, key: str) -> MetadataError:
        """Return the same error, with the key of its document."""
        return type(self)(self.reason, field=self.field, key=key)


class UnsupportedError(MetadataError):
    """A valid document uses an extension that zarrfs does not have: data type, codec, grid …."""


class NodeNotFoundError(ZarrfsError, KeyError):
    """There is no Zarr array or group at this place."""

    def __init__(self, place: str, advice: str = "") -> None:
        self.place = place
        where = _shown(place)
        super().__init__(f"no Zarr array or group at {where}{'; ' + advice if advice else ''}")


class NodeExistsError(ZarrfsError, FileExistsError):
    """Where a node was to be created is one already, or keys that belong to none."""


class NodeNameError(ZarrfsError, ValueError):
    """A new node cannot have this name."""


class NodeTypeError(ZarrfsError, TypeError):
    """Another node stands where one was asked for: a group for an array, or another array."""


# --- extensions ---------------------------------------------------------------------------


class RegistrationError(ZarrfsError, ValueError):
    """An extension cannot be registered under this name, or is not there.

    Attributes
    ----------
    kind
        ``"codec"``, ``"store"``, ``"data type"``, ``"chunk grid"`` or ``"chunk key encoding"``.
    name
        Its name.
    reason
        Why not.
    """

    def __init__(self, kind: str, name: str, reason: str) -> None:
        self.kind, self.name, self.reason = kind, name, reason
        super().__init__(f"{kind} {name!r} {reason}")


# --- codecs -------------------------------------------------------------------------------


class CodecError(ZarrfsError, ValueError):
    """Bytes that cannot be decoded, or an array that cannot be encoded.

    Attributes
    ----------
    codec
        Name of the codec that failed.
    direction
        ``"decode"`` or ``"encode"``.
    reason
        What it said.
    key
        Store key of the object, or ``None`` below the layer that knows it.
    """

    def __init__(self, codec: str, direction: str, reason: str, *, key: str | None = None) -> None:
        self.codec, self.direction, self.reason, self.key = codec, direction, _shown(reason), key
        what = _shown(key) if key else "a chunk"
        super().__init__(f"cannot {direction} {what} with {codec}: {self.reason}")

    def at(self, key: str) -> CodecError:
        """Return the same error, with the key of the object."""
        return type(self)(self.codec, self.direction, self.reason, key=key)


# --- stores -------------------------------------------------------------------------------


class StoreError(ZarrfsError, OSError):
    """A store could not do what was asked. A missing key is not this, but `KeyNotFoundError`.

    Attributes
    ----------
    operation
        ``"get"``, ``"set"``, ``"delete"``, ``"list"`` or ``"open"``.
    key
        The key or prefix; empty for the store itself.
    reason
        What the storage said.
    store
        The store's URL, without secrets.
    """

    def __init__(self, operation: str, key: str, reason: str, *, store: str) -> None:
        self.operation, self.key, self.reason, self.store = operation, key, reason, store
        what = _shown(key) if key else "the store"
        super().__init__(f"cannot {operation} {what} in {_shown(store)}: {_shown(reason)}")


class StorePermissionError(StoreError, PermissionError):
    """The storage refuses access (403, EACCES)."""


class StoreTimeoutError(StoreError, TimeoutError):
    """The storage did not answer in time."""


class ReadOnlyError(StoreError):
    """The store cannot be written."""


class NoSpaceError(StoreError):
    """The storage is full (ENOSPC, EDQUOT)."""


class StoreNotFoundError(StoreError, FileNotFoundError):
    """There is no store at this URL."""


class KeyNotFoundError(ZarrfsError, KeyError):
    """The store has no object under this key. For a chunk that means the fill value."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"no object {key!r}")


class UrlError(ZarrfsError, ValueError):
    """A store URL or one of its options cannot be understood."""


# --- arrays, flat files, views --------------------------------------------------------------


class ChunkError(ZarrfsError, OSError):
    """A chunk of an array cannot be had: its object cannot be read, or not be decoded.

    Attributes
    ----------
    array
        Path of the array in its store.
    key
        Store key of the object; empty if the array itself is gone.
    reason
        What went wrong; the error itself is the cause (``__cause__``).
    """

    def __init__(self, array: str, key: str, reason: str) -> None:
        self.array, self.key, self.reason = array, key, reason
        place = f", object {key!r}" if key else ""
        super().__init__(f"array {array or '/'!r}{place}: {reason}")

    def again(self) -> ChunkError:
        """Return the same error, for somebody else to raise.

        An error that was raised holds on to the frames it went through, and all that is in them.
        """
        same = type(self)(self.array, self.key, self.reason)
        same.is_logged = self.is_logged
        same.__cause__ = self.__cause__
        return same


class SelectionError(ZarrfsError, IndexError):
    """A selection does not fit the array."""


class AssignmentError(ZarrfsError, ValueError):
    """What is assigned to a selection does not fit: its shape, or elements of another kind."""


class SourceError(ZarrfsError, OSError):
    """A file that an array was to be filled from cannot be read, or does not fit the array.

    Attributes
    ----------
    name
        The file.
    reason
        What is wrong with it.
    """

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(f"{_shown(name)} {_shown(reason)}")


class OffsetError(ZarrfsError, ValueError):
    """A byte span leaves the flat file."""


class ViewError(ZarrfsError, ValueError):
    """A file format cannot show this array. The message says why, for README.txt and ``info``."""


class DeadlineError(ZarrfsError, TimeoutError):
    """A request did not end within its deadline."""


# --- names and mounts -----------------------------------------------------------------------


class EntryNotFoundError(ZarrfsError, FileNotFoundError):
    """A mount shows nothing under this name."""


class NotPermittedError(ZarrfsError, PermissionError):
    """A mount never allows this here (unlink in a view tree, resize of a flat file …)."""


class MountError(ZarrfsError, OSError):
    """Something could not be mounted or unmounted. The message says what, where, what to do."""


class MountBusyError(MountError):
    """The mount is in use and was not unmounted."""


class UsageError(ZarrfsError, ValueError):
    """An option or argument that the command does not have."""
