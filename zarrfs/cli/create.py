"""``zarrfs create``."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
from typing import TYPE_CHECKING, Any

import click

from zarrfs.cli.options import (
    ATTRIBUTES,
    LENGTHS,
    STORE_OPTIONS,
    ZARR_FORMAT,
    example,
    store_options,
)
from zarrfs.cli.printing import say, size_text
from zarrfs.cli.progress import Progress
from zarrfs.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarrfs.api.array import Array
    from zarrfs.arrays.new_arrays import NewArray

CODEC = "NAME[:KEY=VALUE,…]"


@example("zarrfs create data.zarr/t --shape 1000,1000 --dtype float64 --codec zstd:level=5")
@click.command
@click.argument("url")
@click.option(
    "--shape",
    metavar=LENGTHS,
    help="Elements along each dimension; `scalar` for none.  [default: that of a .npy FILE]",
)
@click.option(
    "--dtype",
    metavar="TYPE",
    help="Data type of Zarr or NumPy: float64, >i2, string …  [default: that of a .npy FILE]",
)
@click.option(
    "--chunks",
    metavar=LENGTHS,
    help="Elements of a chunk along each dimension.  [default: about 1 MiB, chosen by shape]",
)
@click.option(
    "--shards",
    metavar=LENGTHS,
    help="Elements of a shard, which holds chunks, along each dimension.  [default: no shards]",
)
@click.option(
    "--codec",
    "codecs",
    metavar=CODEC,
    multiple=True,
    help="Codec, as text or JSON, or `none`; may be given several times, in order of encoding."
    "  [default: zstd:level=1]",
)
@click.option(
    "--filter",
    "filters",
    metavar=CODEC,
    multiple=True,
    help="Codec in front of those of --codec, as a filter of Zarr v2 is; may be given several"
    " times.  [default: none]",
)
@ZARR_FORMAT
@click.option(
    "--fill-value",
    metavar="V",
    help="Element that was never written, as text or JSON.  [default: zero of the type]",
)
@click.option(
    "--dimension-names",
    metavar="NAME,…",
    help="Names of the dimensions; one may be empty.  [default: none]",
)
@ATTRIBUTES
@click.option(
    "--order",
    type=click.Choice(["C", "F"]),
    default="C",
    show_default=True,
    help="Order of elements in a chunk: rows or columns first.",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Delete what is there, and all below it.  [default: off, an error]",
)
@click.option(
    "--from",
    "file",
    metavar="FILE",
    help="Fill with a .npy file, or a flat one: elements in C order, little-endian. `-` is a flat"
    " file on standard input.  [default: nothing is written]",
)
@STORE_OPTIONS
def command(
    url: str, overwrite: bool, file: str | None, option_texts: tuple[str, ...], **texts: Any
) -> None:
    """Create an array.

    URL is the path or URL of a store, with the path of the array in it. Groups that are missing
    above it are created too.

    With --from nobody sees the array before it is filled. If that fails or is interrupted, what
    was written is deleted again.
    """
    import zarrfs
    from zarrfs.api.filling import create_from
    from zarrfs.api.source_files import open_source
    from zarrfs.cli.array_arguments import parse_new_array
    from zarrfs.stores.redaction import redact

    options = store_options(option_texts)
    if file is None:
        wanted = parse_new_array(**texts)
        array = zarrfs.create_array(
            url, overwrite=overwrite, storage_options=options, **fields(wanted)
        )
        click.echo(description(array))
        return
    with _interrupted_by_sigterm(), contextlib.closing(open_source(file)) as source:
        wanted = parse_new_array(**texts, shape_of_file=source.shape, dtype_of_file=source.dtype)
        try:
            with Progress(f"writing {redact(url)}", size_text) as progress:
                array = create_from(
                    url,
                    wanted,
                    source,
                    overwrite=overwrite,
                    storage_options=options,
                    progress=progress.update,
                )
        except KeyboardInterrupt:
            say(f"interrupted: what was written of {redact(url)} is deleted again")
            raise
    click.echo(description(array))


@contextlib.contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Take SIGTERM as Ctrl-C, so that who is told to end tidies up."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def fields(wanted: NewArray) -> dict[str, Any]:
    """Return a value's fields as keyword arguments."""
    return {field.name: getattr(wanted, field.name) for field in dataclasses.fields(wanted)}


def description(array: Array) -> str:
    """Say in a line what was created, with what was chosen."""
    shards = f" in shards of {array.shards}" if array.shards else ""
    what = f"{array.metadata.data_type.name} {array.shape}"
    path = printable(array.path)
    return f"created array /{path}: {what}, chunks of {array.chunks}{shards}"
