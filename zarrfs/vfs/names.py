"""Names of nodes and keys <-> names in a mount. Pure; the only place that decides.

- A directory keeps its name. A file is the array's name and a suffix; where one of an array's files
  would have the name of something else, all of them are ``NAME.array.SUFFIX``.
- A name that is too long is cut and ends in ``~`` and 8 hexadecimal digits of its SHA-1, before the
  suffix; so does one that is no UTF-8 in the end, or would come back from the kernel as another.

Law: everything has exactly one name, no two the same, whatever the names in the store are.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_NAME_BYTES = 255
"""Longest name that the kernel takes (``NAME_MAX``)."""

COLLISION = ".array"
"""Stands between name and suffix of a file whose plain name something else has."""

_CUT = re.compile(r"~[0-9a-f]{8}(\.|$)")


def shown_names(
    directories: Iterable[str], arrays: Iterable[str] = (), suffixes: Sequence[str] = ()
) -> dict[str, tuple[str, str | None]]:
    """Name everything in one directory of a mount.

    Parameters
    ----------
    directories
        Names of the groups and plain directories in it; or of everything, if no name is a file's.
    arrays
        Names of the arrays in it.
    suffixes
        Of the files that stand for each array.

    Returns
    -------
    dict
        By its name in the mount, the name that each thing has in the store, and the suffix of the
        file or ``None`` for a directory.
    """
    shown: dict[str, tuple[str, str | None]] = {}
    for name in sorted(directories, key=_renamed_last):
        free = next(stem for stem in _stems(name) if stem not in shown)
        shown[free] = (name, None)
    room = _room(suffixes)
    colliding: list[str] = []
    for name in sorted(arrays, key=lambda name: _renamed_last(name, room)):
        plain = fitted(name, room)
        if any(plain + suffix in shown for suffix in suffixes):
            colliding.append(name)
        else:
            shown |= {plain + suffix: (name, suffix) for suffix in suffixes}
    # After the others: an array that is called so has more right to ``NAME.array``.
    for name in colliding:
        free = next(
            stem
            for stem in itertools.islice(_stems(name, room), 1, None)
            if not any(stem + suffix in shown for suffix in suffixes)
        )
        shown |= {free + suffix: (name, suffix) for suffix in suffixes}
    return shown


def plain_array_names(shown: str, suffixes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the array and suffix that a file name stands for, if nothing was renamed."""
    room = _room(suffixes)
    for suffix in suffixes:
        name = shown.removesuffix(suffix)
        if name and name != shown and fitted(name, room) == name:
            yield name, suffix


def may_be_renamed(shown: str) -> bool:
    """Tell whether a name may be another than in the store, so that only a listing can say."""
    return COLLISION in shown or may_be_cut(shown)


def may_be_cut(shown: str) -> bool:
    """Tell whether a name may be cut, or be none that is ever shown."""
    return _CUT.search(shown) is not None or fitted(shown) != shown


def fitted(name: str, room: int = 0) -> str:
    """Return a name, cut if it does not fit.

    Parameters
    ----------
    name
        As it is in the store.
    room
        Bytes to leave for a suffix.
    """
    try:
        encoded = name.encode("utf-8", "surrogateescape")
        visible = encoded.decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a pair that UTF-16 has for one character
        encoded = name.encode("utf-8", "surrogatepass")
        visible = name.encode("utf-8", "backslashreplace").decode()
    limit = MAX_NAME_BYTES - room
    if visible == name and len(encoded) <= limit:
        return name
    ending = f"~{hashlib.sha1(encoded, usedforsecurity=False).hexdigest()[:8]}"
    kept = visible[: limit - len(ending)]
    while len(kept.encode("utf-8", "surrogateescape")) > limit - len(ending):
        kept = kept[:-1]
    return kept + ending


def _stems(name: str, room: int = 0) -> Iterator[str]:
    """Yield names to try for something, the best first, without end."""
    while True:
        yield fitted(name, room)
        name += COLLISION


def _room(suffixes: Sequence[str]) -> int:
    # The same for all, so that the files of one array keep the same stem.
    return max((len(suffix.encode()) for suffix in suffixes), default=0)


def _renamed_last(name: str, room: int = 0) -> tuple[bool, str]:
    return fitted(name, room) != name, name
