"""``npy``: NumPy's own file format, byte for byte what `numpy.save` writes.

Source: NEP 1; `numpy.lib.format`.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from numpy.lib import format as npy_format

from zarrfs.errors import ViewError
from zarrfs.views.segments import FlatSpan, Header, Segments

if TYPE_CHECKING:
    from zarrfs.views.description import ArrayDescription


def npy_segments(array: ArrayDescription) -> Segments:
    """Lay out ``NAME.npy``: NumPy's header and the flat file.

    Raises
    ------
    ViewError
        If a field name cannot be written in NumPy's first two header versions.
    """
    header = {
        "descr": npy_format.dtype_to_descr(array.dtype),
        "fortran_order": False,
        "shape": array.shape,
    }
    # As `numpy.save` does: the oldest version that fits.
    for write in (npy_format.write_array_header_1_0, npy_format.write_array_header_2_0):
        buffer = io.BytesIO()
        try:
            write(buffer, header)
        except ValueError:
            continue
        return Segments(Header(buffer.getvalue()), FlatSpan(0, array.nbytes))
    raise ViewError("the names of its fields do not fit into a .npy header")
