"""``zarrfs info``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from zarrfs.cli.options import AS_JSON, STORE_OPTIONS, example, store_options
from zarrfs.cli.printing import print_json, size_text
from zarrfs.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LABELS = {
    "nbytes": "raw size",
    "nbytes_stored": "stored size",
    "n_objects": "objects",
    "n_objects_stored": "objects stored",
}
"""What the members of `node_info` are called, where their names do not say it."""


@example("zarrfs info data.zarr/temperature")
@click.command
@click.argument("url")
@STORE_OPTIONS
@AS_JSON
def command(url: str, option_texts: tuple[str, ...], as_json: bool) -> None:
    """Tell what a node is and how a mount shows it.

    URL is the path or URL of a store, with the path of a node in it.
    """
    from zarrfs.api.inspection import node_info

    info = node_info(url, storage_options=store_options(option_texts))
    if as_json:
        print_json(info)
        return
    items = list(_items(info))
    width = max(len(name) for name, _ in items)
    for name, text in items:
        indent = "\n" + " " * (width + 2)
        click.echo(f"{click.style(name.ljust(width), bold=True)}  {text.replace(chr(10), indent)}")


def _items(info: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield name and text of each line, or several lines."""
    for name, value in info.items():
        label = LABELS.get(name, name.replace("_", " "))
        if name in {"nbytes", "nbytes_stored"}:
            yield label, "-" if value is None else size_text(value)
        elif name == "codecs":
            yield label, "\n".join(_codec(codec) for codec in value)
        elif name == "views":
            yield (
                label,
                "\n".join(f"{view}: {_text(reason or 'yes')}" for view, reason in value.items()),
            )
        elif name in {"attributes", "children"} and value:
            lines = [f"{printable(key)}: {_text(item)}" for key, item in value.items()]
            yield label, "\n".join(lines)
        else:
            yield label, _text(value)


def _codec(codec: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{key}={_text(value)}" for key, value in codec["configuration"].items())
    name = printable(codec["name"])
    return f"{name}({settings})" if settings else name


def _text(value: Any) -> str:
    """Return a value as JSON, but text as it is."""
    if value is None or value in ([], {}):
        return "-"
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
