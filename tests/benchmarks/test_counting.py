from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from benchmarks.counting import (
    DECODED,
    FETCHED,
    REQUESTS,
    Need,
    check_cold,
    check_warm,
    grown,
)
from benchmarks.pages import drop_pages, n_cached_pages
from benchmarks.rounds import SpoiledError

NEED = Need(n_chunks=8, n_different=8, stored_bytes=1000, nbytes=2 << 20, is_coded=True)
SHARED_MEMORY = Path("/dev/shm")


def stats(chunks: int, fetched: int, **requests: int) -> dict[str, Any]:
    return {"chunks_decoded": chunks, "bytes_fetched": fetched, "requests": requests}


def test_counts_are_what_a_run_added() -> None:
    counts = grown(stats(5, 500), stats(17, 2000, read=32, open=1), NEED)
    assert counts == {DECODED: 1.5, FETCHED: 1.5, REQUESTS: 16.0}


def test_run_that_found_a_decoded_chunk_is_not_cold() -> None:
    check_cold(grown(stats(0, 0), stats(8, 0), NEED), NEED)
    with pytest.raises(SpoiledError, match=r"0\.8750, a cold run has 1\.0000"):
        check_cold(grown(stats(0, 0), stats(7, 5000), NEED), NEED)


def test_cold_run_decodes_each_chunk_once_at_least() -> None:
    need = dataclasses.replace(NEED, n_different=4)
    check_cold(grown(stats(0, 0), stats(4, 0), need), need)
    with pytest.raises(SpoiledError):
        check_cold(grown(stats(0, 0), stats(3, 0), need), need)


def test_run_that_asked_for_anything_is_not_warm() -> None:
    check_warm(grown(stats(0, 0), stats(0, 0, open=1), NEED))
    with pytest.raises(SpoiledError, match=r"0\.5000, a warm run has none"):
        check_warm(grown(stats(0, 0), stats(0, 0, read=1), NEED))


def test_cold_run_without_codec_fetches_everything() -> None:
    need = dataclasses.replace(NEED, is_coded=False)
    check_cold(grown(stats(0, 0), stats(0, 1000), need), need)
    with pytest.raises(SpoiledError, match=FETCHED):
        check_cold(grown(stats(0, 0), stats(8, 900), need), need)


def test_pages_in_memory_alone_cannot_be_dropped() -> None:
    file = SHARED_MEMORY / f"test-pages-{id(NEED)}"
    try:
        file.write_bytes(bytes(10_000))
        assert n_cached_pages(file) == 3
        with pytest.raises(RuntimeError, match=r"3 pages of .* stay in the page cache"):
            drop_pages([file])
    finally:
        file.unlink()


def test_empty_file_has_no_pages(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert n_cached_pages(tmp_path / "empty") == 0
