"""Zip stores: the contract for stored and deflated members, odd archives and damaged ones."""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import logging
import os
import shutil
import struct
import subprocess
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.store_contract import StoreContract, inherited
from zarrfs.byte_range import ByteRange
from zarrfs.errors import (
    KeyNotFoundError,
    ReadOnlyError,
    StoreError,
    StoreNotFoundError,
)
from zarrfs.stores.base import Listed
from zarrfs.stores.zip import ZipStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.contracts.store_contract import Seed
    from tests.log_check import LogCheck
    from zarrfs.stores.base import Store

DATA = Path(__file__).parents[1] / "data"

# Bytes before the fields that tests change, APPNOTE.TXT 4.3.7 and 4.3.12.
DIRECTORY_ENTRY, LOCAL_ENTRY = b"PK\1\2", b"PK\3\4"
DIRECTORY_FLAGS, DIRECTORY_METHOD, DIRECTORY_SIZES = 8, 10, 20


def pack(path: Path, contents: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive:
        for key, value in contents.items():
            archive.writestr(key, value)
    return path


def patch(path: Path, offset: int, data: bytes) -> None:
    whole = bytearray(path.read_bytes())
    whole[offset : offset + len(data)] = data
    path.write_bytes(whole)


class ZipContract(StoreContract):
    method: int

    @pytest.fixture
    def seed(self, tmp_path: Path) -> Seed:
        def seed(contents: Mapping[str, bytes]) -> Store:
            return ZipStore(pack(tmp_path / "x.zip", contents, self.method))

        return seed


class TestStoredZip(ZipContract):
    method = zipfile.ZIP_STORED


class TestDeflatedZip(ZipContract):
    method = zipfile.ZIP_DEFLATED


# --- archives of other programs ------------------------------------------------------------


def shipped_archives(folder: Path) -> list[Path]:
    # Python 3.11.2 has no extraction filters, and newer ones warn without.
    subprocess.run(["tar", "-xzf", DATA / "zarrita_js.tar.gz", "-C", folder], check=True)
    return [*sorted(folder.rglob("*.zip")), *sorted((DATA / "bcsd").glob("*.zip"))]


def test_archives_of_others_are_read_as_zipfile_reads_them(tmp_path: Path) -> None:
    archives = shipped_archives(tmp_path)
    assert len(archives) == 7
    for path in archives:
        store = ZipStore(path)
        with zipfile.ZipFile(path) as expected:
            names = [name for name in expected.namelist() if not name.endswith("/")]
            assert sorted(store.list_prefix("")) == sorted(names)
            for name in names:
                data = expected.read(name)
                assert store.get(name) == data
                assert store.get(name, ByteRange(2, 10)) == data[2:12]


def test_info_zip_archive_is_read(tmp_path: Path) -> None:
    (tmp_path / "d é").mkdir()
    (tmp_path / "d é/k 日").write_bytes(b"value")
    subprocess.run(["zip", "-q", "-r", "x.zip", "d é"], cwd=tmp_path, check=True)
    assert list(ZipStore(tmp_path / "x.zip").list_prefix("")) == ["d é/k 日"]


def test_utf8_name_of_unix_is_read_without_its_flag(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.zip", {"a__b": b"value"})
    path.write_bytes(path.read_bytes().replace(b"a__b", "aéb".encode()))
    assert list(ZipStore(path).list_prefix("")) == ["aéb"]


def test_name_that_is_not_utf8_is_cp437(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.zip", {"a_b": b"value"})
    path.write_bytes(path.read_bytes().replace(b"a_b", b"a\x82b"))
    assert list(ZipStore(path).list_prefix("")) == ["aéb"]


@pytest.mark.parametrize(
    ("system", "name", "key"),
    [
        (0, r"a\b\zarr.json", "a/b/zarr.json"),
        (0, r"a/b\c", r"a/b\c"),
        (3, r"a\b", r"a\b"),
        (3, "./a/zarr.json", "a/zarr.json"),
    ],
)
def test_backslash_separates_where_windows_wrote_it(
    tmp_path: Path, system: int, name: str, key: str
) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system = system
        archive.writestr(info, b"value")
    assert list(ZipStore(tmp_path / "x.zip").list_prefix("")) == [key]


def test_last_of_two_members_of_one_name_counts(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("k", b"first")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("k", b"second")
    store = ZipStore(tmp_path / "x.zip")
    assert store.get("k") == b"second"
    assert store.list_dir("") == [Listed(name="k", is_prefix=False)]


def test_directory_entries_are_no_objects(tmp_path: Path) -> None:
    store = ZipStore(pack(tmp_path / "x.zip", {"a/": b"", "a/k": b"value", "empty/": b""}))
    assert list(store.list_prefix("")) == ["a/k"]
    assert store.list_dir("") == [Listed(name="a", is_prefix=True)]
    with pytest.raises(KeyNotFoundError):
        store.get("a")


def test_names_that_leave_the_archive_are_left_out_with_one_warning(
    tmp_path: Path, expected_logs: LogCheck
) -> None:
    expected_logs(r"x.zip: 3 members left out, .*'\.\./up'", times=1)
    names = ["../up", "/top", "a//b", "good", "a/"]
    store = ZipStore(pack(tmp_path / "x.zip", dict.fromkeys(names, b"value")))
    assert list(store.list_prefix("")) == ["good"]
    with pytest.raises(StoreError):
        store.get("../up")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zip64_and_streamed_members_are_read(tmp_path: Path, method: int) -> None:
    class Unseekable(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, offset: int, whence: int = 0) -> int:
            raise OSError("a pipe cannot seek")

    value = os.urandom(50_000)
    stream = Unseekable()
    with (
        zipfile.ZipFile(stream, "w", method) as archive,
        archive.open("k", "w", force_zip64=True) as member,
    ):
        member.write(value)
    (tmp_path / "x.zip").write_bytes(stream.getvalue())
    store = ZipStore(tmp_path / "x.zip")
    assert store.get("k") == value
    assert store.get("k", ByteRange(100, 7)) == value[100:107]


def test_archive_after_other_bytes_is_read(tmp_path: Path) -> None:
    plain = pack(tmp_path / "plain.zip", {"k": b"value"})
    (tmp_path / "x.zip").write_bytes(b"#!/bin/sh\nexit\n" + plain.read_bytes())
    assert ZipStore(tmp_path / "x.zip").get("k") == b"value"


def test_empty_archive_is_a_store(tmp_path: Path) -> None:
    assert ZipStore(pack(tmp_path / "x.zip", {})).list_dir("") == []


# --- reading --------------------------------------------------------------------------------


def test_store_is_read_only(tmp_path: Path) -> None:
    store = ZipStore(pack(tmp_path / "x.zip", {"k": b"value"}))
    assert not store.capabilities.writable
    with pytest.raises(ReadOnlyError, match="read-only"):
        store.set("k", b"")
    for key in ("k", "missing"):
        with pytest.raises(ReadOnlyError, match="read-only"):
            store.delete(key)
    with pytest.raises(StoreError):
        store.set_new("n", b"")
    with pytest.raises(StoreError):
        store.rename("k", "n")
    assert store.get("k") == b"value"


def test_url_is_the_path_or_says_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(tmp_path / "x.zip", {})
    pack(tmp_path / "plain", {})
    monkeypatch.chdir(tmp_path)
    assert ZipStore("x.zip").url == str(tmp_path / "x.zip")
    assert ZipStore("plain").url == f"zip://{tmp_path / 'plain'}"


def test_stat_tells_size_time_and_checksum(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.zip", {"k": b"value"}, zipfile.ZIP_DEFLATED)
    info = ZipStore(path).stat("k")
    assert info.size == 5
    assert info.mtime_ns == path.stat().st_mtime_ns
    assert info.version == f"{zlib.crc32(b'value'):08x}-5"


def test_ranges_of_one_deflated_member_inflate_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inflations = []
    real = zlib.decompressobj

    def counted(wbits: int) -> object:
        inflations.append(wbits)
        return real(wbits)

    value = os.urandom(200_000)
    store = ZipStore(pack(tmp_path / "x.zip", {"k": value}, zipfile.ZIP_DEFLATED))
    monkeypatch.setattr(zlib, "decompressobj", counted)
    with ThreadPoolExecutor(4) as pool:
        spans = pool.map(lambda at: store.get("k", ByteRange(at, 10)), range(0, 200_000, 2000))
        assert list(spans) == [value[at : at + 10] for at in range(0, 200_000, 2000)]
    assert len(inflations) == 1


# --- bad archives ------------------------------------------------------------------------------


def test_missing_archive_is_store_not_found(tmp_path: Path) -> None:
    with pytest.raises(StoreNotFoundError, match="no such file"):
        ZipStore(tmp_path / "x.zip")
    (tmp_path / "file").touch()
    with pytest.raises(StoreNotFoundError, match="no such file"):
        ZipStore(tmp_path / "file/x.zip")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\3\4 and no more", bytes(100)])
def test_what_is_no_zip_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(StoreError, match="not a zip file, or cut off: ") as caught:
        ZipStore(tmp_path / "x.zip")
    assert caught.value.operation == "open"


def test_archive_cut_off_is_told(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.zip", {f"k{i}": b"value" * 10 for i in range(10)})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(StoreError, match="not a zip file, or cut off: "):
        ZipStore(path)


def test_directory_or_pipe_in_place_of_the_archive_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.zip")
    for path in (tmp_path, tmp_path / "x.zip"):
        with pytest.raises(StoreError, match="not a regular file"):
            ZipStore(path)


def test_archive_that_cannot_be_opened_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "x.zip").symlink_to("x.zip")
    with pytest.raises(StoreError, match="symbolic links"):
        ZipStore(tmp_path / "x.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_changed_bytes_fail_the_checksum(tmp_path: Path, method: int) -> None:
    value = os.urandom(1000)
    path = pack(tmp_path / "x.zip", {"k": value, "good": b"value"}, method)
    patch(path, 500, b"\0\1\2\3")
    store = ZipStore(path)
    with pytest.raises(StoreError, match=r"damaged: .*(CRC-32|invalid|promised|Error)") as caught:
        store.get("k")
    assert caught.value.key == "k"
    assert store.get("good") == b"value"
    if method == zipfile.ZIP_DEFLATED:
        with pytest.raises(StoreError, match="damaged"):
            store.get("k", ByteRange(0, 1))


def damaged(tmp_path: Path, offset: int, data: bytes, method: int = zipfile.ZIP_STORED) -> ZipStore:
    """An archive of one member, with some of its directory entry overwritten."""
    path = pack(tmp_path / "x.zip", {"k": b"value" * 10}, method)
    patch(path, path.read_bytes().index(DIRECTORY_ENTRY) + offset, data)
    return ZipStore(path)


def test_encrypted_member_is_told(tmp_path: Path) -> None:
    store = damaged(tmp_path, DIRECTORY_FLAGS, b"\1\0")
    with pytest.raises(StoreError, match=r"cannot get k in .*: it is encrypted"):
        store.get("k")
    assert store.stat("k").size == 50


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unknown_compression_is_told(tmp_path: Path, method: int) -> None:
    store = ZipStore(pack(tmp_path / "x.zip", {"k": b"value"}, method))
    with pytest.raises(StoreError, match=f"compression method {method} is not supported"):
        store.get("k")
    with pytest.raises(StoreError, match="compression method"):
        store.get("k", ByteRange(0, 1))


def test_sizes_that_cannot_be_are_told(tmp_path: Path) -> None:
    huge = struct.pack("<L", 0xFFFFFFF0)
    two_sizes = damaged(tmp_path, DIRECTORY_SIZES, huge)
    with pytest.raises(StoreError, match="two sizes differ"):
        two_sizes.get("k")
    beyond = damaged(tmp_path, DIRECTORY_SIZES, huge + huge)
    with pytest.raises(StoreError, match="cut off inside"):
        beyond.get("k")
    with pytest.raises(StoreError, match="cut off inside"):
        beyond.get("k", ByteRange(1 << 30, 5))
    bomb = damaged(tmp_path, DIRECTORY_SIZES + 4, huge, zipfile.ZIP_DEFLATED)
    with pytest.raises(StoreError, match="cannot hold 4294967280"):
        bomb.get("k", ByteRange(0, 1))
    more = damaged(tmp_path, DIRECTORY_SIZES + 4, struct.pack("<L", 51), zipfile.ZIP_DEFLATED)
    with pytest.raises(StoreError, match="51 bytes were promised"):
        more.get("k")


def test_member_that_is_not_where_it_should_be_is_told(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.zip", {"k": b"value" * 10})
    patch(path, 0, b"XXXX")
    with pytest.raises(StoreError, match="no member begins where"):
        ZipStore(path).get("k")
    # 4.3.12: the local header's offset is 42 bytes into the directory entry.
    for offset, reason in ((1 << 30, "begins outside"), (path.stat().st_size - 1, "cut off")):
        with pytest.raises(StoreError, match=reason):
            damaged(tmp_path, 42, struct.pack("<L", offset)).get("k")


def test_failing_disk_is_a_store_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int, size: int, offset: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    store = ZipStore(pack(tmp_path / "x.zip", {"k": b"value"}))
    monkeypatch.setattr(os, "pread", fail)
    with pytest.raises(StoreError, match=r"cannot get k in .*: Input/output error"):
        store.get("k")


@pytest.mark.parametrize("offset", [12, 16])
def test_directory_that_points_out_of_the_archive_is_told(tmp_path: Path, offset: int) -> None:
    # 4.3.16: size and offset of the directory, 12 and 16 bytes into the last record.
    path = pack(tmp_path / "x.zip", {"k": b"value"})
    end = path.read_bytes().index(b"PK\5\6")
    patch(path, end + offset, struct.pack("<L", 9999))
    with pytest.raises(StoreError, match=r"damaged|cut off"):
        ZipStore(path).get("k")


@given(st.data())
@settings(parent=inherited)
def test_damage_is_a_store_error(tmp_path: Path, data: st.DataObject) -> None:
    contents = {"a/k": b"value" * 20, "é": b"", "stored": b"12345"}
    path = pack(tmp_path / "x.zip", contents, zipfile.ZIP_DEFLATED)
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole[data.draw(st.integers(0, 3)) :][: data.draw(st.integers(0, 900))])
    logging.disable()  # some names are left out
    try:
        store = ZipStore(path)
        for key in store.list_prefix(""):
            store.stat(key)
            for span in (None, ByteRange(0, 3)):
                with contextlib.suppress(StoreError):
                    store.get(key, span)
    except StoreError:
        return
    finally:
        logging.disable(logging.NOTSET)


# --- archives that change --------------------------------------------------------------------


def test_changed_archive_is_opened_again(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.zip", {"k": b"old", "gone": b""})
    store = ZipStore(path)
    assert store.get("k") == b"old"
    before = store.stat("k")
    pack(tmp_path / "new.zip", {"k": b"newer", "n": b""}).rename(path)
    assert store.get("k") == b"newer"
    assert store.stat("k").version != before.version
    assert [listed.name for listed in store.list_dir("")] == ["k", "n"]
    with pytest.raises(KeyNotFoundError):
        store.get("gone")


def test_archive_that_goes_or_breaks_is_an_error_and_may_come_back(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.zip", {"k": b"value"})
    store = ZipStore(path)
    shutil.copy(path, tmp_path / "copy")
    path.unlink()
    with pytest.raises(StoreNotFoundError):
        store.get("k")
    path.write_bytes(b"no zip")
    with pytest.raises(StoreError, match="not a zip file"):
        store.list_dir("")
    shutil.copy(tmp_path / "copy", path)
    assert store.get("k") == b"value"


def test_closed_store_fails(tmp_path: Path) -> None:
    store = ZipStore(pack(tmp_path / "x.zip", {"k": b"value"}))
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.get("k")
    with pytest.raises(StoreError, match="closed"):
        store.list_dir("")


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    gc.collect()  # what earlier tests left may go at any time
    before = descriptors()
    path = pack(tmp_path / "x.zip", {"k": b"value"})
    store = ZipStore(path)
    for turn in range(5):
        os.utime(path, ns=(turn, turn))
        assert store.get("k") == b"value"
    assert descriptors() == before + 1
    store.close()
    assert descriptors() == before
    path.write_bytes(b"no zip")
    for _ in range(5):
        with pytest.raises(StoreError):
            ZipStore(path)
    assert descriptors() == before


def test_readers_survive_a_close_and_changes(tmp_path: Path) -> None:
    value = os.urandom(300_000)
    paths = [pack(tmp_path / f"{i}.zip", {"k": value}, 8 * (i % 2)) for i in range(20)]
    path = pack(tmp_path / "x.zip", {"k": value})
    store = ZipStore(path)

    def read(_: int) -> bool:
        return store.get("k") == value and store.get("k", ByteRange(9, 9)) == value[9:18]

    def change() -> None:
        for other in paths:
            other.rename(path)

    with ThreadPoolExecutor(4) as pool:
        changing = pool.submit(change)
        assert all(pool.map(read, range(200)))
        changing.result()


def test_disk_usage_is_that_of_the_file_system_of_the_archive(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.zip", {"k": b"value"})
    store = ZipStore(path)
    assert store.disk_usage().total == shutil.disk_usage(tmp_path).total
    path.unlink()
    with pytest.raises(StoreError):
        store.disk_usage()
