"""Codecs that work by being installed, or by being registered with numcodecs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numcodecs
import numcodecs.registry
import numpy as np
import pytest

import zarrfs
from tests.codecs.example_codecs import LITTLE, codec, v2_pipeline
from tests.contracts.codec_contract import build, random_array, same
from zarrfs.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = '''
"""Codecs, as a package of its own has them."""
import numpy as np
import numcodecs.abc
import zarrfs

class Inverted(zarrfs.BytesBytesCodec):
    """Flips all bits."""
    name = "installed.inverted"
    def encode(self, data):
        return (~np.frombuffer(data, np.uint8)).tobytes()
    def decode(self, data, out=None):
        return self.encode(data)

class OfNumcodecs(numcodecs.abc.Codec):
    """Flips all bits for numcodecs."""
    codec_id = "installed_inverted"
    def encode(self, buf):
        return ~np.frombuffer(buf, np.uint8)
    def decode(self, buf, out=None):
        return ~np.frombuffer(buf, np.uint8)
'''
ENTRY_POINTS = """
[zarrfs.codecs]
installed.inverted = codecs_of_a_package:Inverted
installed.broken = codecs_of_no_package:Lost
installed.nonsense = codecs_of_a_package:PACKAGE
[numcodecs.codecs]
installed_inverted = codecs_of_a_package:OfNumcodecs
installed_broken = codecs_of_no_package:Lost
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with entry points, found as pip's are: by its metadata on the search path."""
    (tmp_path / "codecs_of_a_package.py").write_text(PACKAGE + "PACKAGE = 'no class'\n")
    metadata = tmp_path / "codecs_of_a_package-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: codecs-of-a-package\nVersion: 1.0\n"
    )
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    numcodecs.registry.run_entrypoints()
    yield
    monkeypatch.undo()
    numcodecs.registry.run_entrypoints()
    numcodecs.registry.codec_registry.pop("installed_inverted", None)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "name",
    [
        "installed.inverted",
        "numcodecs.installed.inverted",
        "installed_inverted",
        "numcodecs.installed_inverted",
    ],
)
def test_codec_of_an_installed_package_works_by_being_installed(name: str) -> None:
    pipeline = build(["bytes", codec(name), "crc32c"], (3,), "u1")
    encoded = bytes(pipeline.encode(np.arange(3, dtype="u1")))
    assert encoded[:3] == bytes([255, 254, 253])
    assert pipeline.decode(encoded).tolist() == [0, 1, 2]
    info = zarrfs.codec_info(name)
    assert (info.origin, info.kind, info.is_available) == ("installed", "bytes -> bytes", True)
    assert info.description.startswith("Flips all bits")
    assert {"installed.inverted", "numcodecs.installed_inverted"} <= set(zarrfs.list_codecs())


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("codec_id", ["installed.inverted", "installed_inverted"])
def test_codec_of_an_installed_package_works_in_v2(codec_id: str) -> None:
    array = random_array((4, 3), np.dtype("i4"), 1)
    for filters, compressor in (([{"id": codec_id}], None), (None, {"id": codec_id})):
        pipeline = v2_pipeline("<i4", filters, compressor)
        encoded = pipeline.encode(array)
        assert bytes(encoded) == bytes(255 - byte for byte in array.tobytes())
        assert same(pipeline.decode(encoded), array)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["installed.broken", "installed_broken", "installed.nonsense"])
def test_package_that_cannot_be_imported_or_has_no_class_is_an_unsupported_codec(
    name: str,
) -> None:
    reason = "is no subclass" if name == "installed.nonsense" else "cannot be imported: No module"
    for used in (name, f"numcodecs.{name}"):
        with pytest.raises(UnsupportedError, match=reason):
            build([LITTLE, codec(used)], (4,), "i4")
        optional = {**codec(used), "must_understand": False}
        assert build([LITTLE, optional], (4,), "i4").bytes_bytes == ()
        info = zarrfs.codec_info(used)
        assert not info.is_available
        assert reason in info.description
    assert name not in zarrfs.available_codecs()


def test_codec_registered_with_numcodecs_works_in_both_formats() -> None:
    class Added(numcodecs.abc.Codec):  # type: ignore[misc]  # numcodecs has no types
        """Adds one to each byte."""

        codec_id = "example_added"

        def encode(self, buf: Any) -> Any:
            return np.frombuffer(buf, np.uint8) + np.uint8(1)

        def decode(self, buf: Any, out: Any = None) -> Any:
            return np.frombuffer(buf, np.uint8) - np.uint8(1)

    numcodecs.register_codec(Added)
    try:
        for name in ("example_added", "numcodecs.example_added"):
            encoded = build(["bytes", codec(name), "zstd"], (3,), "u1").encode(
                np.arange(3, dtype="u1")
            )
            assert build(["bytes", codec(name), "zstd"], (3,), "u1").decode(encoded)[2] == 2
            assert zarrfs.codec_info(name).origin == "registered"
        pipeline = v2_pipeline("<i4", None, {"id": "example_added"})
        array = random_array((4, 3), np.dtype("i4"), 1)
        assert same(pipeline.decode(pipeline.encode(array)), array)
    finally:
        del numcodecs.registry.codec_registry["example_added"]


def test_codec_of_another_package_that_took_an_id_of_numcodecs_is_honoured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Other(numcodecs.abc.Codec):  # type: ignore[misc]  # numcodecs has no types
        """Not what numcodecs has under this id."""

        codec_id = "zlib"

        def encode(self, buf: Any) -> Any:
            return b"other" + bytes(buf)

        def decode(self, buf: Any, out: Any = None) -> Any:
            return bytes(buf)[5:]

    monkeypatch.setitem(numcodecs.registry.codec_registry, "zlib", Other)
    pipeline = build(["bytes", codec("numcodecs.zlib")], (3,), "u1")
    assert pipeline.encode(np.arange(3, dtype="u1")) == b"other\0\1\2"
    assert pipeline.decode(b"other\0\1\2").tolist() == [0, 1, 2]
