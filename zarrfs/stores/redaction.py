"""A URL -> the same without secrets, fit for messages and logs."""

from __future__ import annotations

import re

_SECRET_NAME = re.compile(r"key|secret|token|passw|pwd|sig|credential|auth|sas", re.IGNORECASE)
# What stands before the last "@": after "user:" anywhere, since passwords are pasted with "/", "?"
# and "#" unescaped, else in the host's part alone. "host:8080/a@b" has no user.
USER = re.compile(r"://(?:[^/?#@]*:(?!\d+(?:[/?#]|$))[\s\S]*@|(?:[^/?#@]*@)+)")
_OPTION = re.compile(r"([?&;])([^=&;?\s]+)=([^&;\s]*)")


def redact(url: str) -> str:
    """Return a URL fit for messages: ``***`` for user, password and options that sound secret."""

    def hide(match: re.Match[str]) -> str:
        is_secret = _SECRET_NAME.search(match[2]) and match[2] != "keys"
        return f"{match[1]}{match[2]}={'***' if is_secret else match[3]}"

    return _OPTION.sub(hide, USER.sub("://***@", url)) if "://" in url else url
