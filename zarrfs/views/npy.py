"""``npy``: NumPy's own file format, byte for byte what `numpy.save` writes.

Source: NEP 1; `numpy.lib.format`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from numpy.lib import format as npy_format

from zarrfs.errors import ViewError
from zarrfs.views.segments import FlatSpan, Header, Segments

if TYPE_CHECKING:
    from zarrfs.views.description import ArrayDescription

# The header ends where the data is aligned for any type and vector unit.
_ALIGNMENT = 64

# Room for the first length to grow to any 64-bit number, so that NumPy can append in place.
_GROWTH_DIGITS = 21


def npy_segments(array: ArrayDescription) -> Segments:
    """Lay out ``NAME.npy``: NumPy's header and the flat file.

    The types of ml_dtypes are raw bytes to NumPy's format (``<V1``), and load as these.

    Raises
    ------
    ViewError
        If NumPy writes a name of the type that it cannot load: float8_e5m2.
    """
    descr = npy_format.dtype_to_descr(array.dtype)
    try:
        npy_format.descr_to_dtype(descr)
    except (TypeError, ValueError) as error:
        raise ViewError(f"NumPy cannot load {array.dtype} from such a file") from error
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {array.shape!r}, }}"
    if array.shape:
        text += " " * (_GROWTH_DIGITS - len(repr(array.shape[0])))
    return Segments(Header(_header(text)), FlatSpan(0, array.nbytes))


def _header(text: str) -> bytes:
    """Return magic, size and text, padded; of the oldest version that can hold the text."""
    version, size_bytes = (1, 0), 2
    try:
        encoded = text.encode("latin1")
    except UnicodeEncodeError:
        version, size_bytes, encoded = (3, 0), 4, text.encode()
    if size_bytes == 2 and _padded_size(encoded, 2) >= 2**16:
        version, size_bytes = (2, 0), 4
    size = _padded_size(encoded, size_bytes)
    start = npy_format.magic(*version) + size.to_bytes(size_bytes, "little")
    return start + encoded.ljust(size - 1) + b"\n"


def _padded_size(encoded: bytes, size_bytes: int) -> int:
    size = len(encoded) + 1
    return size + _ALIGNMENT - (npy_format.MAGIC_LEN + size_bytes + size) % _ALIGNMENT
