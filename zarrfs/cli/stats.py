"""``zarrfs stats``."""

from __future__ import annotations

import time

import click

from zarrfs.cli.options import AS_JSON, example
from zarrfs.cli.printing import flat_items, print_json

WATCH_SECONDS = 1.0
"""Between two looks with ``--watch``."""


@example("zarrfs stats /mnt/data --watch")
@click.command
@click.argument("mountpoint")
@AS_JSON
@click.option("--watch", is_flag=True, help="Redraw every second until Ctrl-C.  [default: off]")
def command(mountpoint: str, as_json: bool, watch: bool) -> None:
    """Show what a mount has done so far."""
    from zarrfs.mounts.control import ask_mount

    while True:
        stats = ask_mount(mountpoint, "stats")
        if watch:
            click.clear()  # does nothing where the output is no terminal
        if as_json:
            print_json(stats)
        else:
            items = list(flat_items(stats))
            width = max((len(name) for name, _ in items), default=0)
            for name, value in items:
                click.echo(f"{name.ljust(width)}  {value.rjust(16)}")
        if not watch:
            return
        time.sleep(WATCH_SECONDS)
