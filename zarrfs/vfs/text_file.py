"""Files whose text is made when they are opened: README.txt and those in ``.zarrfs/``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zarrfs.errors import EntryNotFoundError
from zarrfs.vfs.entries import BLOCK_BYTES, Entry, Name, directory

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping


class TextFile:
    """An open text, as it was when it was opened."""

    # Its size may be another than at the last stat: the kernel must not cut it there.
    direct_io = True
    version: Hashable = None

    def __init__(self, text: bytes) -> None:
        self._text = text

    def read(self, offset: int, size: int) -> bytes:
        """Return the bytes of a span, fewer only at the end."""
        return self._text[offset : offset + size]

    def slab_end(self, offset: int) -> int:
        """Return the offset: nothing is decoded."""
        return offset


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBranch:
    """A directory of generated texts, or one such text at the path ``""``."""

    texts: Mapping[str, Callable[[], bytes]]
    """What makes each text, by its name."""

    mode: int
    """Permission bits of the files."""

    directory_mode: int
    mtime_ns: int

    def entry(self, path: str) -> Entry:
        """Find what is at a path; `EntryNotFoundError` if nothing."""
        make = self.texts.get(path)
        if make is None:
            if path:
                raise EntryNotFoundError(path)
            return directory(self.mtime_ns, self.directory_mode)
        size = len(make())
        return Entry(
            is_directory=False,
            mode=self.mode,
            size=size,
            n_blocks=-(-size // BLOCK_BYTES),
            mtime_ns=self.mtime_ns,
        )

    def names(self, path: str) -> list[Name]:
        """List the directory, sorted."""
        if path:
            raise EntryNotFoundError(path)
        return sorted(Name(name, is_directory=False) for name in self.texts)

    def open(self, path: str) -> TextFile:
        """Open a text."""
        if path not in self.texts:
            raise EntryNotFoundError(path)
        return TextFile(self.texts[path]())
