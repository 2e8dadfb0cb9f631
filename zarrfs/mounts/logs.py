"""Where a daemon's log goes: a bounded file in its folder, without secrets."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

LOG_BYTES = 1 << 20
"""Size at which the log is begun anew; the one before is kept beside it as ``log.1``."""

SHORTEST_SECRET = 4
"""Characters; to hide a shorter value would hide half the log and no secret."""

log = logging.getLogger(__name__)


class Formatter(logging.Formatter):
    """Formats records, with the secrets hidden in messages and tracebacks."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._secrets = list(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line or lines of a record."""
        return hide(super().format(record), self._secrets)


def hide(text: str, secrets: Iterable[str]) -> str:
    """Replace each secret in a text by ``***``."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return text


def start_log(
    path: Path, *, debug: bool, secrets: Iterable[str], in_foreground: bool = False
) -> None:
    """Send all log records of this process to a bounded file, or to standard error as well."""
    handlers: list[logging.Handler] = [
        logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=1)
    ]
    if in_foreground:
        handlers.append(logging.StreamHandler())
    root = logging.getLogger()
    for handler in handlers:
        handler.setFormatter(Formatter(secrets))
        root.addHandler(handler)
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda args: _log_uncaught(
        args.exc_type, args.exc_value, args.exc_traceback
    )


def log_stderr() -> None:
    """Turn what C libraries write to standard error (descriptor 2) into log records."""
    reader, writer = os.pipe()
    os.dup2(writer, 2)
    os.close(writer)
    threading.Thread(target=_forward, args=(reader,), name="stderr", daemon=True).start()


def _forward(reader: int) -> None:
    with open(reader, errors="replace") as lines:
        for line in lines:
            log.warning("stderr: %s", line.rstrip())


def _log_uncaught(
    kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None
) -> None:
    log.error("uncaught", exc_info=(kind, error or kind(), traceback))
