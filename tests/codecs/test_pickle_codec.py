from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.contracts.codec_contract import build, same
from zarrfs.codecs.pickle_codec import PickleCodec
from zarrfs.codecs.registry import register_codec, unregister_codec
from zarrfs.errors import CodecError, MetadataError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator

PICKLE = "numcodecs.pickle"


@pytest.fixture
def trusting() -> Iterator[None]:
    register_codec(PickleCodec, force=True)
    yield
    unregister_codec(PICKLE)


def objects(*elements: Any) -> Any:
    array = np.empty(len(elements), object)
    array[:] = elements
    return array


def test_pickles_are_refused_unless_asked_for() -> None:
    with pytest.raises(UnsupportedError, match=r"codecs.numcodecs.pickle: is refused"):
        build([PICKLE], (2,), "O")


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("protocol", [-1, 0, 5])
def test_objects_come_back(protocol: int) -> None:
    array = objects("a", {"b": [1, None]})
    codec = {"name": PICKLE, "configuration": {"protocol": protocol}}
    pipeline = build([codec, "zstd"], (2,), "O")
    assert same(pipeline.decode(pipeline.encode(array)), array)


@pytest.mark.usefixtures("trusting")
def test_pickle_of_numcodecs_is_read() -> None:
    import numcodecs

    array = objects("a", 3)
    assert same(build([PICKLE], (2,), "O").decode(numcodecs.Pickle().encode(array)), array)


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("value", [objects("a"), ["a", "b"], None])
def test_pickle_of_something_else_is_refused(value: Any) -> None:
    with pytest.raises(CodecError, match="the pickle holds no array of 2 elements"):
        build([PICKLE], (2,), "O").decode(pickle.dumps(value))


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize(
    ("dtype", "configuration", "match"),
    [
        ("i4", {}, "codecs.numcodecs.pickle: encodes objects, not elements of int32"),
        ("O", {"protocol": 9}, "codecs.numcodecs.pickle.protocol: must be an integer"),
        ("O", {"level": 9}, "codecs.numcodecs.pickle.level: is unknown"),
    ],
)
def test_wrong_use_is_refused(dtype: str, configuration: dict[str, Any], match: str) -> None:
    with pytest.raises(MetadataError, match=match):
        build([{"name": PICKLE, "configuration": configuration}], (2,), dtype)
