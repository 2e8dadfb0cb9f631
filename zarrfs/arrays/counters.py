"""What was done so far, in numbers: the source of ``zarrfs stats``."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Counters:
    """Named sums, safe to add to from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: Counter[str] = Counter()

    def add(self, **amounts: int) -> None:
        """Add to several sums at once."""
        with self._lock:
            for name, amount in amounts.items():
                self._sums[name] += amount

    def take(self) -> Mapping[str, int]:
        """All sums, which are 0 from then on."""
        with self._lock:
            taken, self._sums = self._sums, Counter()
        return taken

    def snapshot(self) -> Mapping[str, int]:
        """All sums at one instant; a name never added to is 0."""
        with self._lock:
            return Counter(self._sums)
