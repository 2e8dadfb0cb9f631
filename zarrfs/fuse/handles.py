"""What is open: numbers that the kernel has <-> open files and directory listings."""

from __future__ import annotations

import itertools
from typing import Generic, NewType, TypeVar

HandleNumber = NewType("HandleNumber", int)

T = TypeVar("T")


class Handles(Generic[T]):
    """A table of open things; bounded by what the kernel lets be open."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._open: dict[HandleNumber, T] = {}

    def __len__(self) -> int:
        """Things that are open."""
        return len(self._open)

    def add(self, thing: T) -> HandleNumber:
        """Give a number to an open thing."""
        number = HandleNumber(next(self._numbers))
        self._open[number] = thing
        return number

    def get(self, number: HandleNumber) -> T:
        """Return what is open under a number."""
        return self._open[number]

    def remove(self, number: HandleNumber) -> T:
        """Forget a number, and return what it stood for."""
        return self._open.pop(number)
