"""The program: commands, help, errors and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from tests.cli.terminal import run_on_terminal
from zarrfs.cli import main
from zarrfs.cli.main import COMMANDS, cli, run
from zarrfs.errors import MountError, NodeNotFoundError, UrlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


def command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


def test_help_has_every_command_with_its_purpose(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("zarrfs", ["--help"]) == 0
    text = capsys.readouterr().out
    for name in COMMANDS:
        assert f"  {name} " in text
    assert "..." not in text.partition("Commands:")[2]  # purposes fit in the line


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("zarrfs", [name, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"Usage: zarrfs {name}" in text
    assert f"zarrfs {name}" in text.rpartition("Example:")[2]
    options = [p for p in command(name).params if isinstance(p, click.Option)]
    for option in options:
        assert option.help
        assert option.show_default or "[default: " in option.help


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("zarrfs", ["--version"]) == 0
    assert capsys.readouterr().out.startswith("zarrfs, version ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nosuch"],
        ["--nosuch"],
        ["list", "--nosuch"],
        ["mount"],
        ["umount"],
        ["umount", "x", "--timeout", "soon"],
        ["nosuch", "x", "y", "-o", "ro"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("zarrfs", arguments) == 2
    assert "Usage: zarrfs" in capsys.readouterr().err


def test_nothing_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("zarrfs", []) == 2
    assert "Commands:" in capsys.readouterr().err


def failing(error: BaseException) -> Callable[[], None]:
    def fail(*args: object, **values: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("name", "error", "code"),
    [
        ("list", MountError("why\nand more"), 1),
        ("list", NodeNotFoundError("why"), 1),
        ("list", UsageError("why"), 2),
        ("list", UrlError("why"), 2),
        ("mount", MountError("why"), 32),
        ("mount", UrlError("why"), 2),
        ("mount", RuntimeError("why"), 32),
        ("umount", MountError("why"), 32),
        ("list", KeyboardInterrupt(), 130),
        ("list", BrokenPipeError(), 1),
    ],
)
def test_errors_have_codes_and_no_traceback(
    name: str,
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command(name), "callback", failing(error))
    arguments = {"list": [], "mount": ["x", "y"], "umount": ["x"]}[name]
    assert run("zarrfs", [name, *arguments]) == code
    text = capfd.readouterr().err
    assert "Traceback" not in text
    if isinstance(error, Exception) and not isinstance(error, BrokenPipeError):
        assert text.startswith("zarrfs: ")
        assert "why" in text


def test_unexpected_error_tells_how_to_see_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command("list"), "callback", failing(RuntimeError("a bug")))
    assert run("zarrfs", ["list"]) == 1
    assert capsys.readouterr().err == (
        "zarrfs: unexpected RuntimeError: a bug; `zarrfs --debug …` shows where\n"
    )


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command("list"), "callback", failing(MountError("why")))
    with pytest.raises(MountError):
        run("zarrfs", ["--debug", "list"])


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("mount.zarrfs", ["x", "/m"]),
        ("mount.fuse.zarrfs", ["x", "/m", "-o", "rw"]),
        ("fuse.zarrfs", ["x", "/m"]),
        ("zarrfs", ["x", "/m", "-o", "rw,dev,suid"]),
        ("zarrfs", ["x", "/m", "-o", "rw", "-v"]),
        ("zarrfs", ["list", "/m", "-o", "rw"]),
    ],
)
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (UsageError("why"), 1),
        (UrlError("why"), 1),
        (MountError("why"), 32),
        (RuntimeError("why"), 32),
    ],
)
def test_helper_of_mount_has_its_own_codes(
    program: str,
    arguments: list[str],
    error: Exception | None,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from zarrfs.mounts import mount_helper

    calls = []

    def mount_as_helper(given: list[str]) -> list[str]:
        calls.append(list(given))
        if error is not None:
            raise error
        return ["a note"]

    monkeypatch.setattr(mount_helper, "mount_as_helper", mount_as_helper)
    assert run(program, arguments) == code
    assert calls == [arguments]
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["info", "x", "-o", "a=b", "--json"], ["mount", "x", "/m", "-o", "rw"]]
)
def test_command_with_options_is_no_helper_call(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "_run_helper", failing(AssertionError("called as a helper")))
    monkeypatch.setattr(command(arguments[0]), "callback", lambda **values: None)
    assert run("zarrfs", arguments) == 0


def test_help_is_quick_as_it_imports_little() -> None:
    """numpy, trio and the codecs take a third of a second."""
    code = (
        "import sys; from zarrfs.cli.main import run; run('zarrfs', ['--help'])\n"
        "import json; print('\\n' + json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    modules = set(json.loads(done.stdout.splitlines()[-1]))
    assert "click" in modules
    assert not modules & {"numpy", "trio", "pyfuse3", "numcodecs", "fsspec", "asyncio"}


def test_module_is_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zarrfs", "nosuch"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "No such command 'nosuch'" in done.stderr


def test_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; from zarrfs.cli.main import run\n"
         "sys.stdin.read(); sys.exit(run('zarrfs', ['doctor']))"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        process.stdout.close()
        assert process.stdin
        process.stdin.close()
        assert process.stderr
        assert process.stderr.read() == ""


@pytest.mark.parametrize(("no_color", "is_coloured"), [(None, True), ("", True), ("1", False)])
def test_colours_are_for_terminals_that_want_them(
    no_color: str | None, is_coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    _, output = run_on_terminal([sys.executable, "-m", "zarrfs", "doctor"], "stdout")
    assert b"FUSE device" in output
    assert (b"\x1b[" in output) == is_coloured


def test_no_colours_in_pipes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zarrfs", "doctor"], capture_output=True, check=False, timeout=60
    )
    assert b"\x1b[" not in done.stdout
