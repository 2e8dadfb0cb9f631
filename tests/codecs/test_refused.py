from __future__ import annotations

import pytest

from tests.contracts.codec_contract import build
from zarrfs.codecs.refused import REFUSED
from zarrfs.errors import UnsupportedError


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_codec_is_refused_with_its_reason(name: str) -> None:
    with pytest.raises(UnsupportedError, match=f"codecs.{name}: is ") as caught:
        build(["bytes", name], (2,), "u1")
    assert caught.value.reason == REFUSED[name]


def test_codec_that_need_not_be_understood_is_left_out() -> None:
    codec = {"name": "zarrs.gdeflate", "must_understand": False}
    assert build(["bytes", codec], (2,), "u1").decode(b"ab").tolist() == [97, 98]
