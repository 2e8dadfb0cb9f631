"""Local stores: the contract, and what a directory of a real machine can hold besides keys."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contracts.store_contract import WritableStoreContract
from zarrfs.byte_range import ByteRange
from zarrfs.errors import (
    KeyNotFoundError,
    StoreError,
    StoreNotFoundError,
)
from zarrfs.stores.base import Listed
from zarrfs.stores.local import LocalStore
from zarrfs.stores.positional_reads import read_span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from zarrfs.stores.base import Store

TEMPORARY = ".zarrfs-tmp"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    path.mkdir()
    return path


@pytest.fixture
def store(root: Path) -> LocalStore:
    return LocalStore(root)


@pytest.fixture
def other_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as path:
        yield Path(path)


def run_script(script: str, *arguments: str | Path, prefix: tuple[str, ...] = ()) -> Any:  # JSON
    """Run Python in a process of its own; its last line of output is JSON."""
    done = subprocess.run(
        [*prefix, sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


class TestLocalStore(WritableStoreContract):
    has_directories = True
    deepest = 400  # pytest removes directories recursively

    @pytest.fixture
    def make(self, tmp_path: Path) -> Iterator[Callable[[], Store]]:
        made: list[Store] = []

        def make() -> Store:
            made.append(LocalStore(tmp_path / f"store {len(made)}", create=True))
            return made[-1]

        yield make
        for store in made:
            store.close()
            assert not Path(store.url, TEMPORARY).exists(), "the temporary folder stays behind"


# --- opening --------------------------------------------------------------------------------


def test_url_is_the_absolute_path(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root.parent)
    assert LocalStore("root").url == str(root)
    assert LocalStore(root / ".." / "root").url == str(root)


def test_missing_directory_is_store_not_found(tmp_path: Path) -> None:
    with pytest.raises(StoreNotFoundError, match="no such directory") as caught:
        LocalStore(tmp_path / "missing")
    assert str(tmp_path / "missing") in str(caught.value)


def test_create_makes_the_directory_and_those_above(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "a/b", create=True)
    store.set("k", b"value")
    assert (tmp_path / "a/b/k").read_bytes() == b"value"


@pytest.mark.parametrize("create", [False, True])
def test_file_in_place_of_the_directory_is_told(tmp_path: Path, create: bool) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreNotFoundError, match="it is a file"):
        LocalStore(tmp_path / "file", create=create)
    with pytest.raises(StoreNotFoundError):
        LocalStore(tmp_path / "file/below", create=create)


def test_root_that_cannot_be_looked_at_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="File name too long"):
        LocalStore(tmp_path / ("x" * 256))


def test_disk_usage_is_that_of_the_file_system(store: LocalStore, root: Path) -> None:
    assert store.disk_usage().total == shutil.disk_usage(root).total


# --- names ----------------------------------------------------------------------------------


def test_key_is_the_utf8_path(store: LocalStore, root: Path) -> None:
    store.set("a/é%20#", b"value")
    assert Path(os.fsdecode(os.fsencode(root) + b"/a/\xc3\xa9%20#")).read_bytes() == b"value"


def test_name_that_is_not_utf8_has_a_key(store: LocalStore, root: Path) -> None:
    Path(os.fsdecode(os.fsencode(root) + b"/\xff\xfe")).write_bytes(b"value")
    [listed] = store.list_dir("")
    assert listed.name == "\udcff\udcfe"
    assert store.get(listed.name) == b"value"
    store.delete(listed.name)
    assert store.list_dir("") == []


def test_key_that_is_no_file_name_is_refused(store: LocalStore) -> None:
    with pytest.raises(StoreError, match="not a file name"):
        store.set("\ud800", b"")


@pytest.mark.parametrize("key", ["x" * 256, "d/" + "x" * 300, "x" * 300 + "/k"])
def test_name_too_long_for_any_file_is_missing(store: LocalStore, key: str) -> None:
    store.set("d/k", b"")
    with pytest.raises(KeyNotFoundError):
        store.get(key)
    with pytest.raises(KeyNotFoundError):
        store.stat(key)
    with pytest.raises(StoreError, match="File name too long"):
        store.set(key, b"")


def test_path_too_long_to_look_at_is_an_error(store: LocalStore) -> None:
    with pytest.raises(StoreError, match="File name too long"):
        store.get("d/" * 3000 + "k")


@pytest.mark.parametrize("key", [TEMPORARY, f"{TEMPORARY}/k", f"a/{TEMPORARY}/k"])
def test_temporary_folder_is_hidden(store: LocalStore, root: Path, key: str) -> None:
    (root / TEMPORARY).mkdir()
    (root / TEMPORARY / "k").touch()
    with pytest.raises(StoreError, match="kept for temporary files"):
        store.get(key)
    with pytest.raises(StoreError, match="kept for temporary files"):
        store.set(key, b"")
    assert store.list_dir("") == []


# --- what is neither file nor directory -------------------------------------------------------


def test_pipes_sockets_and_devices_are_no_objects(store: LocalStore, root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "device").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket"))
        assert store.list_dir("") == []
        for key in ("pipe", "socket", "device"):
            with pytest.raises(KeyNotFoundError):
                store.get(key)
            with pytest.raises(KeyNotFoundError):
                store.stat(key)
        store.delete("pipe")
    assert stat.S_ISFIFO((root / "pipe").stat().st_mode)


def test_directory_is_no_object(store: LocalStore, root: Path) -> None:
    (root / "d").mkdir()
    assert store.list_dir("") == [Listed(name="d", is_prefix=True)]
    assert store.list_dir("d/") == []
    with pytest.raises(KeyNotFoundError):
        store.get("d")
    store.delete("d")
    assert (root / "d").is_dir()
    with pytest.raises(StoreError, match="Is a directory"):
        store.set("d", b"")


def test_links_are_followed(store: LocalStore, root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere/d").mkdir(parents=True)
    (tmp_path / "elsewhere/d/k").write_bytes(b"value")
    (root / "d").symlink_to(tmp_path / "elsewhere/d")
    (root / "f").symlink_to(tmp_path / "elsewhere/d/k")
    assert list(store.list_prefix("")) == ["d/k", "f"]
    assert store.get("d/k") == store.get("f") == b"value"
    store.set("d/new", b"new")
    assert (tmp_path / "elsewhere/d/new").read_bytes() == b"new"


def test_link_is_replaced_and_removed_but_not_its_target(
    store: LocalStore, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "target").write_bytes(b"target")
    (root / "link").symlink_to(tmp_path / "target")
    store.set("link", b"new")
    assert not (root / "link").is_symlink()
    (root / "again").symlink_to(tmp_path / "target")
    store.delete("again")
    assert not (root / "again").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"target"


def test_link_that_leads_nowhere_is_listed_but_fails(store: LocalStore, root: Path) -> None:
    (root / "k").symlink_to("annex/objects/gone")
    (root / "d").symlink_to("gone-too")
    assert store.list_dir("") == [
        Listed(name="d", is_prefix=False),
        Listed(name="k", is_prefix=False),
    ]
    for key in ("k", "d/k", "d/e/k"):
        with pytest.raises(StoreError, match="leads nowhere"):
            store.get(key)
        with pytest.raises(StoreError, match="leads nowhere"):
            store.stat(key)
    with pytest.raises(StoreError, match="leads nowhere"):
        store.list_dir("d/")
    with pytest.raises(StoreError, match="leads nowhere"):
        store.has_prefix("d/e/")
    store.delete("k")
    assert not (root / "k").is_symlink()


def test_link_to_itself_is_listed_but_fails(store: LocalStore, root: Path) -> None:
    (root / "k").symlink_to("k")
    assert store.list_dir("") == [Listed(name="k", is_prefix=False)]
    with pytest.raises(StoreError, match="symbolic links"):
        store.get("k")


def test_walk_ends_where_links_lead_back(store: LocalStore, root: Path, tmp_path: Path) -> None:
    (root / "a/b").mkdir(parents=True)
    (root / "a/b/k").touch()
    (root / "a/b/up").symlink_to("..")
    (root / "a/self").symlink_to(".")
    (root / "top").symlink_to(root)
    (tmp_path / "out/c").mkdir(parents=True)
    (tmp_path / "out/c/k").touch()
    (tmp_path / "out/c/back").symlink_to(tmp_path / "out")
    (root / "out").symlink_to(tmp_path / "out/c")
    keys = list(store.list_prefix(""))
    assert keys[0] == "a/b/k"
    assert "out/k" in keys
    assert len(keys) <= 4
    assert store.get("a/b/up/b/k") == b""


# --- permissions, disks, dying ------------------------------------------------------------------


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that other users can reach, unlike pytest's."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o755)
        yield Path(path)


# As root, permissions bind nobody: take another user's.
AS_USER = """
    import json, os, sys
    from pathlib import Path
    from zarrfs.stores.local import LocalStore

    def attempt(action):
        try:
            return repr(action())
        except Exception as error:
            return type(error).__name__ + ": " + str(error)

    if os.geteuid() == 0:
        os.seteuid(65534)
    root = Path(sys.argv[1])
