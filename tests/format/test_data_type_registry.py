"""A data type that another package brings: how it is registered, and that arrays have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from zarrfs.errors import RegistrationError, UnsupportedError
from zarrfs.format.documents import Json, expect_integer, take
from zarrfs.format.dtype_arguments import data_type_of
from zarrfs.format.dtypes import DataType, DataTypeDefinition, ParseInner
from zarrfs.format.dtypes_v2 import serialise_v2_dtype
from zarrfs.format.dtypes_v3 import (
    data_type_info,
    list_data_types,
    parse_v3_dtype,
    register_data_type,
    serialise_v3_dtype,
    unregister_data_type,
)
from zarrfs.format.fill_arguments import fill_value_of
from zarrfs.format.fill_values import (
    default_fill_value,
    parse_v3_fill_value,
    serialise_v3_fill_value,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zarrfs.format.extensions import Extension


@dataclass(frozen=True, slots=True)
class Decimal(DataType):
    """Integers that count parts of ten to some power."""

    digits: int = 0


def parse(extension: Extension, field: str, parse_inner: ParseInner) -> DataType:
    path = f"{field}.configuration"
    digits = take(extension.configuration, "digits", path)
    inner = parse_inner("int64", field)
    return Decimal(
        extension.name, inner.dtype, digits=expect_integer(digits, f"{path}.digits", minimum=0)
    )


def parse_fill_value(value: Json, data_type: DataType, field: str) -> object:
    assert isinstance(data_type, Decimal)
    return np.int64(round(float(value) * 10**data_type.digits))


def serialise_fill_value(value: Any, data_type: DataType) -> Json:
    assert isinstance(data_type, Decimal)
    return str(int(value) / 10**data_type.digits)


def configuration(data_type: DataType) -> Mapping[str, Json]:
    assert isinstance(data_type, Decimal)
    return {"digits": data_type.digits}


DECIMAL = DataTypeDefinition(
    parse=parse,
    configuration=configuration,
    parse_fill_value=parse_fill_value,
    serialise_fill_value=serialise_fill_value,
)
PRICE = {"name": "example.decimal", "configuration": {"digits": 2}}


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    register_data_type("example.decimal", DECIMAL)
    yield
    unregister_data_type("example.decimal")


def test_registered_type_is_parsed_and_written() -> None:
    data_type = parse_v3_dtype(PRICE)
    assert data_type == Decimal("example.decimal", np.dtype("i8"), digits=2)
    assert serialise_v3_dtype(data_type) == PRICE
    assert data_type_of(PRICE) == (data_type, None)


def test_its_fill_values_have_its_own_form() -> None:
    data_type = parse_v3_dtype(PRICE)
    assert parse_v3_fill_value("9.99", data_type) == 999
    assert serialise_v3_fill_value(np.int64(999), data_type) == "9.99"
    assert fill_value_of("9.99", data_type) == 999
    assert default_fill_value(data_type) == 0


def test_it_may_be_a_field_of_a_record() -> None:
    fields = [{"name": "price", "data_type": PRICE}, {"name": "n", "data_type": "uint8"}]
    value = {"name": "struct", "configuration": {"fields": fields}}
    data_type = parse_v3_dtype(value)
    assert serialise_v3_dtype(data_type) == value
    fill: Any = parse_v3_fill_value({"price": "1.5", "n": 1}, data_type)
    assert fill["price"] == 150
    assert serialise_v3_fill_value(fill, data_type) == {"price": "1.5", "n": 1}
    assert fill_value_of(("1.5", 1), data_type) == fill


def test_v2_does_not_have_it() -> None:
    with pytest.raises(UnsupportedError, match=r"v2 has no data type 'example\.decimal'"):
        serialise_v2_dtype(parse_v3_dtype(PRICE))


def test_it_is_gone_when_it_is_unregistered() -> None:
    data_type = parse_v3_dtype(PRICE)
    unregister_data_type("example.decimal")
    try:
        with pytest.raises(UnsupportedError, match=r"zarrfs has no data type 'example\.decimal'"):
            parse_v3_dtype(PRICE)
        with pytest.raises(UnsupportedError, match=r"no data type 'example\.decimal' that zarrfs"):
            serialise_v3_dtype(data_type)
    finally:
        register_data_type("example.decimal", DECIMAL)


def test_built_in_types_are_listed_and_protected() -> None:
    names = list_data_types()
    assert {"bool", "struct", "int4", "complex_float16", "raw_bytes", "string"} <= set(names)
    assert data_type_info("struct").origin == "built in"
    assert data_type_info("example.decimal").origin == "registered"
    with pytest.raises(RegistrationError, match="'int8' is built in; force=True replaces it"):
        register_data_type("int8", DECIMAL)


def test_name_that_begins_like_raw_bits_is_free() -> None:
    register_data_type("r3d", DECIMAL)
    try:
        assert parse_v3_dtype({"name": "r3d", "configuration": {"digits": 1}}).name == "r3d"
    finally:
        unregister_data_type("r3d")
