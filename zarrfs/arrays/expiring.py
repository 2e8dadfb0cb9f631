"""Answers remembered for a while, within a bound: what is known of names."""

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
    """Answers, each good for a while; safe to use from many threads.

    Parameters
    ----------
    ttl
        Tells for how many seconds an answer is good; none is for 0.
    limit
        Sum of the weights of all answers; the oldest are forgotten to stay below.
    weigh
        Weight of an answer; by default each is 1.
    """

    def __init__(
        self,
        ttl: Callable[[V], float],
        *,
        limit: int,
        weigh: Callable[[V], int] = lambda _: 1,
    ) -> None:
        self._ttl = ttl
        self._limit = limit
        self._weigh = weigh
        self._lock = threading.Lock()
        self._answers: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._weight = 0
        self._generation = 0

    def __len__(self) -> int:
        """Answers held, good or not."""
        return len(self._answers)

    def known(self, key: K) -> V | None:
        """Return an answer if there is one that is good."""
        with self._lock:
            expiry, answer = self._answers.get(key, (0.0, None))
        return answer if answer is not None and time.monotonic() < expiry else None

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return an answer, made anew if there is none that is good.

        `make` is called without a lock: two threads may make the same answer at once. Its answer
        is not remembered if all were forgotten meanwhile.
        """
        answer = self.known(key)
        if answer is not None:
            return answer
        generation = self._generation
        answer = make()
        ttl = self._ttl(answer)
        if ttl > 0:
            with self._lock:
                if generation == self._generation:
                    self._put(key, answer, ttl)
        return answer

    def replace(self, key: K, answer: V) -> V | None:
        """Remember an answer from now on; return the one that was good until now."""
        before = self.known(key)
        with self._lock:
            self._put(key, answer, self._ttl(answer))
        return before

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._generation += 1
            self._answers.clear()
            self._weight = 0

    def _put(self, key: K, answer: V, ttl: float) -> None:
        if key in self._answers:
            self._drop(key)
        now = time.monotonic()
        self._answers[key] = (now + ttl, answer)
        self._weight += self._weigh(answer)
        while self._answers:
            oldest, (expiry, _) = next(iter(self._answers.items()))
            if self._weight <= self._limit and now < expiry:
                return
            self._drop(oldest)

    def _drop(self, key: K) -> None:
        _, answer = self._answers.pop(key)
        self._weight -= self._weigh(answer)