"""


def test_refused_access_is_a_permission_error(open_directory: Path) -> None:
    root = open_directory / "root"
    for name in ("shut", "open"):
        (root / name).mkdir(parents=True)
        (root / name / "k").write_bytes(b"value")
    (root / "k").write_bytes(b"value")
    (root / "k").chmod(0)
    (root / "shut").chmod(0)
    root.chmod(0o777)
    (root / "open").chmod(0o555)
    answers = run_script(
        AS_USER
        + """
    store = LocalStore(root)
    answers = {
        "writable": store.capabilities.writable,
        "get": attempt(lambda: store.get("k")),
        "get below": attempt(lambda: store.get("shut/k")),
        "stat below": attempt(lambda: store.stat("shut/k")),
        "list": attempt(lambda: store.list_dir("shut/")),
        "list root": [listed.name for listed in store.list_dir("")],
        "set": attempt(lambda: store.set("open/k", b"")),
        "set new": attempt(lambda: store.set_new("open/n", b"")),
        "delete": attempt(lambda: store.delete("open/k")),
        "rename": attempt(lambda: store.rename("open/k", "k2")),
    }
    print(json.dumps(answers))
    os.seteuid(os.getuid())
    """,
        root,
    )
    (root / "shut").chmod(0o755)
    assert answers.pop("writable") is True
    assert answers.pop("list root") == ["k", "open", "shut"]
    assert list(answers) == [
        *("get", "get below", "stat below", "list", "set", "set new", "delete", "rename")
    ]
    for answer in answers.values():
        assert answer.startswith("StorePermissionError: cannot "), answers
        assert "Permission denied" in answer
    assert (root / "open/k").read_bytes() == b"value"
    assert not (root / TEMPORARY).exists()


def test_directory_without_write_permission_makes_a_read_only_store(open_directory: Path) -> None:
    (open_directory / "root").mkdir()
    (open_directory / "root/k").write_bytes(b"value")
    (open_directory / "root").chmod(0o555)
    (open_directory / "shut").mkdir(mode=0)
    answers = run_script(
        AS_USER
        + """
    store = LocalStore(root / "root")
    print(json.dumps([
        repr(store.capabilities),
        attempt(lambda: store.get("k")),
        attempt(lambda: store.set("k", b"")),
        attempt(lambda: store.delete("k")),
        attempt(lambda: store.rename("k", "n")),
        attempt(lambda: LocalStore(root / "shut/below")),
    ]))
    os.seteuid(os.getuid())
    """,
        open_directory,
    )
    (open_directory / "root").chmod(0o755)
    (open_directory / "shut").chmod(0o755)
    assert (
        answers[0]
        == "Capabilities(writable=False, rename=False, conditional=False, cheap_stat=True, "
        "multiprocess=True)"
    )
    assert answers[1] == "b'value'"
    assert all(a.startswith("ReadOnlyError") and "not writable" in a for a in answers[2:5]), answers
    assert answers[5].startswith("StorePermissionError: cannot open the store"), answers


def test_full_and_read_only_disks_are_told_apart(tmp_path: Path) -> None:
    answers = run_script(
        """
        import json, subprocess, sys
        from zarrfs.errors import StoreError
        from zarrfs.stores.local import LocalStore
        root = sys.argv[1]
        answers = {}

        def attempt(name, action):
            try:
                answers[name] = repr(action())
            except StoreError as error:
                answers[name] = type(error).__name__ + ": " + error.reason

        store_of_the_disk_below = LocalStore(root)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", root], check=True)
        attempt("covered get", lambda: store_of_the_disk_below.get("k"))
        attempt("covered list", lambda: store_of_the_disk_below.list_dir("a/"))
        store = LocalStore(root)
        store.set("a/k", b"old")
        attempt("full", lambda: store.set("a/k", bytes(1 << 20)))
        attempt("after", lambda: (store.get("a/k"), list(store.list_prefix(""))))
        subprocess.run(["mount", "-o", "remount,ro", root], check=True)
        attempt("set", lambda: store.set("a/k", b"new"))
        attempt("delete", lambda: store.delete("a/k"))
        attempt("writable", lambda: LocalStore(root).capabilities.writable)
        print(json.dumps(answers))
        """,
        tmp_path,
        prefix=("unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",))),
    )
    assert answers == {
        "covered get": "StoreError: another file system is mounted there since it was opened; "
        "open it again",
        "covered list": "StoreError: another file system is mounted there since it was opened; "
        "open it again",
        "full": "NoSpaceError: No space left on device",
        "after": "(b'old', ['a/k'])",
        "set": "ReadOnlyError: Read-only file system",
        "delete": "ReadOnlyError: Read-only file system",
        "writable": "False",
    }


def test_root_that_went_away_is_an_error_not_missing_keys(store: LocalStore, root: Path) -> None:
    root.rmdir()
    for ask in (
        lambda: store.get("k"),
        lambda: store.stat("k"),
        lambda: store.list_dir(""),
        lambda: store.list_dir("a/"),
        lambda: store.set("k", b""),
        lambda: store.delete("k"),
        store.disk_usage,
    ):
        with pytest.raises(StoreError, match="No such file or directory"):
            ask()
    assert not root.exists()


def test_failing_disk_is_an_error_not_a_missing_key(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int, size: int, offset: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    store.set("k", b"value")
    monkeypatch.setattr(os, "pread", fail)
    with pytest.raises(StoreError, match=r"cannot get k in .*: Input/output error"):
        store.get("k")


def test_root_replaced_on_the_same_disk_is_read_on(store: LocalStore, root: Path) -> None:
    root.rename(root.with_name("old"))
    root.mkdir()
    (root / "k").write_bytes(b"new")
    assert store.get("k") == b"new"
    with pytest.raises(KeyNotFoundError):
        store.get("missing")


def test_part_of_the_store_on_another_disk_is_written(
    store: LocalStore, root: Path, other_disk: Path
) -> None:
    assert other_disk.stat().st_dev != root.stat().st_dev
    (root / "far").symlink_to(other_disk)
    store.set("far/a/k", b"value")
    assert store.set_new("far/a/n", b"new")
    assert not store.set_new("far/a/n", b"newer")
    assert store.get("far/a/k") == b"value"
    assert sorted(path.name for path in other_disk.rglob("*")) == ["a", "k", "n"]
    with pytest.raises(StoreError, match="cross-device"):
        store.rename("far/a/k", "near")
    store.delete("far/a/k")
    store.delete("far/a/n")
    assert (root / "far").is_symlink()
    assert list(other_disk.iterdir()) == []


def test_empty_directories_of_others_stay(store: LocalStore, root: Path) -> None:
    (root / "a/empty").mkdir(parents=True)
    store.set("a/b/k", b"")
    store.delete("a/b/k")
    assert store.list_dir("a/") == [Listed(name="empty", is_prefix=True)]


WRITE_UNTIL_KILLED = """
    import itertools, sys
    from zarrfs.stores.local import LocalStore
    store = LocalStore(sys.argv[1])
    store.set("k", bytes(1_000_000))
    print("ready", flush=True)
    for turn in itertools.count():
        store.set("k", bytes([turn % 256]) * 1_000_000)
