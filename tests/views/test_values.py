from __future__ import annotations

import json
from typing import Any, NoReturn

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.errors import ViewError
from zarrfs.views.values import MAX_NESTING, json_text, json_value

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


def strict(text: str) -> Any:
    def refuse(word: str) -> NoReturn:
        pytest.fail(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


@given(JSON)
def test_what_json_has_stays_as_it_is(value: Any) -> None:
    assert strict(json_text(json_value(value))) == value


@given(
    st.recursive(
        st.floats() | st.complex_numbers() | st.binary() | st.text(), lambda i: st.lists(i)
    )
)
def test_text_is_strict_json_whatever_the_value(value: Any) -> None:
    strict(json_text(json_value(value)))


RECORD = np.array(
    (1, np.nan, b"ab", [[1, 2], [3, 4]], (np.datetime64("NaT"), True)),
    [
        ("n", ">i2"),
        ("x", "<f4"),
        ("s", "S3"),
        ("grid", "u1", (2, 2)),
        ("inner", [("t", "<M8[s]"), ("flag", "?")]),
    ],
)[()]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float16("nan"), "NaN"),
        (np.float64("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        (np.float32(-0.0), -0.0),
        (np.float16(0.1), 0.1),
        (np.float32(1e20), 1e20),
        (np.float64(0.1), 0.1),
        (np.complex64(0.1 + 1e20j), [0.1, 1e20]),
        (np.complex64(complex(1, float("nan"))), [1.0, "NaN"]),
        (np.bool_(True), True),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (b"\0\xff", "AP8="),
        (np.bytes_(b"ab"), "YWI="),
        (np.void(b"\0\xff"), "AP8="),
        (np.str_("é"), "é"),
        (ml_dtypes.int4(-3), -3),
        (ml_dtypes.bfloat16(0.5), 0.5),
        (ml_dtypes.float8_e5m2("nan"), "NaN"),
        (np.array(5, "M8[25ns]")[()], 5),
        (np.datetime64("NaT", "s"), "NaT"),
        (np.timedelta64("NaT"), "NaT"),
        (np.timedelta64(-7, "D"), -7),
        (
            RECORD,
            {
                "n": 1,
                "x": "NaN",
                "s": "YWI=",
                "grid": [[1, 2], [3, 4]],
                "inner": {"t": "NaT", "flag": True},
            },
        ),
        ((1, (2, None)), [1, [2, None]]),
        ({1: {"a": float("nan")}}, {"1": {"a": "NaN"}}),
        (range(2), "range(0, 2)"),
    ],
)
def test_values_that_json_has_not_get_the_form_of_fill_values(value: Any, expected: Any) -> None:
    assert json_value(value) == expected
    assert strict(json_text(json_value(value))) == expected


def nested(depth: int) -> Any:
    value: Any = 1
    for i in range(depth):
        value = [value] if i % 2 else {"a": value}
    return value


def test_deep_nesting_is_refused_rather_than_a_recursion_error() -> None:
    assert json_value(nested(MAX_NESTING - 1)) == nested(MAX_NESTING - 1)
    json_text(nested(MAX_NESTING - 1))
    with pytest.raises(ViewError, match="nested more than"):
        json_value(nested(MAX_NESTING))
    with pytest.raises(ViewError, match="nested more than"):
        json_value(nested(50_000))


def test_short_lists_stand_on_one_line_and_others_have_a_line_for_each_item() -> None:
    value = {"shape": [1, 2, 3], "empty": {}, "names": ["x" * 50, "y" * 50], "pairs": [[1], [2]]}
    lines = json_text(value).splitlines()
    assert lines == [
        "{",
        '  "shape": [1, 2, 3],',
        '  "empty": {},',
        '  "names": [',
        f'    "{"x" * 50}",',
        f'    "{"y" * 50}"',
        "  ],",
        '  "pairs": [',
        "    [1],",
        "    [2]",
        "  ]",
        "}",
    ]
