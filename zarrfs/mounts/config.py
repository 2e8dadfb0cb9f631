"""Option values of ``-o`` <-> `MountOptions`: one table of what a mount accepts.

What is not in the table is left for the store, whose own parser refuses what it does not know,
so that a misspelt option is always an error. Nothing is opened here.
"""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zarrfs.errors import UsageError
from zarrfs.mounts.cache_directory import DEFAULT_CACHE_SIZE, default_cache_dir
from zarrfs.mounts.memory import default_memory
from zarrfs.mounts.option_values import (
    parse_deadline,
    parse_directory,
    parse_endian,
    parse_memory,
    parse_seconds,
    parse_size,
    parse_switch,
    parse_views,
    parse_word,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from zarrfs.mounts.option_values import Endian


@dataclass(frozen=True, slots=True, kw_only=True)
class MountOptions:
    """Everything that ``-o`` says about one mount."""

    layout: str = "tree"
    """What the root shows: every tree, or one of them."""

    views: tuple[str, ...] | None = None
    """Trees to list; ``None`` lets the store's content decide."""

    endian: Endian = "little"
    """Byte order of flat files."""

    memory: int = field(default_factory=default_memory)
    """Bytes that caches may hold."""

    cache_dir: str | None = field(default_factory=default_cache_dir)
    """Where decoded chunks may be kept for which the memory is too small; ``None``: nowhere."""

    cache_size: int = DEFAULT_CACHE_SIZE
    """Bytes that may be kept there; 0: none."""

    attr_timeout: float | None = None
    """Seconds that the kernel trusts names and attributes; ``None``: 1 local, 60 remote."""

    timeout: float = 60.0
    """Seconds after which a request for data fails with EIO."""

    names_timeout: float = 15.0
    """Seconds after which a request for names or attributes fails with EIO."""

    keep_cache: bool = True
    """Keep cached pages when a file is opened again."""

    read_only: bool = False
    """Asked for by ``ro``; a store that cannot be written is mounted read-only anyway."""

    debug: bool = False
    """Log every request."""

    fsname: str | None = None
    """Source shown by mount(8); ``None``: the store's URL without secrets."""

    kernel: frozenset[str] = frozenset()
    """Options for the kernel and libfuse, such as ``allow_other``."""

    store: tuple[tuple[str, str], ...] = ()
    """Options for the store, in the order given. They may hold credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MountConfig:
    """One mount as it was asked for."""

    store: str
    """Path or URL, as written; it may hold credentials."""

    mountpoint: str
    """Absolute path."""

    options: MountOptions = field(default_factory=MountOptions)

    def to_json(self) -> str:
        """Serialise for the daemon's standard input."""
        values = dataclasses.asdict(self)
        values["options"]["kernel"] = sorted(self.options.kernel)
        return json.dumps(values)


def parse_config(text: str) -> MountConfig:
    """Inverse of `MountConfig.to_json`."""
    values = json.loads(text)
    options = values["options"]
    views = options["views"]
    options["views"] = None if views is None else tuple(views)
    options["kernel"] = frozenset(options["kernel"])
    options["store"] = tuple((key, value) for key, value in options["store"])
    return MountConfig(
        store=values["store"], mountpoint=values["mountpoint"], options=MountOptions(**options)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a mount: its name, how its value is read, and its line in the help."""

    name: str
    parse: Callable[[str], Any]
    default: str
    description: str
    is_flag: bool = False
    """May stand without a value, which then means ``on``."""


OPTIONS: Mapping[str, Option] = {
    option.name: option
    for option in (
        Option(
            name="layout",
            parse=parse_word,
            default="tree",
            description="what the root shows: tree, or one of bin, npy, zarr, …",
        ),
        Option(
            name="views",
            parse=parse_views,
            default="by content",
            description="trees to list, such as bin:npy; all, or none",
        ),
        Option(
            name="endian",
            parse=parse_endian,
            default="little",
            description="byte order of flat files: little, big, or stored",
        ),
        Option(
            name="memory",
            parse=parse_memory,
            default="25%, at most 4G",
            description="limit of the caches, such as 512M or 10%",
        ),
        Option(
            name="cache_dir",
            parse=parse_directory,
            default="~/.cache/zarrfs; root's is /var/cache/zarrfs",
            description="where decoded chunks are kept that are needed again soon and do not fit "
            "in memory",
        ),
        Option(
            name="cache_size",
            parse=parse_size,
            default="8G",
            description="limit of what is kept there, such as 20G; 0: nothing",
        ),
        Option(
            name="attr_timeout",
            parse=parse_seconds,
            default="1s local, 60s remote",
            description="how long names and attributes are trusted; 0: always ask the store",
        ),
        Option(
            name="timeout",
            parse=parse_deadline,
            default="60s",
            description="a request for data fails after this time",
        ),
        Option(
            name="names_timeout",
            parse=parse_deadline,
            default="15s",
            description="a request for names or attributes fails after this time",
        ),
        Option(
            name="keep_cache",
            parse=parse_switch,
            default="on",
            description="keep cached pages when a file is opened again",
            is_flag=True,
        ),
        Option(
            name="fsname",
            parse=parse_word,
            default="the store's URL",
            description="source that mount(8) and df show",
        ),
        Option(
            name="debug",
            parse=parse_switch,
            default="off",
            description="log every request",
            is_flag=True,
        ),
    )
}

KERNEL_OPTIONS: Mapping[str, str] = {
    "allow_other": "other users may use the mount; implies default_permissions",
    "allow_root": "root may use the mount; implies default_permissions",
    "default_permissions": "the kernel checks modes",
    "auto_unmount": "unmount if the daemon is killed",
    "nodev": "",
    "nosuid": "",
    "noexec": "",
    "noatime": "",
    "sync": "",
    "dirsync": "",
}
"""Passed on to libfuse. Those without a text are generic options of mount(8)."""

# fmt: off
DROPPED = frozenset({
    "defaults", "auto", "noauto", "user", "users", "nouser", "owner", "group", "nofail", "_netdev",
    "exec", "async", "atime", "relatime", "norelatime", "strictatime", "nostrictatime",
    "diratime", "nodiratime", "lazytime", "nolazytime", "mand", "nomand", "iversion", "noiversion",
    "silent", "loud", "comment",
    # mount.fuse3 adds these two unasked; FUSE mounts stay nodev and nosuid all the same.
    "dev", "suid",
})
# fmt: on
"""What mount(8) and fstab may pass and a mount of zarrfs has no use for."""

REFUSED: Mapping[str, str] = {
    "remount": "a mount of zarrfs cannot be changed: unmount it and mount it again",
    "max_read": "libfuse refuses it for Python file systems; requests are up to 1 MiB anyway",
    "subtype": "it is always zarrfs",
    "blkdev": "zarrfs has no block device below it",
    "blksize": "zarrfs has no block device below it",
    "nonempty": "mount on an empty directory",
    "drop_privileges": "it works with `mount -t fuse.zarrfs` only",
    "setuid": "it works with `mount -t fuse.zarrfs` only",
}
"""Known, but never right: refused with a reason rather than handed to the store."""


_SWITCH = Option(name="", parse=parse_switch, default="off", description="", is_flag=True)


def split_options(text: str) -> list[tuple[str, str | None]]:
    """Split ``key=value,key,…`` at the commas that are not inside double quotes.

    Returns
    -------
    list of (key, value)
        In order; the value is ``None`` where no ``=`` is. Quotes around a value are removed.

    Raises
    ------
    UsageError
        If a quote is not closed, or a value has no key.

    Notes
    -----
    The rule of mount(8), "Quotes": quotes arrive here unremoved.
    """
    if text.count('"') % 2:
        raise UsageError(f'-o {text}: a " is not closed')
    pairs = []
    for match in re.finditer(r'(?:[^",]|"[^"]*")+', text):
        key, equals, value = match[0].partition("=")
        if not key:
            raise UsageError(f"-o {match[0]}: the name before '=' is missing")
        pairs.append((key, _unquote(value) if equals else None))
    return pairs


def parse_options(pairs: Iterable[tuple[str, str | None]]) -> MountOptions:
    """Turn options into a valid `MountOptions`; of an option given twice, the last one counts.

    Parameters
    ----------
    pairs
        From `split_options`. In names, ``-`` is the same as ``_``.

    Raises
    ------
    UsageError
        If a value does not fit, or the option is one that is always refused.
    """
    values: dict[str, Any] = {}
    kernel: set[str] = set()
    store: dict[str, str] = {}
    for key, value in pairs:
        name = key if key in DROPPED else key.replace("-", "_")
        if name in DROPPED or key.startswith(("x-", "X-")):
            continue
        if name in REFUSED:
            raise UsageError(f"option {key} is not supported: {REFUSED[name]}")
        if name in {"ro", "rw"}:
            values["read_only"] = name == "ro"
        elif name in KERNEL_OPTIONS:
            (kernel.add if _value(_SWITCH, key, value) else kernel.discard)(name)
        elif name in OPTIONS:
            values[name] = _value(OPTIONS[name], key, value)
        else:
            store[name] = "true" if value is None else value
    if kernel & {"allow_other", "allow_root"}:
        kernel.add("default_permissions")
    return MountOptions(**values, kernel=frozenset(kernel), store=tuple(store.items()))


def _value(option: Option, key: str, text: str | None) -> Any:
    if text is None:
        if not option.is_flag:
            raise UsageError(f"option {key} needs a value: {option.description}")
        text = "on"
    try:
        return option.parse(text)
    except ValueError as error:
        raise UsageError(f"option {key}={text}: {error}") from error


def _unquote(value: str) -> str:
    is_quoted = len(value) >= 2 and value[0] == value[-1] == '"'
    return value[1:-1] if is_quoted else value
