"""The examples of a Markdown page -> one doctest, which runs them in order as a reader would.

Fences ``pycon`` are Python sessions, ``python`` programs without output, ``console`` sessions of
the shell, whose commands begin with ``$``, and go on in lines that begin with ``>``; they end well
unless ``||`` takes it up. Fences in other languages (``sh``, ``toml``, ``text``) are not run.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.*\n(?:> .*\n)*)((?:(?!\$ ).*\n)*)", re.MULTILINE)
_FLAGS = {doctest.ELLIPSIS: True, doctest.NORMALIZE_WHITESPACE: False}


# Commands are those of the environment that runs the tests.
ENVIRONMENT = os.environ | {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    "PYTHONWARNINGS": "error",
}

# On a terminal it is shown in place, and gone in the end.
_PROGRESS = re.compile(r"^zarrfs: .*: [0-9]+ % \(.*\)\n", re.MULTILINE)


def check_page(page: Path, text: str) -> int:
    """Run the examples of a page here; return how many there are.

    Parameters
    ----------
    page
        For messages.
    text
        Of the page, perhaps with other paths than readers see.
    """
    test = _test(page, text)
    report: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert results.failed == 0, "\n" + "".join(report)
    return len(test.examples)


def run(command: str) -> None:
    """Run a command of the shell; print what it says on either stream, but for progress."""
    result = subprocess.run(
        ["sh", "-c", command],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(_PROGRESS.sub("", result.stdout), end="")
    if result.returncode:
        print(f"exit code {result.returncode}")


def _test(page: Path, text: str) -> doctest.DocTest:
    examples: list[doctest.Example] = []
    for fence in _FENCE.finditer(text):
        language, block = fence.groups()
        lineno = text.count("\n", 0, fence.start(2))
        if language == "pycon":
            for example in doctest.DocTestParser().get_examples(block, page.name):
                example.lineno += lineno
                example.options |= _FLAGS
                examples.append(example)
        elif language == "python":
            program = f"exec(compile({block!r}, {page.name!r}, 'exec'), globals())"
            examples.append(_example(program, "", lineno))
        elif language == "console":
            examples += _commands(block, lineno)
    names = {"run": run, "Path": Path, "__name__": page.stem}
    return doctest.DocTest(examples, names, page.name, str(page), 0, text)


def _commands(block: str, lineno: int) -> Iterator[doctest.Example]:
    for match in _COMMAND.finditer(block):
        command = match[1].replace("\n> ", "\n").rstrip("\n")
        yield _example(f"run({command!r})", match[2], lineno + block.count("\n", 0, match.start()))


def _example(source: str, want: str, lineno: int) -> doctest.Example:
    return doctest.Example(f"{source}\n", want, lineno=lineno, options=dict(_FLAGS))
