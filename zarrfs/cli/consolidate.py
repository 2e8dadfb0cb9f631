"""``zarrfs consolidate``."""

from __future__ import annotations

import click

from zarrfs.cli.options import STORE_OPTIONS, example, store_options


@example("zarrfs consolidate data.zarr")
@click.command
@click.argument("url")
@STORE_OPTIONS
def command(url: str, option_texts: tuple[str, ...]) -> None:
    """Copy all metadata below a group to one place.

    Who opens the group in a remote store then reads one object instead of one for each node. URL
    is the path or URL of a store, with the path of the group in it. When nodes are created or
    changed by zarrfs, the copy is taken away, as it would be out of date.
    """
    from zarrfs.api.opening import open_hierarchy
    from zarrfs.arrays.consolidation import consolidate

    hierarchy, path = open_hierarchy(url, store_options(option_texts))
    n_nodes = consolidate(hierarchy, path)
    click.echo(f"consolidated the metadata of {n_nodes} nodes below /{path}")
