"""A pytest plugin: a test fails on each log record of WARNING or above that it did not expect.

A test that provokes a warning says so through the fixture `expected_logs`; an expected message
that never comes fails the test as well.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator


@dataclass(eq=False)  # logging keeps handlers by identity
class LogCheck(logging.Handler):
    """The records of one test, and what it expects of them."""

    records: list[logging.LogRecord] = field(default_factory=list)
    expected: list[tuple[re.Pattern[str], int | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(level=logging.WARNING)

    def __call__(self, pattern: str, *, times: int | None = None) -> None:
        """Expect messages that match a regular expression.

        Parameters
        ----------
        pattern
            Searched for in ``"LEVEL logger: message"``.
        times
            How many records match; by default at least one.
        """
        self.expected.append((re.compile(pattern), times))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record; called from any thread."""
        self.records.append(record)

    def faults(self) -> list[str]:
        """What differs between the records and the expectation, a line each."""
        lines = [f"{r.levelname} {r.name}: {r.getMessage()}" for r in self.records]
        patterns = [pattern for pattern, _ in self.expected]
        faults = [
            f"unexpected: {line}" for line in lines if not any(p.search(line) for p in patterns)
        ]
        for pattern, times in self.expected:
            found = sum(bool(pattern.search(line)) for line in lines)
            if found == 0 or (times is not None and found != times):
                wanted = "at least one" if times is None else times
                faults.append(f"expected {wanted} matching {pattern.pattern!r}, got {found}")
        return faults


_CHECK = pytest.StashKey[LogCheck]()


@pytest.fixture
def expected_logs(request: pytest.FixtureRequest) -> LogCheck:
    """Call it with a regular expression for each warning that the test provokes."""
    return request.node.stash[_CHECK]  # type: ignore[no-any-return]  # node is untyped


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Listen from the first fixture's set-up to the last one's end."""
    check = item.stash[_CHECK] = LogCheck()
    logging.getLogger().addHandler(check)
    try:
        return (yield)
    finally:
        logging.getLogger().removeHandler(check)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Judge set-up and call together, so that the test itself is what fails."""
    result = yield
    _judge(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Judge what the fixtures' ends logged."""
    check = item.stash[_CHECK]
    check.records.clear()
    check.expected.clear()
    result = yield
    _judge(item)
    return result


def _judge(item: pytest.Item) -> None:
    faults = item.stash[_CHECK].faults()
    if faults:
        pytest.fail("log records differ from what the test expects:\n" + "\n".join(faults))
