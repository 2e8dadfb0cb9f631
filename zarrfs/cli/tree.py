"""``zarrfs tree``."""

from __future__ import annotations

import click

from zarrfs.cli.options import STORE_OPTIONS, example, store_options


@example("zarrfs tree data.zarr")
@click.command
@click.argument("url")
@STORE_OPTIONS
def command(url: str, option_texts: tuple[str, ...]) -> None:
    """Draw the hierarchy of a store."""
    from zarrfs.api.array import Array
    from zarrfs.api.opening import open_any

    opened = open_any(url, storage_options=store_options(option_texts))
    click.echo(repr(opened) if isinstance(opened, Array) else opened.tree())
