"""``zarrfs mount``."""

from __future__ import annotations

import click

from zarrfs.cli.options import example
from zarrfs.cli.printing import say


class MountCommand(click.Command):
    """Lists the options of a mount in its help, from their table."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table, then the example."""
        from zarrfs.mounts.config import KERNEL_OPTIONS, OPTIONS

        rows = [
            (f"{name}=…", f"{option.description}  [default: {option.default}]")
            for name, option in OPTIONS.items()
        ]
        rows.append(("ro", "mount read-only  [default: what the store allows]"))
        rows += [(name, f"{text}  [default: off]") for name, text in KERNEL_OPTIONS.items() if text]
        with formatter.section("Options for -o, besides those of the store"):
            formatter.write_dl(rows)
        super().format_epilog(ctx, formatter)


@example("zarrfs mount data.zarr /mnt/data -o ro,memory=1G")
@click.command(cls=MountCommand)
@click.argument("store")
@click.argument("mountpoint", required=False)
@click.option(
    "-o",
    "option_texts",
    metavar="KEY=VALUE,…",
    multiple=True,
    help="Options, see below; may be given several times.  [default: none]",
)
@click.option(
    "--foreground",
    is_flag=True,
    help="Serve in this process, log to stderr, tell systemd when ready.  [default: off]",
)
def command(
    store: str, mountpoint: str | None, option_texts: tuple[str, ...], foreground: bool
) -> None:
    """Mount a store on an empty directory.

    Returns once the mount answers.

    STORE is a path or URL. Without MOUNTPOINT it is the name of a mount in the configuration
    file, [mounts.NAME] with store, mountpoint and options.
    """
    from zarrfs.mounts.config import MountConfig, parse_options, split_options
    from zarrfs.mounts.mountinfo import absolute_mountpoint
    from zarrfs.mounts.named import named_mount

    pairs = [pair for text in option_texts for pair in split_options(text)]
    if mountpoint is None:
        config = named_mount(store, further_options=pairs)
    else:
        config = MountConfig(
            store=store, mountpoint=absolute_mountpoint(mountpoint), options=parse_options(pairs)
        )
    if foreground:
        from zarrfs.mounts.daemon import serve_in_foreground

        serve_in_foreground(config)
    else:
        from zarrfs.mounts.process import start

        _, notes = start(config)
        for note in notes:
            say(note)
