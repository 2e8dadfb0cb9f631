"""The examples of a Markdown page -> one doctest, which runs them in order as a reader would.

Fences ``pycon`` are Python sessions, ``python`` programs without output, ``console`` sessions of
the shell, whose commands begin with ``$``, and go on in lines that begin with ``>``. An error that
a command ends with is shown as what it prints; commands end well unless ``||`` takes it up. Fences
in other languages (``json``, ``toml``, ``text``) are not run, unless a name stands behind the
language: ``toml pyproject.toml`` is written to a file of that name.
"""

from __future__ import annotations

import doctest
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.*\n(?:> .*\n)*)((?:(?!\$ ).*\n)*)", re.MULTILINE)
_FLAGS = {doctest.ELLIPSIS: True, doctest.NORMALIZE_WHITESPACE: False}


def page_test(page: Path, run: Callable[[str], None]) -> doctest.DocTest:
    """Collect the examples of a page; `run` is called with each command of the shell."""
    text = page.read_text("utf-8")
    examples: list[doctest.Example] = []
    for fence in _FENCE.finditer(text):
        language, name, block = fence.groups()
        lineno = text.count("\n", 0, fence.start(3))
        if name:
            examples.append(_example(f"Path({name!r}).write_text({block!r}) and None", "", lineno))
        elif language == "pycon":
            for example in doctest.DocTestParser().get_examples(block, page.name):
                example.lineno += lineno
                example.options |= _FLAGS
                examples.append(example)
        elif language == "python":
            program = f"exec(compile({block!r}, {page.name!r}, 'exec'), globals())"
            examples.append(_example(program, "", lineno))
        elif language == "console":
            examples += _commands(block, lineno)
    names: dict[str, Any] = {"run": run, "Path": type(page), "__name__": page.stem}
    return doctest.DocTest(examples, names, page.name, str(page), 0, text)


def _commands(block: str, lineno: int) -> Iterator[doctest.Example]:
    for match in _COMMAND.finditer(block):
        command = match[1].replace("\n> ", "\n").rstrip("\n")
        yield _example(f"run({command!r})", match[2], lineno + block.count("\n", 0, match.start()))


def _example(source: str, want: str, lineno: int) -> doctest.Example:
    return doctest.Example(f"{source}\n", want, lineno=lineno, options=dict(_FLAGS))
