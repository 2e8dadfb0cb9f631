"""``zarrfs list``."""

from __future__ import annotations

import dataclasses

import click

from zarrfs.cli.options import AS_JSON, example
from zarrfs.cli.printing import print_json, print_table


@example("zarrfs list --json")
@click.command
@AS_JSON
def command(as_json: bool) -> None:
    """List the mounts of this machine.

    A mount is healthy, busy (it does not answer in time) or dead (its daemon is gone).
    """
    from zarrfs.mounts.state import list_mounts

    mounts = list_mounts()
    if as_json:
        print_json([dataclasses.asdict(mount) for mount in mounts])
    elif mounts:
        rows = [
            ["-" if value is None else str(value) for value in dataclasses.astuple(mount)]
            for mount in mounts
        ]
        print_table([["STORE", "MOUNTPOINT", "PID", "SINCE", "MODE", "STATE"], *rows])
