"""``zarrfs install-helper``."""

from __future__ import annotations

from pathlib import Path

import click

from zarrfs.cli.options import example


@example("sudo zarrfs install-helper")
@click.command("install-helper")
@click.option(
    "--prefix",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Install below DIR, as packagers do, instead of where mount(8) and systemd look."
    "  [default: /usr/local/bin, /sbin, /etc/systemd]",
)
@click.option("--remove", is_flag=True, help="Remove what was installed.  [default: off]")
def command(prefix: Path | None, remove: bool) -> None:
    """Make mount(8), fstab and systemd find zarrfs.

    Installs links to this program, and units.
    """
    from zarrfs.mounts import install

    places = install.placements(prefix)
    if remove:
        for path in install.remove(places):
            click.echo(f"removed {path}")
        return
    for path in install.install(places):
        click.echo(f"installed {path}")
    if prefix is None and Path("/run/systemd/system").exists():
        click.echo("run `systemctl daemon-reload` to make systemd read its units")
