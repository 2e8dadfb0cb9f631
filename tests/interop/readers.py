"""zarr-python and tensorstore as readers: an array in a directory -> a NumPy array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorstore as ts
import zarr

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt


def read_with_zarr_python(directory: Path, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    return np.asarray(zarr.open_array(directory, mode="r")[...], dtype)


def read_with_tensorstore(directory: Path, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    driver = "zarr3" if (directory / "zarr.json").exists() else "zarr"
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": str(directory)}}

    def read(**field: str) -> npt.NDArray[Any]:
        values: npt.NDArray[Any] = ts.open({**spec, **field}, open=True).result().read().result()
        return values

    if dtype.names is None:
        return read()
    fields = {name: read(field=name) for name in dtype.names}  # it has them one by one
    record = np.empty(next(iter(fields.values())).shape, dtype)
    for name, values in fields.items():
        record[name] = values
    return record
