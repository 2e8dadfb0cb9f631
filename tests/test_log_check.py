"""The log check, run by a pytest of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

TESTS = """
import logging
import threading
import pytest

log = logging.getLogger("zarrfs.test")

@pytest.fixture
def noisy_setup():
    log.warning("from set-up")

@pytest.fixture
def noisy_teardown():
    yield
    log.error("from teardown")

def test_pass_info():
    log.info("nothing to see")

def test_pass_expected(expected_logs):
    expected_logs("bad chunk")
    log.warning("bad chunk %d", 7)

def test_pass_expected_twice(expected_logs):
    expected_logs(r"^ERROR zarrfs\\.test: no", times=2)
    log.error("no"); log.error("no")

def test_pass_expected_setup(noisy_setup, expected_logs):
    expected_logs("from set-up")

def test_fail_unexpected():
    log.warning("surprise")

def test_fail_unexpected_setup(noisy_setup):
    pass

def test_fail_unexpected_thread():
    thread = threading.Thread(target=log.error, args=("in a thread",))
    thread.start(); thread.join()

def test_fail_other_than_expected(expected_logs):
    expected_logs("bad chunk")
    log.warning("bad chunk"); log.warning("bad shard")

def test_fail_never_came(expected_logs):
    expected_logs("bad chunk")

def test_fail_too_often(expected_logs):
    expected_logs("no", times=1)
    log.error("no"); log.error("no")

def test_error_teardown(noisy_teardown):
    pass
"""


def test_fails_each_test_whose_log_differs_from_what_it_expects(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess("-p", "tests.log_check", "-rA")
    # The test whose fixture complains at the end has passed by then, and is an error as well.
    result.assert_outcomes(passed=5, failed=6, errors=1)
    passed = [line for line in result.outlines if line.startswith("PASSED")]
    assert sum("::test_pass" in line for line in passed) == 4
    failed = [line for line in result.outlines if line.startswith("FAILED")]
    assert sum("::test_fail" in line for line in failed) == 6
    result.stdout.fnmatch_lines(["ERROR *::test_error_teardown*"])
    result.stdout.fnmatch_lines(["*unexpected: WARNING zarrfs.test: surprise"])
    result.stdout.fnmatch_lines(["*unexpected: WARNING zarrfs.test: bad shard"])
    result.stdout.fnmatch_lines(["*expected at least one matching 'bad chunk', got 0"])
    result.stdout.fnmatch_lines(["*expected 1 matching 'no', got 2"])
