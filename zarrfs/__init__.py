"""zarrfs: mount any Zarr store and read its arrays as plain files.

The public names, each imported when it is first used: neither the command line nor a program that
only opens an array pays for what it does not use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zarrfs.api.array import Array
    from zarrfs.api.group import Group
    from zarrfs.api.opening import open_any as open
    from zarrfs.api.opening import open_array, open_group
    from zarrfs.errors import ZarrfsError
    from zarrfs.mounts.process import Mount, mount
    from zarrfs.mounts.state import list_mounts
    from zarrfs.mounts.unmount import unmount

__version__ = "0.1.0.dev0"

__all__ = [
    "Array",
    "Group",
    "Mount",
    "ZarrfsError",
    "__version__",
    "list_mounts",
    "mount",
    "open",
    "open_array",
    "open_group",
    "unmount",
]

_HOMES = {
    "Array": ("zarrfs.api.array", "Array"),
    "Group": ("zarrfs.api.group", "Group"),
    "Mount": ("zarrfs.mounts.process", "Mount"),
    "ZarrfsError": ("zarrfs.errors", "ZarrfsError"),
    "list_mounts": ("zarrfs.mounts.state", "list_mounts"),
    "mount": ("zarrfs.mounts.process", "mount"),
    "open": ("zarrfs.api.opening", "open_any"),
    "open_array": ("zarrfs.api.opening", "open_array"),
    "open_group": ("zarrfs.api.opening", "open_group"),
    "unmount": ("zarrfs.mounts.unmount", "unmount"),
}
"""Public name -> module, and the name there."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'zarrfs' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)
