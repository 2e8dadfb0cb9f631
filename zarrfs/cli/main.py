"""The program ``zarrfs``: finds the command, and is the one place that prints errors.

Commands are imported when they are looked at, and import what they need when they run, so that
``zarrfs --help`` is quick.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zarrfs.cli.printing import say
from zarrfs.errors import UrlError, UsageError, ZarrfsError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "mount": "zarrfs.cli.mount",
    "umount": "zarrfs.cli.umount",
    "list": "zarrfs.cli.list_mounts",
    "stats": "zarrfs.cli.stats",
    "refresh": "zarrfs.cli.refresh",
    "info": "zarrfs.cli.info",
    "tree": "zarrfs.cli.tree",
    "create": "zarrfs.cli.create",
    "create-group": "zarrfs.cli.create_group",
    "resize": "zarrfs.cli.resize",
    "consolidate": "zarrfs.cli.consolidate",
    "verify": "zarrfs.cli.verify",
    "doctor": "zarrfs.cli.doctor",
    "install-helper": "zarrfs.cli.install_helper",
}
"""Name of each command -> module that has it as `command`."""

FAILED = 1
USAGE = 2
NOT_MOUNTED = 32
INTERRUPTED = 130

HELPER_USAGE = 1
"""mount(8) has its own codes: 1 wrong usage, 32 failure."""


class Commands(click.Group):
    """Commands by name, imported one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which a reader needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name]).command
        return command


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="zarrfs", prog_name="zarrfs")
@click.option("--debug", is_flag=True, help="Show tracebacks of errors.")
def cli(debug: bool) -> None:
    """Mount any Zarr store and read its arrays as plain files."""


def main() -> None:
    """Run the program with the arguments of this process."""
    sys.exit(run(Path(sys.argv[0]).name, sys.argv[1:]))


def run(program: str, arguments: Sequence[str]) -> int:
    """Run a command line, print its error if there is one, and return the exit code.

    Parameters
    ----------
    program
        Name under which we were called: mount(8) calls ``mount.zarrfs``.
    arguments
        Without the program.
    """
    if program.startswith(("mount.", "fuse.")) or _is_from_mount_fuse(arguments):
        return _run_helper(program, arguments)
    context: click.Context | None = None
    try:
        context = cli.make_context("zarrfs", list(arguments))
        if os.environ.get("NO_COLOR"):  # no-color.org: an empty one does not count
            context.color = False
        _name_program_in_warnings()
        with context:
            cli.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        # A store may be called "list". mount.fuse3 makes its arguments look like no command.
        if arguments and arguments[0] in COMMANDS and _has_mount_form(arguments):
            return _run_helper(program, arguments)
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`zarrfs list | head`): so has the wish for more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if context is not None and context.params.get("debug"):
            raise
        is_mounting = context is not None and context.invoked_subcommand in {"mount", "umount"}
        return _report(error, usage=USAGE, failed=NOT_MOUNTED if is_mounting else FAILED)
    return 0


def _name_program_in_warnings() -> None:
    """Let warnings in the log, which go to standard error, look as other messages do."""
    import logging

    if logging.lastResort is not None:
        logging.lastResort.setFormatter(logging.Formatter("zarrfs: %(message)s"))


def _report(error: Exception, *, usage: int, failed: int, program: str = "zarrfs") -> int:
    """Print an error in one line, and return the exit code."""
    if not isinstance(error, ZarrfsError):
        say(f"unexpected {type(error).__name__}: {error}; `zarrfs --debug …` shows where")
        return failed
    say(str(error), program=program)
    return usage if isinstance(error, UsageError | UrlError) else failed


def _run_helper(program: str, arguments: Sequence[str]) -> int:
    """Be the helper of mount(8)."""
    from zarrfs.mounts.mount_helper import mount_as_helper

    try:
        for note in mount_as_helper(arguments):
            say(note, program=program)
    except Exception as error:  # noqa: BLE001 - mount(8) has no --debug to ask for a traceback
        return _report(error, usage=HELPER_USAGE, failed=NOT_MOUNTED, program=program)
    return 0


def _is_from_mount_fuse(arguments: Sequence[str]) -> bool:
    """Whether there is no command, but ``STORE MNT -o …``."""
    return bool(arguments) and arguments[0] not in COMMANDS and _has_mount_form(arguments)


def _has_mount_form(arguments: Sequence[str]) -> bool:
    if "-o" not in arguments:
        return False
    from zarrfs.mounts.mount_helper import has_mount_form

    return has_mount_form(arguments)
