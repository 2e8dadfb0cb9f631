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

    PATH is an array or group of the store; everything if it is left out.
    """
    from zarrfs.mounts.control import ask_mount

    ask_mount(mountpoint, "refresh", **({} if path is None else {"path": path}))
