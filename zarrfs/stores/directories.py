"""The directories above a file: made when it comes, removed when it was the last one in them.

Others may do the same at the same time. Nothing is recursive as `os.makedirs` is: keys can be deep.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from zarrfs.stores.temporary_files import RETRIES

if TYPE_CHECKING:
    from collections.abc import Callable


def with_parents(target: bytes, action: Callable[[], None]) -> None:
    """Do `action`, making the directories above `target` if it finds them missing.

    Tried again while somebody removes them as empty at the same time.
    """
    for _ in range(RETRIES):
        try:
            return action()
        except FileNotFoundError:
            with contextlib.suppress(FileNotFoundError):
                make_directories(os.path.dirname(target))
    return action()


def make_directories(path: bytes) -> None:
    """Make a directory and those above it."""
    missing = []
    while True:
        try:
            os.mkdir(path)
        except FileNotFoundError:
            missing.append(path)
            path = os.path.dirname(path)
        except FileExistsError:
            break
        else:
            break
    for below in reversed(missing):
        with contextlib.suppress(FileExistsError):
            os.mkdir(below)


def remove_empty_parents(path: bytes, root: bytes) -> None:
    """Remove the directories above a file, below a root, as far as they are empty."""
    parent = os.path.dirname(path)
    with contextlib.suppress(OSError):  # not empty, or a link
        while len(parent) > len(root):
            os.rmdir(parent)
            parent = os.path.dirname(parent)
