"""``zarrfs doctor``."""

from __future__ import annotations

import dataclasses

import click

from zarrfs.cli.options import AS_JSON, example
from zarrfs.cli.printing import print_json

MARKS = {True: ("ok", "green"), False: ("FAULT", "red"), None: ("note", "yellow")}


@example("zarrfs doctor")
@click.command
@AS_JSON
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Check whether this machine can mount.

    For each fault there is the one command that mends it. Exits with 1 if there is a fault.
    """
    from zarrfs.mounts.doctor import run_checks

    checks = run_checks()
    if as_json:
        print_json([dataclasses.asdict(check) for check in checks])
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            mark, colour = MARKS[check.ok]
            line = f"{check.name.ljust(width)}  {check.found}"
            click.echo(f"{click.style(mark.ljust(5), fg=colour)}  {line}")
            if check.remedy:
                click.echo(f"{' ' * (width + 9)}{check.remedy}")
    if any(check.ok is False for check in checks):
        context.exit(1)
