"""A mount finds the store of an installed package, which no program has registered."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np

from tests.docs.package import install
from tests.mounted.mounting import mounted

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

WRITER = """
import sys, numpy, zarrfs
zarrfs.create_group(sys.argv[1])
zarrfs.save(f"{sys.argv[1]}/a/b", numpy.arange(1000, dtype="i4").reshape(20, 50), chunks=(7, 8))
"""


def test_store_of_an_installed_package_is_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    url = f"table://{tmp_path}/lab.db"
    subprocess.run([sys.executable, "-W", "error", "-c", WRITER, url], check=True)

    with mounted(url, tmp_path / "mnt") as mount:
        shown = np.load(mount.path / "npy/a/b.npy", mmap_mode="r")
        assert np.array_equal(shown, np.arange(1000, dtype="i4").reshape(20, 50))
        assert mount.stats()["chunks_decoded"] == 21
