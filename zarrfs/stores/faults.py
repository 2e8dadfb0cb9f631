"""Options of a ``fault+`` URL -> which faults a `FaultyStore` shows. Pure.

Each value may end in ``:`` and a comma-separated list of the operations it is meant for, out of
`OPERATIONS`; without that it is meant for all of them.

===========================  ======================================================================
``error=always``             every operation fails
``error=random:0.1``         each fails with this probability (``seed=N`` chooses the sequence)
``error=every:3``            the 3rd, 6th, 9th … fails
``error=get,set``            short for ``error=always:get,set``
``latency=50ms``             each operation takes that much longer; ``us``, ``ms``, ``s``, ``min``
``hang=get``                 these wait until released; ``hang=always`` for all
``outage=5s``                all fail for that long from the first operation on
``truncate=100``             ``get`` returns at most 100 bytes of each span; ``50%`` half of them
``keys=GLOB``                faults show for keys and prefixes that match; ``*`` matches ``/`` too
``seed=N``                   whole number; 0 if not given
===========================  ======================================================================

So ``error=random:0.1:get`` fails one ``get`` in ten.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zarrfs.errors import UrlError

if TYPE_CHECKING:
    from collections.abc import Mapping

OPERATIONS = frozenset({"get", "set", "delete", "rename", "stat", "list"})
"""What a store can be asked; ``set_new`` counts as ``set``."""

FAULT_OPTIONS = frozenset({"error", "latency", "hang", "outage", "truncate", "keys", "seed"})
"""Names of the options above."""

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|min)", re.ASCII)
_AMOUNT = re.compile(r"(\d+)(%?)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorFault:
    """Operations fail: each with a probability, or every n-th of them."""

    probability: float
    """0 if they fail by count."""

    every: int
    """Every how many; 0 if they fail by chance."""

    operations: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeFault:
    """Operations are slow, or fail for a time."""

    seconds: float
    operations: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncation:
    """``get`` returns less than was asked for."""

    limit: int
    """Bytes, or percent of what was asked for."""

    is_percent: bool

    def size(self, asked: int) -> int:
        """Bytes returned when `asked` would be right."""
        return asked * self.limit // 100 if self.is_percent else min(asked, self.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong; nothing by default."""

    error: ErrorFault | None = None
    latency: TimeFault | None = None
    hang: frozenset[str] = frozenset()
    outage: TimeFault | None = None
    truncate: Truncation | None = None
    keys: str = "*"
    seed: int = 0


def parse_faults(options: Mapping[str, str]) -> Faults:
    """Parse the options of a ``fault+`` URL.

    Raises
    ------
    UrlError
        If an option is unknown or its value is none of the forms above.
    """
    for name in options:
        if name not in FAULT_OPTIONS:
            known = ", ".join(sorted(FAULT_OPTIONS))
            raise UrlError(f"unknown fault {name!r}: known are {known}")
    error, latency, hang, outage, truncate = (
        options.get(name) for name in ("error", "latency", "hang", "outage", "truncate")
    )
    seed = options.get("seed", "0")
    if not re.fullmatch(r"\d+", seed, re.ASCII):
        raise _bad("seed", seed, "a whole number")
    return Faults(
        error=None if error is None else _parse_error(error),
        latency=None if latency is None else _parse_time("latency", latency),
        hang=frozenset() if hang is None else _parse_hang(hang),
        outage=None if outage is None else _parse_time("outage", outage),
        truncate=None if truncate is None else _parse_truncation(truncate),
        keys=options.get("keys", "*"),
        seed=int(seed),
    )


def _parse_error(text: str) -> ErrorFault:
    expected = "always, random:P, every:N, each with :OPERATIONS or not, or OPERATIONS"
    when, _, rest = text.partition(":")
    if when == "always":
        operations = _parse_operations("error", text, rest)
        return ErrorFault(probability=0, every=1, operations=operations)
    if when == "random":
        number, _, names = rest.partition(":")
        try:
            probability = float(number)
        except ValueError:
            probability = math.nan
        if not 0 <= probability <= 1:
            raise _bad("error", text, "a probability from 0 to 1 after random:")
        operations = _parse_operations("error", text, names)
        return ErrorFault(probability=probability, every=0, operations=operations)
    if when == "every":
        number, _, names = rest.partition(":")
        if not re.fullmatch(r"0*[1-9]\d*", number, re.ASCII):
            raise _bad("error", text, "a whole number from 1 on after every:")
        operations = _parse_operations("error", text, names)
        return ErrorFault(probability=0, every=int(number), operations=operations)
    if not text or not OPERATIONS.issuperset(text.split(",")):
        raise _bad("error", text, expected)
    return ErrorFault(probability=0, every=1, operations=frozenset(text.split(",")))


def _parse_time(name: str, text: str) -> TimeFault:
    number, _, names = text.partition(":")
    match = _DURATION.fullmatch(number)
    if match is None:
        raise _bad(name, text, "a time as 50ms, 5s or 1min")
    seconds = float(match[1]) * _SECONDS[match[2]]
    return TimeFault(seconds=seconds, operations=_parse_operations(name, text, names))


def _parse_hang(text: str) -> frozenset[str]:
    return OPERATIONS if text == "always" else _parse_operations("hang", text, text or "none")


def _parse_truncation(text: str) -> Truncation:
    match = _AMOUNT.fullmatch(text)
    if match is None or (match[2] and int(match[1]) > 100):
        raise _bad("truncate", text, "a number of bytes or a percentage up to 100%")
    return Truncation(limit=int(match[1]), is_percent=bool(match[2]))


def _parse_operations(name: str, text: str, names: str) -> frozenset[str]:
    if not names:
        return OPERATIONS
    operations = frozenset(names.split(","))
    if not operations <= OPERATIONS:
        raise _bad(name, text, f"operations out of {', '.join(sorted(OPERATIONS))}")
    return operations


def _bad(name: str, text: str, expected: str) -> UrlError:
    return UrlError(f"{name}={text!r} is not understood: expected {expected}")
