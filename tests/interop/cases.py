"""How many random cases the tests of this process have run to their end."""

from __future__ import annotations

from collections import Counter

CASES: Counter[str] = Counter()
"""By what they check."""
