"""A span of bytes in an object: the vocabulary between codecs, arrays and stores."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A span of bytes of one object, counted from its start or, if negative, from its end."""

    offset: int
    """First byte; negative counts from the end, as in ``data[offset:]``."""

    size: int | None = None
    """Bytes wanted; ``None`` is everything from `offset` on."""

    def __post_init__(self) -> None:
        if self.size is not None and self.size < 0:
            raise ValueError(f"a byte range cannot have {self.size} bytes")

    def resolve(self, total: int) -> tuple[int, int]:
        """Start and stop inside an object of `total` bytes; what lies outside is cut off.

        A negative offset that reaches before the first byte starts at byte 0 and
        ends where it would have ended, so that the result never holds bytes that
        were not asked for.
        """
        start = self.offset if self.offset >= 0 else total + self.offset
        stop = total if self.size is None else start + self.size
        start = min(max(start, 0), total)
        return start, min(max(stop, start), total)
