"""``zarrfs resize``."""

from __future__ import annotations

import click

from zarrfs.cli.options import LENGTHS, STORE_OPTIONS, example, store_options


@example("zarrfs resize data.zarr/t --shape 2000,1000")
@click.command
@click.argument("url")
@click.option(
    "--shape",
    metavar=LENGTHS,
    help="Elements along each dimension.  [default: none, it must be given]",
)
@STORE_OPTIONS
def command(url: str, shape: str | None, option_texts: tuple[str, ...]) -> None:
    """Change the shape of an array.

    Elements stay where they are. What a smaller shape cuts off is deleted, and how many chunks or
    shards that were is printed; growing again shows the fill value there.

    URL is the path or URL of a store, with the path of the array in it.
    """
    import zarrfs
    from zarrfs.api.inspection import node_info
    from zarrfs.cli.array_arguments import parse_lengths
    from zarrfs.errors import UsageError

    if shape is None:  # not `required`: a call without it looks like one of mount(8)
        raise UsageError("--shape is needed, such as --shape 2000,1000")
    lengths = parse_lengths("--shape", shape, minimum=0)
    options = store_options(option_texts)
    array = zarrfs.open_array(url, storage_options=options)
    before = array.shape
    if len(lengths) != array.ndim:
        raise UsageError(f"--shape {shape}: the array has {array.ndim} dimensions, {before}")
    is_cut = any(new < old for new, old in zip(lengths, before, strict=True))

    def n_stored() -> int:
        return int(node_info(url, storage_options=options)["n_objects_stored"]) if is_cut else 0

    n_before = n_stored()
    array.resize(lengths)
    objects = "shards" if array.shards else "chunks"
    deleted = f", {n_before - n_stored()} {objects} deleted" if is_cut else ""
    click.echo(f"resized /{array.path}: {before} to {array.shape}{deleted}")
