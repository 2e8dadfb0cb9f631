"""A mount of all malformed and hostile nodes at once: it comes up, tells of each, and goes on."""

from __future__ import annotations

import errno
import os
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.mounted.mounting import mounted, run
from tests.refusals.conftest import CASES, GOOD_CHUNK, write_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.mounted.mounting import Mounted

MEMORY = 64 * 2**20
ALLOWANCE = 260 * 2**20
"""The interpreter with its libraries, 60 MiB, and what the worst document takes, 160 MiB."""

DOCUMENTS = {case.name: case for case in CASES if case.at == "open"}
CHUNKS = {case.name: case for case in CASES if case.at == "read"}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mounted]:
    folder = tmp_path_factory.mktemp("refusals").resolve()
    store = write_store(folder / "all.zarr")
    with mounted(store, folder / "mnt", ro=True, memory=str(MEMORY), attr_timeout=3600) as made:
        made.allow_log(r"ERROR \S+ array '[^']*', object '[^']*': ")
        yield made
        assert made.resident_peak() <= MEMORY + ALLOWANCE


def first_bytes(path: Path) -> bytes | int:
    """Read the first bytes of a file; the errno that it fails with otherwise."""
    opened = os.open(path, os.O_RDONLY)
    try:
        return os.pread(opened, 16, 0)
    except OSError as error:
        return error.errno or 0
    finally:
        os.close(opened)


def shown(mount: Mounted, tree: str) -> set[str]:
    """Names of the arrays in a tree of the mount."""
    return {entry.stem for entry in (mount.path / tree).iterdir()}


def test_all_is_listed(hostile: Mounted) -> None:
    listed = run("ls", "-R", hostile.path).stdout.decode()
    assert "good.bin" in listed
    assert {entry.name for entry in (hostile.path / "zarr").iterdir()} >= {c.name for c in CASES}


def test_what_cannot_be_opened_is_not_listed_as_a_file(hostile: Mounted) -> None:
    for tree in ("bin", "npy"):
        assert "good" in shown(hostile, tree)
        assert not shown(hostile, tree) & DOCUMENTS.keys()


def test_readme_says_why_each_is_missing(hostile: Mounted) -> None:
    told = (hostile.path / "README.txt").read_text()
    reasons = dict(re.findall(r"^  /(\S+): not in bin, npy: (.*)$", told, re.MULTILINE))
    assert "There may be more" not in told
    assert reasons.keys() == {case.name for case in CASES} - shown(hostile, "bin")
    for name, reason in reasons.items():
        if reason.endswith("have no fixed size"):
            continue  # files cannot show these whatever else is wrong
        assert reason.startswith(f"{name}/")
        assert DOCUMENTS[name].words[0] in reason


def test_bad_chunks_are_eio_with_one_line_in_the_log_and_the_good_one_is_read(
    hostile: Mounted,
) -> None:
    files = shown(hostile, "bin") & CHUNKS.keys()
    assert len(files) > 80
    for name in files:
        assert first_bytes(hostile.path / f"bin/{name}.bin") == errno.EIO, name
        assert first_bytes(hostile.path / "bin/good.bin") == GOOD_CHUNK
    lines = Counter(re.findall(r"ERROR .* array '([^']*)', object '[^']*': .*", hostile.log()))
    assert lines.keys() == files
    # Its inner chunks are of two wrong sizes.
    assert lines.pop("chunk-shard-of-itself") == 2
    assert set(lines.values()) == {1}
