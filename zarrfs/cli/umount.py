"""``zarrfs umount``."""

from __future__ import annotations

import click

from zarrfs.cli.options import example
from zarrfs.cli.printing import say


@example("zarrfs umount /mnt/data")
@click.command
@click.argument("mountpoint")
@click.option(
    "--lazy",
    is_flag=True,
    help="Detach even while files are open; as root, cut them off after the timeout."
    "  [default: off]",
)
@click.option(
    "--timeout",
    metavar="S",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Seconds that the daemon may take to end.",
)
def command(mountpoint: str, lazy: bool, timeout: float) -> None:
    """Unmount a store and wait for its daemon to end."""
    from zarrfs.mounts.unmount import unmount

    if not unmount(mountpoint, lazy=lazy, timeout=timeout):
        say(f"{mountpoint} is detached; its daemon ends when the last open file is closed")
