"""Malformed and hostile nodes: one line that names node, member, value and rule; in little time
and memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import zarrfs
from tests.refusals.conftest import CASES, Outcome
from tests.refusals.refusal import GROUP, Refusal
from tests.refusals.texts import ODD
from zarrfs.api.array import Array
from zarrfs.api.verification import verify
from zarrfs.cli.main import run

if TYPE_CHECKING:
    from pathlib import Path

MOST_MEMORY = 200 * 2**20
MOST_SECONDS = 2.0
MOST_CHARACTERS = 700

BY_NAME = {case.name: case for case in CASES}


def assert_is_one_line_with(words: tuple[str, ...], line: str) -> None:
    assert line.isprintable()
    assert len(line) <= MOST_CHARACTERS
    position = 0
    for word in words:
        found = line.find(word, position)
        assert found >= 0, f"{word!r} is missing in: {line}"
        position = found + len(word)


def test_names_are_distinct() -> None:
    assert len(BY_NAME) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_python_raises_an_error_that_says_what_is_wrong(
    case: Refusal, outcomes: dict[str, Outcome]
) -> None:
    outcome = outcomes[case.name]
    assert outcome.errors[:1] == [case.error.__name__], outcome.line
    assert outcome.stage == case.at
    key = f"all.zarr/{case.name}/" if case.at == "open" else f"'{case.name}/"
    assert_is_one_line_with((key, *case.words), outcome.line)


def test_each_takes_little_time_and_memory(outcomes: dict[str, Outcome]) -> None:
    assert outcomes.keys() >= BY_NAME.keys()
    took_much = [
        outcome
        for outcome in outcomes.values()
        if outcome.seconds > MOST_SECONDS or outcome.peak > MOST_MEMORY
    ]
    assert took_much == []


def test_the_good_node_among_them_is_read(outcomes: dict[str, Outcome]) -> None:
    assert (outcomes["good"].stage, outcomes["good"].errors) == ("end", [])


@pytest.mark.parametrize("name", [case.name for case in CASES if case.at == "open"])
def test_info_tells_it(name: str, hostile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run("zarrfs", ["info", str(hostile / name)])
    output, errors = capsys.readouterr()
    if code:
        assert_is_one_line_with(("zarrfs: ", "nested more than 100 deep"), errors.rstrip("\n"))
        return
    assert not errors
    line = next(line for line in output.splitlines() if f"{name}/" in line)
    assert_is_one_line_with(BY_NAME[name].words, line)


def test_verify_finds_them_all_and_goes_on(hostile: Path) -> None:
    found = verify(hostile)
    bad = {fault.array.removeprefix("/"): fault for fault in found.bad}
    assert bad.keys() == BY_NAME.keys()
    assert found.n_bad == len(found.bad)
    for name, fault in bad.items():
        assert fault.key.startswith(f"{name}/")
        assert fault.reason.isprintable()


def test_verify_prints_a_line_for_each(hostile: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("zarrfs", ["verify", str(hostile)]) == 1
    output, errors = capsys.readouterr()
    assert "Traceback" not in output + errors
    lines = [line for line in output.splitlines() if line.startswith("bad")]
    assert {line.split()[1].split("/")[0] for line in lines} == BY_NAME.keys()


@pytest.mark.parametrize(("name", "document"), ODD.items(), ids=list(ODD))
def test_what_is_only_unusual_is_read(name: str, document: bytes, tmp_path: Path) -> None:
    (tmp_path / "zarr.json").write_bytes(GROUP)
    (tmp_path / name).mkdir()
    (tmp_path / name / "zarr.json").write_bytes(document)
    array = zarrfs.open(tmp_path / name)
    assert isinstance(array, Array)
    assert array[...].tolist() == [0, 0, 0, 0]
