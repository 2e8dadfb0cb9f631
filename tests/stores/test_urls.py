"""URLs: which store they open, where they are cut, what they never show."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.errors import StoreError, StoreNotFoundError, UrlError
from zarrfs.stores.faulty import FaultyStore
from zarrfs.stores.local import LocalStore
from zarrfs.stores.memory import MemoryStore
from zarrfs.stores.redaction import redact
from zarrfs.stores.urls import open_store, split_url
from zarrfs.stores.zip import ZipStore


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a/b/k", b"value")
    return path


# --- opening --------------------------------------------------------------------------------


def test_path_opens_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "d é?%20").mkdir()
    for url in (
        str(tmp_path / "d é?%20"),
        tmp_path / "d é?%20",
        Path("d é?%20"),
        "d é?%20",
        "./d é?%20/",
        "~/d é?%20",
        f"file://{tmp_path}/d%20%C3%A9%3F%2520",
        f"FILE://localhost{tmp_path}/d%20é%3F%2520",
    ):
        store = open_store(url)
        assert type(store) is LocalStore
        assert store.url == str(tmp_path / "d é?%20")


def test_directory_is_made_if_allowed(tmp_path: Path) -> None:
    for url in (str(tmp_path / "a/b"), f"file://{tmp_path}/c"):
        with pytest.raises(StoreNotFoundError):
            open_store(url)
        assert open_store(url, create=True).list_dir("") == []


def test_memory_url_opens_the_store_of_that_name() -> None:
    store = open_store("memory://test_urls%20x")
    assert type(store) is MemoryStore
    store.set("k", b"value")
    assert open_store("memory://test_urls x").get("k") == b"value"


def test_zip_is_opened_by_its_name_or_scheme(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(archive.read_bytes())
    (tmp_path / "X.ZIP").write_bytes(archive.read_bytes())
    urls = (archive, f"file://{archive}", f"zip://{archive}", f"zip://{tmp_path}/plain")
    for url in (*urls, tmp_path / "X.ZIP"):
        store = open_store(url)
        assert type(store) is ZipStore
        assert store.get("a/b/k") == b"value"
        assert open_store(store.url).get("a/b/k") == b"value"


def test_directory_named_like_a_zip_is_a_directory(tmp_path: Path) -> None:
    (tmp_path / "d.zip").mkdir()
    assert type(open_store(tmp_path / "d.zip")) is LocalStore
    assert split_url(tmp_path / "d.zip/a") == (str(tmp_path / "d.zip/a"), "")


def test_missing_zip_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreNotFoundError, match="no such file"):
        open_store(tmp_path / "x.zip", create=True)
    assert list(tmp_path.iterdir()) == []


def test_fault_url_wraps_any_store(tmp_path: Path, archive: Path) -> None:
    for url in (tmp_path, f"file://{tmp_path}", "memory://test_fault", archive):
        store = open_store(f"fault+{url}?error=always:list&keys=a?b?")
        assert type(store) is FaultyStore
        assert not store.operations
        with pytest.raises(KeyError):
            store.get("missing")
        with pytest.raises(StoreError, match="injected error"):
            store.list_dir("a/b/")
        assert open_store(store.url).url == store.url


def test_options_may_come_beside_the_url_and_win(tmp_path: Path) -> None:
    store = open_store(f"fault+{tmp_path}?error=get", options={"error": "list"})
    with pytest.raises(StoreError, match="injected"):
        store.list_dir("")
    with pytest.raises(KeyError):
        store.get("missing")


@pytest.mark.parametrize("url", ["memory://x?anon=true", "file:///?anon=true", "zip:///x?anon="])
def test_unknown_option_is_named_with_the_known_ones(url: str) -> None:
    with pytest.raises(UrlError, match=r"unknown option 'anon': .* has no options"):
        open_store(url)


def test_unknown_option_of_a_faulty_store_is_named(tmp_path: Path) -> None:
    with pytest.raises(UrlError, match=r"'erorr': the store fault.* has error, hang, keys"):
        open_store(f"fault+{tmp_path}?erorr=always")
    with pytest.raises(UrlError, match="unknown option 'error'"):
        open_store(tmp_path, options={"error": "always"})


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "neither a path nor a URL"),
        ("a\0b", "neither a path nor a URL"),
        ("memory://a%00b", "neither a path nor a URL"),
        ("fault+", "neither a path nor a URL"),
        ("fault+?error=always", "neither a path nor a URL"),
        ("s3://bucket/x", r"no store for scheme 's3': known are file, memory, zip, fault\+"),
        ("://x", "no store for scheme ''"),
        ("fault+fault+memory://x", r"no store for scheme 'fault\+memory'"),
        ("simplecache::s3://b/x", "no store for scheme 'simplecache::s3'"),
        ("file://host/path", "needs an absolute path: file:///path"),
        ("file://", "needs an absolute path"),
        ("zip://x.zip", "needs an absolute path: zip:///path"),
        ("~nobody-of-that-name/x", "no such user"),
        ("memory://x?error", "name=value"),
        ("fault+memory://x?error=get&error=set", "'error' is given twice"),
        ("fault+memory://x?error=maybe", "is not understood"),
        ("memory://user:pw@x", "takes no user and password"),
        ("memory://x/a", "names 'a' inside a store"),
    ],
)
def test_what_is_not_understood_is_a_url_error(url: str, message: str) -> None:
    with pytest.raises(UrlError, match=message):
        open_store(url)


def test_node_in_a_zip_is_not_a_store(archive: Path) -> None:
    with pytest.raises(UrlError, match="names 'a/b' inside a store, not the store itself"):
        open_store(archive / "a/b")


@given(st.text(max_size=20))
def test_any_text_opens_or_fails_with_a_reason(text: str) -> None:
    try:
        open_store(f"memory:{text}")
    except (UrlError, StoreError) as error:
        assert str(error)  # noqa: PT017 some texts do open


# --- cutting ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("memory://name", ("memory://name", "")),
        ("memory://name/", ("memory://name", "")),
        ("memory://name/a/b/", ("memory://name", "a/b")),
        ("memory://na%20me/a%20b", ("memory://na%20me", "a b")),
        ("memory://name//a//b", ("memory://name", "a/b")),
        ("memory:///a", ("memory://", "a")),
        ("fault+memory://name/a?error=get", ("fault+memory://name?error=get", "a")),
        ("/no/such/directory/x.zarr/a", ("/no/such/directory/x.zarr/a", "")),
        ("relative/x.zarr", ("relative/x.zarr", "")),
        ("/no/such.zip/a", ("/no/such.zip/a", "")),
        ("fault+/no/such?error=get", ("fault+/no/such?error=get", "")),
    ],
)
def test_url_is_cut_between_store_and_node(url: str, expected: tuple[str, str]) -> None:
    assert split_url(url) == expected
    assert split_url(expected[0]) == (expected[0], "")


def test_node_in_a_zip_follows_the_first_file_on_the_way(archive: Path, tmp_path: Path) -> None:
    assert split_url(archive) == (str(archive), "")
    assert split_url(archive / "a/b") == (str(archive), "a/b")
    assert split_url(f"{archive}//a/") == (str(archive), "a")
    assert split_url(f"{archive}/y.zip/z") == (str(archive), "y.zip/z")
    assert split_url(f"file://{archive}/a%20b") == (f"file://{archive}", "a b")
    assert split_url(f"fault+{archive}/a?error=get") == (f"fault+{archive}?error=get", "a")
    (tmp_path / "plain").write_bytes(archive.read_bytes())
    assert split_url(f"zip://{tmp_path}/plain/a/b") == (f"zip://{tmp_path}/plain", "a/b")
    assert split_url(tmp_path / "plain/a") == (str(tmp_path / "plain/a"), "")
    for url, _ in (split_url(archive / "a"), split_url(f"zip://{tmp_path}/plain/a/b")):
        assert open_store(url).get("a/b/k") == b"value"


def test_relative_path_object_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert split_url(Path("fault+x")) == (str(tmp_path / "fault+x"), "")


@pytest.mark.parametrize("url", ["memory://x/../a", "memory://x/a/..", "memory://x/./a"])
def test_node_path_cannot_climb(url: str) -> None:
    with pytest.raises(UrlError, match="no path inside a store"):
        split_url(url)


def test_name_that_is_not_utf8_survives_a_url(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    Path(path).mkdir()
    url = f"file://{tmp_path}/%FF"
    assert split_url(url) == (url, "")
    assert open_store(url).url == path


# --- secrets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket/key", "s3://bucket/key"),
        ("s3://id:secret@bucket/key", "s3://***@bucket/key"),
        ("redis://:secret@host:6379/0", "redis://***@host:6379/0"),
        ("fault+mongodb://u:p@h1,h2/db?error=get", "fault+mongodb://***@h1,h2/db?error=get"),
        ("simplecache::s3://u:p@b/x", "simplecache::s3://***@b/x"),
        ("s3://u:a/b?c#d@host/x", "s3://***@host/x"),
        ("s3://u:a@b@host/x", "s3://***@host/x"),
        ("s3://u:a@b/c@host/x", "s3://***@host/x"),
        ("http://host:8080/a@b", "http://host:8080/a@b"),
        ("s3://bucket/a@b", "s3://bucket/a@b"),
        ("https://h/x?sig=abc&sv=1&Token=x", "https://h/x?sig=***&sv=1&Token=***"),
        ("s3://b/x?secret_access_key=a&region=eu", "s3://b/x?secret_access_key=***&region=eu"),
        ("fault+memory://x?keys=*/c/*", "fault+memory://x?keys=*/c/*"),
        ("/path/a@b?password=x", "/path/a@b?password=x"),
    ],
)
def test_secrets_are_starred_out(url: str, shown: str) -> None:
    assert redact(url) == shown
    assert redact(shown) == shown


@given(
    st.text(st.characters(exclude_characters="@:/?#", exclude_categories=["Cs"]), max_size=5),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
def test_no_password_is_ever_shown(user: str, middle: str) -> None:
    password = f"pw{middle}wp"
    for url in (f"s3://{user}:{password}@host/x", f"memory://{user}:{password}@host?x=1"):
        assert password not in redact(url)
        with pytest.raises(UrlError) as caught:
            open_store(url, options={"unknown": "option"})
        assert password not in str(caught.value)
