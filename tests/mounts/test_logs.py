"""The daemon's log: bounded, without secrets, with what C libraries say."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from zarrfs.mounts.logs import LOG_BYTES, SHORTEST_SECRET, Formatter, hide

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import logging, sys, threading
from pathlib import Path
from zarrfs.mounts.logs import log_stderr, start_log
folder = Path(sys.argv[1])
start_log(folder / "log", debug="debug" in sys.argv, secrets=["s3cret"],
          in_foreground="foreground" in sys.argv)
log = logging.getLogger("test")
"""


def run(folder: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program that logs: it changes logging for its whole process."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM + program, folder, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_records_go_to_the_file(tmp_path: Path) -> None:
    done = run(tmp_path, "log.info('hello'); log.debug('details')")
    assert (done.stdout, done.stderr) == ("", "")
    assert (tmp_path / "log").read_text().endswith("INFO test: hello\n")


def test_debug_tells_more(tmp_path: Path) -> None:
    run(tmp_path, "log.debug('details')", "debug")
    assert "DEBUG test: details" in (tmp_path / "log").read_text()


def test_foreground_tells_on_stderr_too(tmp_path: Path) -> None:
    done = run(tmp_path, "log.info('hello')", "foreground")
    assert "INFO test: hello" in done.stderr
    assert "INFO test: hello" in (tmp_path / "log").read_text()


def test_secrets_are_hidden_in_tracebacks_and_of_uncaught_errors(tmp_path: Path) -> None:
    program = """
try:
    raise ValueError("key s3cret")
except ValueError:
    log.exception("with s3cret")
thread = threading.Thread(target=lambda: [][0], name="s3cret")
thread.start(); thread.join()
raise KeyError("s3cret")
"""
    done = run(tmp_path, program)
    log = (tmp_path / "log").read_text()
    assert done.stderr == ""
    assert "s3cret" not in log
    assert "ValueError: key ***" in log
    assert "IndexError" in log
    assert "KeyError: '***'" in log


def test_words_of_c_libraries_are_logged(tmp_path: Path) -> None:
    program = """
import os
log_stderr()
os.write(2, b"fuse: bad \\xff reply\\n")
os.close(2)
next(t for t in threading.enumerate() if t.name == "stderr").join()
"""
    run(tmp_path, program)
    assert (
        "WARNING zarrfs.mounts.logs: stderr: fuse: bad \ufffd reply"
        in (tmp_path / "log").read_text()
    )


def test_log_is_bounded(tmp_path: Path) -> None:
    run(tmp_path, "for i in range(400): log.info('x' * 10_000)")
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {"log", "log.1"}
    assert max(sizes.values()) <= LOG_BYTES


# No stars: three of them beside one could make up a secret that holds some.
secrets_strategy = st.lists(
    st.text(st.characters(exclude_characters="*"), min_size=SHORTEST_SECRET), min_size=1
)


@given(st.text(), secrets_strategy)
def test_no_secret_remains(text: str, secrets: list[str]) -> None:
    hidden = hide(text.join(secrets), secrets)
    assert not [secret for secret in secrets if secret in hidden]


def test_short_values_are_no_secrets() -> None:
    assert hide("one 1 two", ["1", "", "one two"]) == "one 1 two"


def test_formatter_hides_in_arguments() -> None:
    record = logging.LogRecord("n", logging.INFO, "f", 1, "user %s", ("s3cret",), None)
    assert Formatter(["s3cret"]).format(record).endswith("INFO n: user ***")
