"""The other programs by name."""

from __future__ import annotations

from tests.interop.tensor_store import TENSORSTORE
from tests.interop.zarr_python import ZARR_PYTHON
from tests.interop.zarrs import ZARRS

PROGRAMS = {program.name: program for program in (ZARR_PYTHON, TENSORSTORE, ZARRS)}
