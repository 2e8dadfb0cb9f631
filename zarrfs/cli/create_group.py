"""``zarrfs create-group``."""

from __future__ import annotations

import click

from zarrfs.cli.options import ATTRIBUTES, STORE_OPTIONS, ZARR_FORMAT, example, store_options


@example("""zarrfs create-group data.zarr/ocean --attributes '{"title": "Currents"}'""")
@click.command("create-group")
@click.argument("url")
@ATTRIBUTES
@ZARR_FORMAT
@STORE_OPTIONS
def command(
    url: str, attributes: str | None, zarr_format: str, option_texts: tuple[str, ...]
) -> None:
    """Create a group.

    URL is the path or URL of a store, with the path of the group in it. Groups that are missing
    above it are created too. A plain directory becomes a group, and keeps what is in it.
    """
    import zarrfs
    from zarrfs.cli.array_arguments import parse_attributes
    from zarrfs.errors import NodeExistsError, printable
    from zarrfs.stores.redaction import redact

    try:
        group = zarrfs.create_group(
            url,
            attributes=None if attributes is None else parse_attributes(attributes),
            zarr_format=2 if zarr_format == "2" else 3,
            storage_options=store_options(option_texts),
        )
    except NodeExistsError as error:
        raise NodeExistsError(f"there is an array or group at {redact(url)} already") from error
    click.echo(f"created group /{printable(group.path)}")
