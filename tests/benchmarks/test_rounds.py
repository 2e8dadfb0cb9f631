from __future__ import annotations

import pytest

from benchmarks.rounds import ATTEMPTS, Contender, Counts, SpoiledError, Workload, measure


def test_rounds_are_interleaved_and_the_first_only_warms_up() -> None:
    calls: list[str] = []
    workload = Workload(
        title="nothing",
        nbytes=0,
        contenders=[
            Contender(
                name="a",
                prepare=lambda: calls.append("prepare"),
                run=lambda: calls.append("a"),
                count=lambda: {"calls": len(calls)},
            ),
            Contender(name="b", run=lambda: calls.append("b")),
        ],
    )
    result = measure(workload, 2)
    assert calls == ["prepare", "a", "b"] * 3
    assert result.contenders == ["a", "b"]
    assert [list(each) for each in result.rounds] == [["a", "b"]] * 2
    assert [each["a"].counts for each in result.rounds] == [{"calls": 5}, {"calls": 8}]
    assert all(
        sample.seconds > 0 and sample.cpu_seconds >= 0 and sample.others >= 0
        for each in result.rounds
        for sample in each.values()
    )


def spoiled(n_spoiled: int) -> tuple[Contender, list[str]]:
    """Spoil so many runs."""
    calls: list[str] = []

    def count() -> Counts:
        calls.append("count")
        if len(calls) <= 3 * n_spoiled:
            raise SpoiledError
        return {"calls": len(calls)}

    return Contender(
        name="a",
        prepare=lambda: calls.append("prepare"),
        run=lambda: calls.append("run"),
        count=count,
    ), calls


def test_a_run_that_is_spoiled_is_measured_again() -> None:
    contender, calls = spoiled(ATTEMPTS - 1)
    result = measure(Workload(title="spoiled", nbytes=1, contenders=[contender]), 1)
    assert calls == ["prepare", "run", "count"] * (ATTEMPTS + 1)
    assert [each["a"].counts for each in result.rounds] == [{"calls": len(calls)}]


def test_runs_that_are_all_spoiled_are_an_error() -> None:
    contender, _ = spoiled(ATTEMPTS)
    with pytest.raises(SpoiledError):
        measure(Workload(title="spoiled", nbytes=1, contenders=[contender]), 1)
