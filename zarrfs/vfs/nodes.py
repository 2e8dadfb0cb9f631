"""The nodes of the store as a mount knows them: asked of the hierarchy, remembered for a while."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from zarrfs.arrays.expiring import Expiring
from zarrfs.arrays.hierarchy import BrokenNode, GroupNode, PrefixNode
from zarrfs.errors import NodeNotFoundError, StoreError
from zarrfs.format.node_keys import key_prefix, node_name, parent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zarrfs.arrays.hierarchy import Hierarchy, Node

    Answer = Node | StoreError | Literal["missing"]
    Children = Mapping[str, Node] | StoreError

_log = logging.getLogger(__name__)

# About 2 kB a node, in either table. A directory of more is listed anew each time.
MAX_NODES = 50_000

# A failure is remembered for a shorter time than what is known: long enough for the kernel's
# repetitions, short enough that a store that is up again is seen to be.
MAX_FAILURE_SECONDS = 1.0


class Nodes:
    """Nodes and their children; safe to use from many threads.

    Parameters
    ----------
    hierarchy
        Is asked.
    ttl
        Seconds for which its answers are remembered; 0 to always ask.
    """

    def __init__(self, hierarchy: Hierarchy, *, ttl: float) -> None:
        self._hierarchy = hierarchy
        failure_ttl = min(ttl, MAX_FAILURE_SECONDS)
        self._single: Expiring[str, Answer] = Expiring(
            lambda answer: failure_ttl if isinstance(answer, StoreError) else ttl,
            limit=MAX_NODES,
        )
        self._children: Expiring[str, Children] = Expiring(
            lambda children: ttl if _is_whole(children) else failure_ttl,
            limit=MAX_NODES,
            weigh=lambda children: 1 if isinstance(children, StoreError) else 1 + len(children),
        )

    def get(self, path: str) -> Node | None:
        """Return the node at a path, or ``None``.

        Raises
        ------
        StoreError
            If the store cannot be read.
        """
        return _node(self._remembered(path) or self._single.get(path, lambda: self._ask(path)))

    def known(self, path: str) -> Node | None:
        """Return the node at a path if one is remembered to be there; asks nobody."""
        return _node(self._remembered(path) or "missing")

    def is_directory(self, path: str) -> bool:
        """Whether a group or plain directory is at a path; costs one request if nothing is."""

        def ask() -> Answer:
            try:
                if not self._hierarchy.store.has_prefix(key_prefix(path)):
                    return "missing"
            except StoreError as error:
                return _logged(error)
            return self._ask(path)

        node = _node(self._remembered(path) or self._single.get(path, ask))
        return isinstance(node, GroupNode | PrefixNode)

    def children(self, path: str) -> Mapping[str, Node]:
        """Return the nodes directly below one by their names; each may be broken.

        Raises
        ------
        StoreError
            If the store cannot list them.
        """
        children = self._children.get(path, lambda: self._ask_children(path))
        if isinstance(children, StoreError):
            raise children.with_traceback(None)
        return children

    def forget(self) -> None:
        """Forget everything, so that the store is asked again."""
        self._hierarchy.forget()
        self._single.clear()
        self._children.clear()

    def _remembered(self, path: str) -> Answer | None:
        """Return what is known of a path: from its parent's listing, or by itself."""
        above = parent(path)
        siblings = None if above is None else self._children.known(above)
        if siblings is None or isinstance(siblings, StoreError):
            return self._single.known(path)
        return siblings.get(node_name(path), "missing")

    def _ask(self, path: str) -> Answer:
        try:
            return self._hierarchy.node(path)
        except NodeNotFoundError:
            return "missing"
        except StoreError as error:
            return _logged(error)

    def _ask_children(self, path: str) -> Children:
        try:
            children = {child.name: child for child in self._hierarchy.children(path)}
        except StoreError as error:
            return _logged(error)
        for failure in filter(None, map(_failure, children.values())):
            _logged(failure)
        return children


def _failure(answer: Answer) -> StoreError | None:
    """Return the error if nothing is known but that the store could not tell."""
    found = answer.error if isinstance(answer, BrokenNode) else answer
    return found if isinstance(found, StoreError) else None


def _is_whole(children: Children) -> bool:
    return not isinstance(children, StoreError) and not any(map(_failure, children.values()))


def _node(answer: Answer) -> Node | None:
    """Return the node that an answer tells of, or raise the failure."""
    failure = _failure(answer)
    if failure is not None:
        raise failure.with_traceback(None)
    return None if isinstance(answer, str | StoreError) else answer


def _logged(error: StoreError) -> StoreError:
    """Log a failure, once however often it is raised."""
    _log.error("%s", error)
    error.is_logged = True
    return error
