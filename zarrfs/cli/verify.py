"""``zarrfs verify``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from zarrfs.cli.options import AS_JSON, STORE_OPTIONS, example, store_options
from zarrfs.cli.printing import print_json, print_table
from zarrfs.cli.progress import Progress

if TYPE_CHECKING:
    from zarrfs.api.verification import Fault, Verification

SHOWN_CHUNKS = 3
"""Lost chunks of one shard that are told in words; JSON has them all."""


@example("zarrfs verify data.zarr")
@click.command
@click.argument("url")
@STORE_OPTIONS
@AS_JSON
@click.pass_context
def command(context: click.Context, url: str, option_texts: tuple[str, ...], as_json: bool) -> None:
    """Read every chunk, and list the bad ones.

    URL is the path or URL of a store, with the path of a node in it; of a group, all arrays below
    it are read. Exits with 1 if metadata or chunks cannot be read. Objects below an array that are
    no chunk of it are told, but are no fault.
    """
    from zarrfs.api.verification import verify

    with Progress("reading", str) as progress:
        found = verify(url, storage_options=store_options(option_texts), progress=progress.update)
    if as_json:
        print_json(dataclasses.asdict(found))
    else:
        _print(found)
    if found.n_bad:
        context.exit(1)


def _print(found: Verification) -> None:
    rows = [["bad", fault.key or fault.array, _text(fault)] for fault in found.bad]
    rows += [["stray", key, "is no chunk of the array above it"] for key in found.stray]
    if rows:
        print_table([["STATE", "KEY", "REASON"], *rows])
    n_unlisted = found.n_bad + found.n_stray - len(rows)
    if n_unlisted:
        click.echo(f"and {n_unlisted} more")
    counts = f"{found.n_bad} bad" + (f", {found.n_stray} stray" if found.n_stray else "")
    click.echo(f"{found.n_objects} objects of {found.n_arrays} arrays read: {counts}")


def _text(fault: Fault) -> str:
    if len(fault.chunks) < 2:
        return fault.reason
    shown = ", ".join(map(str, fault.chunks[:SHOWN_CHUNKS]))
    more = ", …" if len(fault.chunks) > SHOWN_CHUNKS else ""
    return f"{fault.reason} ({len(fault.chunks)} inner chunks: {shown}{more})"
