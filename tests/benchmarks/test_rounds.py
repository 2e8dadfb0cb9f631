from __future__ import annotations

from benchmarks.rounds import Contender, Workload, measure


def test_rounds_are_interleaved_and_the_first_only_warms_up() -> None:
    calls: list[str] = []
    workload = Workload(
        title="nothing",
        nbytes=1,
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
