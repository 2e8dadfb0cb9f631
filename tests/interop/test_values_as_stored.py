"""Numbers that ``scale_offset`` and ``cast_value`` encode: what lies in the chunks is what the
registry's text computes, says zarrs, which has neither codec and is shown the encoded array.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import zarrfs
from tests.interop.cases import CASES
from tests.interop.linting import findings
from tests.interop.strategies import Shape, grids, writes
from tests.interop.zarrs import ZARRS

if TYPE_CHECKING:
    import numpy.typing as npt
    from hypothesis.strategies import DrawFn

    from tests.interop.data_types import Codec

_SOURCES = ("int16", "int32", "int64", "uint8", "float32", "float64", "bfloat16")
_TARGETS = ("int8", "uint8", "int16", "int64", "float16", "float32", "float64")
_LARGEST = 40
"""Small enough for all types, scaled; and whole, so that nothing is lost."""
_STORED_NAN = 127


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """Codecs, and what they do to numbers by the registry's text."""

    source: str
    target: str
    offset: int
    scale: int
    maps_nan: bool

    @property
    def codecs(self) -> list[Codec]:
        """The codecs of the array."""
        members: dict[str, Any] = {"data_type": self.target}
        if self.maps_nan:
            encode, decode = [["NaN", _STORED_NAN]], [[_STORED_NAN, "NaN"]]
            members["scalar_map"] = {"encode": encode, "decode": decode}
        scaling = {"offset": self.offset, "scale": self.scale}
        return [
            {"name": "scale_offset", "configuration": scaling},
            {"name": "cast_value", "configuration": members},
        ]

    def stored(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Encode elements."""
        wide = array.astype("f8")
        encoded = np.where(np.isnan(wide), _STORED_NAN, (wide - self.offset) * self.scale)
        return encoded.astype(self.target)

    def content(self, shape: Shape, seed: int) -> npt.NDArray[Any]:
        """Make elements."""
        rng = np.random.default_rng(seed)
        least = self.offset if self.source.startswith("u") or self.target.startswith("u") else 0
        numbers = rng.integers(least, _LARGEST, shape).astype("f8")
        if self.maps_nan:
            numbers = np.where(rng.random(shape) < 0.2, np.nan, numbers)
        return numbers.astype(self.source)


@st.composite
def values(draw: DrawFn) -> Values:
    source, target = draw(st.sampled_from(_SOURCES)), draw(st.sampled_from(_TARGETS))
    return Values(
        source=source,
        target=target,
        offset=draw(st.sampled_from([0, 10])),
        scale=draw(st.sampled_from([1, 2])),
        maps_nan="int" in target and "float" in source,
    )


@given(values=values(), grid=grids(3), data=st.data())
def test_stored_numbers(
    values: Values, grid: tuple[Shape, tuple[Shape, ...]], data: st.DataObject
) -> None:
    shape, (chunk_shape, *inner) = grid
    endian = data.draw(st.sampled_from(["little", "big"]), label="endian")
    plain: list[Codec] = [{"name": "bytes", "configuration": {"endian": endian}}]
    codecs = plain
    level = data.draw(st.integers(0, len(inner)), label="shards before the codecs")
    for depth in range(len(inner), -1, -1):
        if depth == level:
            codecs = [*values.codecs, *codecs]
        if depth:
            codecs = [_shards(inner[depth - 1], codecs)]
            plain = [_shards(inner[depth - 1], plain)]
    fill_value = values.content((), data.draw(st.integers(0, 99), label="fill value"))[()]
    model = np.full(shape, fill_value, values.source)
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "x.zarr"
        z = zarrfs.create_array(
            directory,
            shape=shape,
            dtype=values.source,
            chunks=chunk_shape,
            codecs=codecs,
            fill_value=fill_value,
        )
        for write in data.draw(writes(shape), label="writes"):
            model[write.region] = values.content(np.shape(model[write.region]), write.seed)
            z[write.region] = model[write.region]
        assert z[...].tobytes() == model.tobytes()
        assert findings(directory) == []
        document = json.loads((directory / "zarr.json").read_text())
        encoded_fill = values.stored(np.asarray(fill_value)).item()
        document |= {"data_type": values.target, "codecs": plain, "fill_value": encoded_fill}
        (directory / "zarr.json").write_text(json.dumps(document))
        read = ZARRS.read(directory, np.dtype(values.target))
        assert read.tobytes() == values.stored(model).tobytes()
    CASES["values as stored"] += 1


def _shards(lengths: Shape, codecs: list[Codec]) -> Codec:
    index_codecs = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
    members = {"chunk_shape": list(lengths), "codecs": codecs, "index_codecs": index_codecs}
    return {"name": "sharding_indexed", "configuration": members}
