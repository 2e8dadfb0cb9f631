"""What several commands take, such as ``-o key=value,…``; and how their help shows examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

STORE_OPTIONS = click.option(
    "-o",
    "option_texts",
    metavar="KEY=VALUE,…",
    multiple=True,
    help="Options of the store; may be given several times.  [default: none]",
)

ZARR_FORMAT = click.option(
    "--zarr-format",
    type=click.Choice(["2", "3"]),
    default="3",
    show_default=True,
    help="Version of the format.",
)

ATTRIBUTES = click.option(
    "--attributes", metavar="JSON", help="User attributes, a JSON object.  [default: none]"
)

LENGTHS = "N,N,…"
"""How help shows elements along each dimension."""

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.  [default: off]")


def example(text: str) -> Callable[[click.Command], click.Command]:
    """Show an example at the end of a command's help."""

    def add(command: click.Command) -> click.Command:
        before = f"{command.epilog}\n\n" if command.epilog else ""
        command.epilog = f"{before}\b\nExample:\n  {text}"
        return command

    return add


def store_options(texts: tuple[str, ...]) -> dict[str, str]:
    """Return what `STORE_OPTIONS` gave; an option without a value is switched on."""
    from zarrfs.mounts.config import split_options

    pairs = [pair for text in texts for pair in split_options(text)]
    return {key.replace("-", "_"): "true" if value is None else value for key, value in pairs}
