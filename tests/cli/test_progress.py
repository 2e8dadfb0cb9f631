"""How far long work is, where nobody looks at a terminal."""

from __future__ import annotations

import io
import sys
import time
from typing import TYPE_CHECKING

from zarrfs.cli.progress import Progress

if TYPE_CHECKING:
    import pytest


def test_plain_lines_come_now_and_then_and_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 1.0, 11.0, 12.0, 13.0, 14.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with Progress("reading", str) as bar:
        for n_done in (1, 2, 3, 4, 4):
            bar.update(n_done, 4)
    assert capsys.readouterr().err.splitlines() == [
        "zarrfs: reading: 50 % (2 of 4)",
        "zarrfs: reading: 100 % (4 of 4)",
    ]


def test_nothing_to_do_is_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("reading", str) as bar:
        bar.update(0, 0)
    assert capsys.readouterr().err == "zarrfs: reading: 100 % (0 of 0)\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_terminal_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress("reading", str) as bar:
        bar.update(1, 2)
        bar.update(2, 2)
    assert "reading  [####################################]  100%" in terminal.getvalue()
    assert "\r" in terminal.getvalue()


def test_terminal_without_steps_stays_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress("reading", str):
        pass
    assert terminal.getvalue() == ""
