"""README.txt of a mount: what each directory is; which arrays are missing where, and why.

Listing a mount makes this file, so that it must never take long nor fail, whatever the store does:
the store is walked on a thread of its own, as far as a number of nodes and seconds allow.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

from zarrfs.arrays.hierarchy import BrokenNode, GroupNode, PrefixNode
from zarrfs.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from zarrfs.arrays.hierarchy import Hierarchy, Node
    from zarrfs.vfs.view_branch import ViewBranch

_log = logging.getLogger(__name__)

MAX_NODES = 1_000
"""Nodes looked at."""

MAX_SECONDS = 2.0
"""For which nodes are looked at."""

MAX_REASON = 300
"""Characters of one reason."""

_MORE = "There may be more: `zarrfs info STORE/PATH` tells about each array."
_UNFINISHED = "The store answers too slowly to tell here which arrays cannot be shown, and why."
_FAULT = "Which arrays cannot be shown is not known: internal error, see .zarrfs/log."


class Readme:
    """Writes README.txt, anew after a while; safe to use from many threads.

    Parameters
    ----------
    store_url
        Without secrets.
    listed
        What each listed tree is, in a line, by its name.
    unlisted
        Names of the other trees.
    hierarchy
        The store's nodes.
    branches
        Trees of formats that are listed, to ask what they cannot show.
    ttl
        Seconds for which a text is good.
    """

    def __init__(
        self,
        store_url: str,
        listed: Mapping[str, str],
        unlisted: Sequence[str],
        hierarchy: Hierarchy,
        branches: Mapping[str, ViewBranch],
        *,
        ttl: float,
    ) -> None:
        self._head = [
            f"This directory shows the Zarr store {_printable(store_url)}",
            "",
            *(f"  {name + '/':6} {summary}" for name, summary in listed.items()),
            *([f"  Not listed, but there: {', '.join(unlisted)}"] if unlisted else ()),
            "",
            "Groups are directories, arrays are files. No file is a copy: bytes are decoded as",
            "they are read.",
        ]
        self._hierarchy = hierarchy
        self._branches = branches
        self._ttl = ttl
        self._lock = threading.Lock()
        self._findings: Future[list[str]] | None = None
        self._expiry = 0.0

    def text(self) -> bytes:
        """Return the file."""
        with self._lock:
            findings = self._findings
            if findings is None or (findings.done() and time.monotonic() >= self._expiry):
                findings = self._findings = Future()
                threading.Thread(
                    target=self._find, args=(findings,), name="zarrfs-readme", daemon=True
                ).start()
        try:
            # A little longer than the walk takes: it ends by itself if the store answers.
            lines = findings.result(timeout=MAX_SECONDS * 1.25)
        except TimeoutError:
            lines = ["", _UNFINISHED]
        return ("\n".join([*self._head, *lines]) + "\n").encode()

    def forget(self) -> None:
        """Look anew at the next reading."""
        with self._lock:
            self._findings = None

    def _find(self, findings: Future[list[str]]) -> None:
        try:
            lines = self._lines()
        except Exception:  # noqa: BLE001 (a fault in zarrfs must not keep the mount from being listed)
            _log.exception("README.txt cannot tell which arrays are missing")
            lines = ["", _FAULT]
        self._expiry = time.monotonic() + self._ttl
        findings.set_result(lines)

    def _lines(self) -> list[str]:
        until = time.monotonic() + MAX_SECONDS
        missing: list[str] = []
        is_complete = True
        for number, node in enumerate(self._walk()):
            if number == MAX_NODES or time.monotonic() > until:
                is_complete = False
                break
            missing += self._missing(node)
        lines = ["", "Not shown everywhere, but always there in zarr/:", "", *missing]
        return [*(lines if missing else ()), *(() if is_complete else ("", _MORE))]

    def _missing(self, node: Node) -> Iterator[str]:
        """Yield a line for each reason why a node is missing in one or more trees."""
        trees: dict[str, list[str]] = {}
        for name, branch in self._branches.items():
            for reason in branch.why_missing(node):
                trees.setdefault(reason, []).append(name)
        for reason, names in trees.items():
            where = f"/{_printable(node.path)}: not in {', '.join(names)}"
            yield f"  {where}: {_printable(reason)[:MAX_REASON]}"

    def _walk(self) -> Iterator[Node]:
        """Yield all nodes; what cannot be read or listed as one that is broken."""
        try:
            yield self._hierarchy.node("")
        except StoreError as error:
            yield BrokenNode(path="", error=error)
            return
        todo = [""]
        while todo:
            path = todo.pop()
            below: list[str] = []
            try:
                for child in self._hierarchy.children(path):
                    yield child
                    if isinstance(child, GroupNode | PrefixNode):
                        below.append(child.path)
            except StoreError as error:
                yield BrokenNode(path=path, error=error)
            todo += reversed(below)


def _printable(text: str) -> str:
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )
