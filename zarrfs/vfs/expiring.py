"""Answers remembered for a while, within a bound: what a mount knows of names."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

K = TypeVar("K")
V = TypeVar("V")


class Expiring(Generic[K, V]):
    """Answers, each good for `ttl` seconds; of more than `n_most` the oldest are forgotten."""

    def __init__(self, ttl: float, *, n_most: int) -> None:
        self._ttl = ttl
        self._n_most = n_most
        self._lock = threading.Lock()
        self._answers: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return an answer, made anew if there is none that is good.

        `make` is called without a lock: two threads may make the same answer at once. An error
        that it raises is not remembered.
        """
        with self._lock:
            known = self._answers.get(key)
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        answer = make()
        self.put(key, answer)
        return answer

    def put(self, key: K, answer: V) -> None:
        """Remember an answer from now on."""
        with self._lock:
            self._answers[key] = (time.monotonic() + self._ttl, answer)
            self._answers.move_to_end(key)
            if len(self._answers) > self._n_most:
                self._answers.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._answers.clear()
