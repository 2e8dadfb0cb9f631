from __future__ import annotations

import dataclasses

from benchmarks.rounds import Result, Sample
from benchmarks.table import Spread, ratios, render, render_summary, spread


def a_sample(seconds: float, others: float = 0.0) -> Sample:
    return Sample(seconds=seconds, cpu_seconds=seconds / 2, others=others)


ROUNDS = [
    {"ours": a_sample(1.0), "theirs": a_sample(2.0)},
    {"ours": a_sample(4.0, others=0.9), "theirs": a_sample(6.0)},
    {"ours": a_sample(2.0), "theirs": a_sample(2.0, others=0.2)},
]


def test_spread_is_median_and_range() -> None:
    assert spread([5.0, 1.0, 2.0]) == Spread(median=2.0, low=1.0, high=5.0)
    assert str(spread([0.51234, 0.25, 1.0])) == "0.512 (0.25 to 1)"


def test_ratios_pair_the_samples_of_one_round() -> None:
    assert ratios(ROUNDS, "ours", "theirs") == Spread(median=1.5, low=1.0, high=2.0)


RESULT = Result(title="Read it", nbytes=4_000_000_000, contenders=["ours", "theirs"], rounds=ROUNDS)


def test_table_shows_summary_and_marks_noisy_rounds() -> None:
    lines = render(RESULT).splitlines()
    assert lines[0] == "### Read it"
    assert lines[2].startswith("3 interleaved rounds")
    assert lines[4] == "| | seconds | GB/s | CPU seconds | ours is faster by | noisy rounds |"
    assert lines[6] == "| ours | 2 (1 to 4) | 2.00 | 1 (0.5 to 2) |  | 1 |"
    assert lines[7] == "| theirs | 2 (2 to 6) | 2.00 | 1 (1 to 3) | 1.5 (1 to 2) | 0 |"
    assert lines[-4:] == [
        "| --- | --- | --- |",
        "| 1 | 1.000 | 2.000 |",
        "| 2 | 4.000 * 0.9 | 6.000 |",
        "| 3 | 2.000 | 2.000 |",
    ]
    assert "counted" not in render(RESULT)


def test_table_shows_what_was_counted_by_those_who_did() -> None:
    rounds = [
        {**each, "ours": dataclasses.replace(each["ours"], counts={"decoded": n, "peak": 7})}
        for n, each in enumerate(ROUNDS)
    ]
    lines = render(dataclasses.replace(RESULT, rounds=rounds)).splitlines()
    at = lines.index("| | decoded | peak |")
    assert lines[at + 2 : at + 4] == ["| ours | 1 (0 to 2) | 7 (7 to 7) |", ""]


def test_summary_has_a_line_for_each_peer() -> None:
    lines = render_summary({"read-it": RESULT, "again": RESULT}).splitlines()
    assert lines[-2:] == [
        "| read-it | ours | theirs | 1.5 (1 to 2) | 3 | 1 |",
        "| again | ours | theirs | 1.5 (1 to 2) | 3 | 1 |",
    ]
