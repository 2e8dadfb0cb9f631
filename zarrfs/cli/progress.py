"""How far long work is: a bar on a terminal, else a plain line now and then. On standard error."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from zarrfs.cli.printing import say

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN_SECONDS = 10.0
"""Between two plain lines."""


class Progress(ExitStack):
    """Draws how much is done. Used with ``with``.

    Parameters
    ----------
    label
        What is done: ``"writing data.zarr/t"``.
    text
        A number of steps in words, for the plain lines.
    """

    def __init__(self, label: str, text: Callable[[int], str]) -> None:
        super().__init__()
        self._label = label
        self._text = text
        self._is_drawn = sys.stderr.isatty()
        self._advance: Callable[[int], None] | None = None
        self._n_done = 0
        self._told_at = time.monotonic()
        self._told_end = False

    def update(self, n_done: int, n_all: int) -> None:
        """Tell how many steps are done, of how many."""
        if not self._is_drawn:
            self._tell(n_done, n_all)
            return
        if self._advance is None:
            bar = click.progressbar(length=n_all, label=self._label, file=sys.stderr)
            self._advance = self.enter_context(bar).update
        self._advance(n_done - self._n_done)
        self._n_done = n_done

    def _tell(self, n_done: int, n_all: int) -> None:
        now = time.monotonic()
        is_over = n_done >= n_all
        if self._told_end or (not is_over and now < self._told_at + PLAIN_SECONDS):
            return
        self._told_at, self._told_end = now, is_over
        percent = 100 * n_done // n_all if n_all else 100
        amount = f"{self._text(n_done)} of {self._text(n_all)}"
        say(f"{self._label}: {percent} % ({amount})")
