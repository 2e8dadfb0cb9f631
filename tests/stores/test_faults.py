"""Options of a fault+ URL: every form is read, everything else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.errors import UrlError
from zarrfs.stores.faults import (
    FAULT_OPTIONS,
    OPERATIONS,
    ErrorFault,
    Faults,
    TimeFault,
    Truncation,
    parse_faults,
)

GET = frozenset({"get"})


def test_no_options_are_no_faults() -> None:
    assert parse_faults({}) == Faults()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("always", ErrorFault(probability=0, every=1, operations=OPERATIONS)),
        ("always:get", ErrorFault(probability=0, every=1, operations=GET)),
        ("get,set", ErrorFault(probability=0, every=1, operations=frozenset({"get", "set"}))),
        ("random:0.25", ErrorFault(probability=0.25, every=0, operations=OPERATIONS)),
        ("random:1:get", ErrorFault(probability=1, every=0, operations=GET)),
        ("every:3", ErrorFault(probability=0, every=3, operations=OPERATIONS)),
        ("every:10:get", ErrorFault(probability=0, every=10, operations=GET)),
    ],
)
def test_error_is_read(text: str, expected: ErrorFault) -> None:
    assert parse_faults({"error": text}) == Faults(error=expected)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("50ms", 0.05), ("5s", 5), ("1.5s", 1.5), ("1min", 60), ("1us", 1e-6), ("0s", 0)],
)
def test_times_are_read(text: str, seconds: float) -> None:
    for_all = TimeFault(seconds=seconds, operations=OPERATIONS)
    assert parse_faults({"latency": text}) == Faults(latency=for_all)
    for_get = TimeFault(seconds=seconds, operations=GET)
    assert parse_faults({"outage": f"{text}:get"}) == Faults(outage=for_get)


def test_hang_truncate_keys_and_seed_are_read() -> None:
    assert parse_faults({"hang": "always"}).hang == OPERATIONS
    assert parse_faults({"hang": "get,list"}).hang == {"get", "list"}
    assert parse_faults({"truncate": "100"}).truncate == Truncation(limit=100, is_percent=False)
    assert parse_faults({"truncate": "50%"}).truncate == Truncation(limit=50, is_percent=True)
    assert parse_faults({"keys": "*/c/*"}).keys == "*/c/*"
    assert parse_faults({"seed": "7"}).seed == 7


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("error", ""),
        ("error", "sometimes"),
        ("error", "get,put"),
        ("error", "always:put"),
        ("error", "random"),
        ("error", "random:1.1"),
        ("error", "random:-0.1"),
        ("error", "random:nan"),
        ("error", "random:x"),
        ("error", "every:0"),
        ("error", "every:-1"),
        ("error", "every:x"),
        ("error", "every:2:put"),
        ("latency", ""),
        ("latency", "50"),
        ("latency", "-5s"),
        ("latency", "5 s"),
        ("latency", "5s:put"),
        ("outage", "1h"),
        ("hang", ""),
        ("hang", "1"),
        ("truncate", ""),
        ("truncate", "-1"),
        ("truncate", "101%"),
        ("truncate", "half"),
        ("seed", "x"),
        ("seed", "-1"),
    ],
)
def test_other_values_are_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(UrlError, match="is not understood: expected ") as caught:
        parse_faults({name: text})
    assert str(caught.value).startswith(f"{name}={text!r}")


def test_unknown_option_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UrlError, match="unknown fault 'erorr'") as caught:
        parse_faults({"erorr": "always"})
    assert all(name in str(caught.value) for name in FAULT_OPTIONS)


@given(st.sampled_from(sorted(FAULT_OPTIONS)), st.text(max_size=12))
def test_any_text_is_read_or_refused(name: str, text: str) -> None:
    try:
        assert isinstance(parse_faults({name: text}), Faults)
    except UrlError as error:
        assert name in str(error)  # noqa: PT017 most texts are refused, not all


@given(st.integers(0, 10_000), st.integers(0, 100))
def test_truncation_never_gives_more_than_asked(asked: int, limit: int) -> None:
    percent = Truncation(limit=limit, is_percent=True).size(asked)
    assert percent == asked * limit // 100 <= asked
    assert Truncation(limit=limit, is_percent=False).size(asked) == min(asked, limit)
