"""``zarrfs refresh``."""

from __future__ import annotations

import click

from zarrfs.cli.options import example


@example("zarrfs refresh /mnt/data ocean/temperature")
@click.command
@click.argument("mountpoint")
@click.argument("path", required=False)
def command(mountpoint: str, path: str | None) -> None:
    """Forget what a mount has cached.

    Changes in the store are then seen at once.

    PATH is an array or group of the store, or a file or directory of the mount; everything if it
    is left out.
    """
    from zarrfs.mounts.control import ask_mount
    from zarrfs.mounts.mountinfo import absolute_mountpoint

    if path is not None:
        # As a shell completes it; another path that begins with "/" is a node's.
        path = path.removeprefix(f"{absolute_mountpoint(mountpoint)}/")
    ask_mount(mountpoint, "refresh", **({} if path is None else {"path": path}))
