"""The command line of mount(8) -> a mount: ``mount.zarrfs STORE MNT [-sfnv] [-N NS] [-o …]``.

mount.fuse3 calls ``zarrfs STORE MNT -o …`` instead. Both pass options that are none of ours;
`zarrfs.mounts.config` has the table.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zarrfs.errors import MountError, UsageError
from zarrfs.mounts.config import MountConfig, parse_options, split_options
from zarrfs.mounts.mountinfo import absolute_mountpoint
from zarrfs.mounts.preflight import claim
from zarrfs.mounts.process import start

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM_NAMES = frozenset({"mount.zarrfs", "mount.fuse.zarrfs", "fuse.zarrfs"})
"""Names under which the program is the helper of mount(8), whatever its arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelperCall:
    """What mount(8) asks for."""

    store: str
    mountpoint: str
    options: tuple[tuple[str, str | None], ...]
    is_fake: bool = False
    """``-f``: check, and do nothing."""

    namespace: str | None = None
    """``-N``: file of the mount namespace to mount in."""


def has_mount_form(arguments: Sequence[str]) -> bool:
    """Whether arguments are ``STORE MNT -o …``, as mount.fuse3 has it."""
    if "-o" not in arguments or arguments[0].startswith("-"):
        return False
    try:
        parse_arguments(arguments)
    except UsageError:
        return False
    return True


def parse_arguments(arguments: Sequence[str]) -> HelperCall:
    """Read the arguments of a mount helper (mount(8), "External helpers").

    Raises
    ------
    UsageError
        If they are something else.
    """
    left = list(arguments)
    places: list[str] = []
    options: list[tuple[str, str | None]] = []
    flags: set[str] = set()
    namespace = None
    while left:
        argument = left.pop(0)
        if argument in {"-o", "-t", "-N"}:
            if not left:
                raise UsageError(f"{argument} needs a value")
            value = left.pop(0)
            if argument == "-o":
                options += split_options(value)
            elif argument == "-N":
                namespace = value
        elif argument.startswith("-") and len(argument) > 1:
            unknown = set(argument[1:]) - set("sfnvrw")
            if unknown:
                raise UsageError(f"unknown option {argument}")
            flags |= set(argument[1:])
        else:
            places.append(argument)
    if len(places) != 2:
        raise UsageError("give STORE and MOUNTPOINT, and options as -o key=value,…")
    if "r" in flags:
        options.append(("ro", None))
    # -n: there is no /etc/mtab to leave alone. -v: there is nothing more to tell. -s (ignore
    # unknown options) is not followed: a misspelt option would mount something else.
    return HelperCall(
        store=places[0],
        mountpoint=places[1],
        options=tuple(options),
        is_fake="f" in flags,
        namespace=namespace,
    )


def mount_as_helper(arguments: Sequence[str]) -> list[str]:
    """Do what mount(8) asks for, and return what the user should know about it.

    Raises
    ------
    UsageError
        If arguments or options are wrong: exit code 1.
    ZarrfsError
        If it cannot be mounted: exit code 32.
    """
    call = parse_arguments(arguments)
    if call.namespace is not None:
        _enter(call.namespace, arguments)
    if call.mountpoint.startswith("/dev/fd/"):
        # mount.fuse3 has mounted already, and passes its connection to be served.
        raise MountError("drop_privileges is not supported yet: leave it out, and run umount")
    config = MountConfig(
        store=call.store,
        mountpoint=absolute_mountpoint(call.mountpoint),
        options=parse_options(call.options),
    )
    if call.is_fake:
        with claim(config):
            return []
    _, notes = start(config)
    return notes


def _enter(namespace: str, arguments: Sequence[str]) -> None:
    """Run the same again in another mount namespace; does not return."""
    rest = list(arguments)
    at = rest.index("-N")
    del rest[at : at + 2]
    program = str(Path(sys.argv[0]).absolute())
    os.execvp("nsenter", ["nsenter", f"--mount={namespace}", "--", sys.executable, program, *rest])
