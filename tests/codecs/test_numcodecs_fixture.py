"""Every array that the numcodecs project keeps encoded decodes to what it was."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.contracts.codec_contract import build, same
from zarrfs.errors import ZarrfsError

if TYPE_CHECKING:
    from zarrfs.codecs.base import Array

ARCHIVE = Path(__file__).parents[1] / "data" / "numcodecs.tar.gz"
TOP = "numcodecs/fixture/"

LOSSY = ("astype", "fixedscaleoffset", "quantize", "zfpy")

REFUSED = {
    "blosc/codec.09": "error during blosc decompression",  # snappy: numcodecs is built without
    "json2/codec.02": "json: is not known to numcodecs",  # what json2 replaced in 2018
    "json2/codec.03": "json: is not known to numcodecs",
}

BLOSC_STORED = 2
"""Flag in a blosc header: nothing was compressed."""

with tarfile.open(ARCHIVE) as _archive:
    CONFIGURATIONS = sorted(
        {
            name.removeprefix(TOP).removesuffix("/config.json")
            for name in _archive.getnames()
            if name.endswith("/config.json")
        }
    )


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    """Return the files of the archive, by name."""
    contents = {}
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            if (file := archive.extractfile(member)) is not None:
                contents[member.name.removeprefix(TOP)] = file.read()
    return contents


def decode(files: dict[str, bytes], encoded: str) -> tuple[Array, Array]:
    """Return the array that was encoded, and what its encoded file decodes to."""
    folder, name = encoded.rsplit("/", 1)
    configuration = json.loads(files[f"{folder}/config.json"])
    name = name.replace("encoded", "array").replace(".dat", ".npy")
    stored = files.get(f"{folder}/{name}") or files[f"{folder.rsplit('/', 1)[0]}/{name}"]
    array = np.load(io.BytesIO(stored), allow_pickle=True)
    codecs: list[Any] = []
    if not array.flags.c_contiguous:  # as Zarr v2 stores order F
        codecs.append({"name": "transpose", "configuration": {"order": "F"}})
    if not array.dtype.hasobject:
        endian = "big" if array.dtype.byteorder == ">" else "little"
        codecs.append({"name": "bytes", "configuration": {"endian": endian}})
    codec_id = configuration.pop("id")
    codecs.append({"name": f"numcodecs.{codec_id}", "configuration": configuration})
    native = array.astype(array.dtype.newbyteorder("="))
    return native, build(codecs, array.shape, native.dtype).decode(files[encoded])


def equal(x: Any, y: Any) -> bool:
    """Whether an object came back."""
    if isinstance(x, float) and np.isnan(x):
        return bool(np.isnan(y))
    return bool(np.array_equal(x, y))


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_encoded_arrays_of_numcodecs_decode_to_what_they_were(
    configuration: str, files: dict[str, bytes]
) -> None:
    codec_id = configuration.split("/")[0]
    members = json.loads(files[f"{configuration}/config.json"])
    tolerance = 10.0 ** -members.get("digits", 4) + 0.6 / members.get("scale", 1e9)
    encoded = sorted(name for name in files if name.startswith(f"{configuration}/encoded."))
    assert encoded
    for name in encoded:
        refusal = REFUSED.get(configuration)
        if refusal and not (codec_id == "blosc" and files[name][2] & BLOSC_STORED):
            with pytest.raises(ZarrfsError, match=refusal):
                decode(files, name)
            continue
        array, decoded = decode(files, name)
        assert (decoded.shape, decoded.dtype) == (array.shape, array.dtype)
        if array.dtype.hasobject:
            assert all(map(equal, array.flat, decoded.flat)), name
        elif codec_id in LOSSY:
            assert np.allclose(array, decoded, rtol=1e-3, atol=tolerance), name
        else:
            assert same(array, decoded), name
