"""The program in this process, for the tests of the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zarrfs.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Program = Callable[..., tuple[int, str, str]]


@pytest.fixture
def zarrfs(capsys: pytest.CaptureFixture[str]) -> Program:
    """The program, in this process: exit code, output, messages."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        code = run("zarrfs", [str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call