"""


def test_writer_killed_leaves_old_or_new_and_its_leftovers_go(
    store: LocalStore, root: Path
) -> None:
    for _ in range(5):
        command = [sys.executable, "-c", textwrap.dedent(WRITE_UNTIL_KILLED), str(root)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            before = store.stat("k").version
            while store.stat("k").version == before:
                pass
            process.send_signal(signal.SIGKILL)
        data = bytes(store.get("k"))
        assert len(data) == 1_000_000
        assert len(set(data)) == 1
        assert list(store.list_prefix("")) == ["k"]
    LocalStore(root).set("other", b"")
    assert not (root / TEMPORARY).exists()


def test_large_file_that_shrinks_is_cut_at_its_end(store: LocalStore, root: Path) -> None:
    (root / "k").write_bytes(b"value")
    descriptor = os.open(root / "k", os.O_RDONLY)
    try:
        assert read_span(descriptor, 1, 100) == b"alue"
        assert read_span(descriptor, 100, 200) == b""
    finally:
        os.close(descriptor)


def test_ranges_of_one_call_are_of_one_version(store: LocalStore) -> None:
    store.set("k", b"0123456789")
    ranges = [ByteRange(0, 2), ByteRange(-2), ByteRange(20, 5)]
    assert store.get_ranges("k", ranges) == [b"01", b"89", b""]
