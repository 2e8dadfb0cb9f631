"""A place in a store -> the one process that may put an array there.

Who replaces what lies at a place, or fills it with chunks before there is an array, first stores
an object of its own there, with the name of its process. A store that can test and set takes it
from one of two; the other is told. Of what a process left that has died since, the next one takes
possession. That two do so within the same moment is not noticed, nor are processes of other hosts
that have died: their claim is to be deleted by hand.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from zarrfs.errors import KeyNotFoundError, NodeExistsError, StoreError
from zarrfs.format.node_keys import key_prefix, metadata_key, node_name, parent
from zarrfs.stores.processes import is_dead, process_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarrfs.stores.base import Store

_log = logging.getLogger(__name__)

CLAIM = ".zarrfs-claim"
"""Last part of the key of a claim. No chunk has it, and no node can lie below it."""

_ATTEMPTS = 3
"""How often a claim is made that others give up, or leave behind, at the same time."""


def is_abandoned(store: Store, path: str) -> bool:
    """Whether a process that has died had claimed a place.

    Raises
    ------
    NodeExistsError
        If one has that lives, or may live.
    """
    owner = _owner(store, path)
    if owner is None:
        return False
    if is_dead(owner):
        return True
    host, _, rest = owner.partition("~")
    who = f"process {rest.rpartition('~')[2]} of host {host}"
    advice = f"wait for it, or delete {metadata_key(path, CLAIM)!r} if it does not run any more"
    raise NodeExistsError(f"{who} is putting something at {path or '/'!r}; {advice}")


def require_unclaimed(store: Store, path: str, *, but_for: str | None) -> None:
    """Raise `NodeExistsError` if a process that lives has claimed a place, or one below it.

    `but_for` is the key of one's own claim.
    """
    for key in store.list_prefix(key_prefix(path)):
        if node_name(key) == CLAIM and key != but_for:
            is_abandoned(store, parent(key) or "")


@contextlib.contextmanager
def claim(store: Store, path: str) -> Iterator[None]:
    """Keep other processes from a place. Does nothing where the store cannot test and set.

    Raises
    ------
    NodeExistsError
        If another one has claimed it.
    """
    if not store.capabilities.conditional:
        yield
        return
    key = metadata_key(path, CLAIM)
    for _ in range(_ATTEMPTS):
        if store.set_new(key, process_name().encode()):
            break
        if is_abandoned(store, path):
            store.delete(key)
    else:
        raise NodeExistsError(f"nothing can be created at {path or '/'!r}: others are faster")
    try:
        yield
    finally:
        try:
            store.delete(key)
        except StoreError as error:
            _log.warning("%r is not needed any more, but could not be deleted: %s", key, error)


def _owner(store: Store, path: str) -> str | None:
    try:
        return bytes(store.get(metadata_key(path, CLAIM))).decode(errors="replace")
    except KeyNotFoundError:
        return None
