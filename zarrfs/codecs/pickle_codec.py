"""Codec ``pickle`` of Zarr v2: Python objects <-> a pickle. Decoding one can run any program.

So zarrfs refuses it, until a program that trusts its stores asks for it by name::

    zarrfs.register_codec(zarrfs.codecs.pickle_codec.PickleCodec, force=True)
"""

from __future__ import annotations

import math
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from zarrfs.codecs.base import Array, ArrayBytesCodec, Buffer, BytesSpec, ChunkSpec
from zarrfs.errors import MetadataError
from zarrfs.format.documents import expect_integer, refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class PickleCodec(ArrayBytesCodec):
    """Pickles arrays of objects."""

    name = "numcodecs.pickle"
    spec: ChunkSpec
    encoded_spec: BytesSpec
    protocol: int

    @classmethod
    def from_configuration(cls, configuration: Mapping[str, Any], spec: ChunkSpec) -> Self:
        """Build it from ``{"protocol": 0…5}``; -1 is the highest."""
        field = f"codecs.{cls.name}"
        refuse_unknown(configuration, ("protocol",), field)
        if not spec.dtype.hasobject:
            raise MetadataError(f"encodes objects, not elements of {spec.dtype}", field=field)
        protocol = expect_integer(
            configuration.get("protocol", 5), f"{field}.protocol", minimum=-1, maximum=5
        )
        return cls(spec=spec, encoded_spec=BytesSpec(), protocol=protocol)

    def encode(self, array: Array) -> Buffer:
        """Pickle a chunk."""
        return pickle.dumps(array, protocol=self.protocol)

    def decode(self, data: Buffer) -> Array:
        """Unpickle a chunk."""
        elements = pickle.loads(data)
        size = math.prod(self.spec.shape)
        if not isinstance(elements, np.ndarray) or elements.size != size:
            raise ValueError(f"the pickle holds no array of {size} elements")
        array = np.empty(self.spec.shape, object)
        array[...] = elements.reshape(self.spec.shape)
        return array
