"""README.txt of a mount: what each directory is; which arrays are missing where, and why."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from zarrfs.arrays.hierarchy import Node
    from zarrfs.vfs.view_branch import ViewBranch

# Listing a mount makes its README.txt: it must not take long, whatever the store.
MAX_NODES = 1_000
MAX_SECONDS = 2.0


def readme(
    store: str,
    summaries: Mapping[str, str],
    branches: Mapping[str, ViewBranch],
    nodes: Iterable[Node],
) -> bytes:
    """Write README.txt.

    Parameters
    ----------
    store
        URL of the store, without secrets.
    summaries
        What each tree is, by its name.
    branches
        Trees of formats, by name, to ask what they cannot show.
    nodes
        All nodes of the store; no more are looked at than `MAX_NODES` and `MAX_SECONDS` allow.
    """
    lines = [
        f"This directory shows the Zarr store {store}",
        "",
        *(f"  {name + '/':6} {summary}" for name, summary in summaries.items()),
        "",
        "Groups are directories, arrays are files. No file is a copy: bytes are decoded as",
        "they are read.",
    ]
    until = time.monotonic() + MAX_SECONDS
    remaining = iter(nodes)
    missing: list[str] = []
    for node in itertools.islice(remaining, MAX_NODES):
        reasons: dict[str, list[str]] = {}
        for name, branch in branches.items():
            reason = branch.why_missing(node)
            if reason is not None:
                reasons.setdefault(reason, []).append(name)
        missing += [
            f"  /{node.path}, not in {', '.join(trees)}: {reason}"
            for reason, trees in reasons.items()
        ]
        if time.monotonic() > until:
            break
    if missing:
        lines += ["", "Not shown everywhere, but always there in zarr/:", "", *missing]
    if next(remaining, None) is not None:
        lines += ["", "There are more nodes; `zarrfs info STORE/PATH` tells about each of them."]
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")
