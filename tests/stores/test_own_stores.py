"""Stores of other packages and programs: which are taken, and what they may do wrong."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contracts.store_contract import WritableStoreContract
from zarrfs.errors import RegistrationError, StoreError, UnsupportedError, UrlError
from zarrfs.stores.base import Capabilities, Listed, ObjectInfo, Store
from zarrfs.stores.memory import MemoryStore
from zarrfs.stores.schemes import list_stores, register_store, store_info, unregister_store
from zarrfs.stores.urls import open_store, split_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from zarrfs.byte_range import ByteRange

PAGE = Path(__file__).parents[2] / "docs/topics/own-stores.md"


class Fixed(Store):
    """Holds one object, and tells how it was opened."""

    capabilities = Capabilities(writable=False)

    def __init__(self, place: str, *, colour: str = "red", create: bool = False) -> None:
        if place == "wrong":
            raise ValueError("nothing of that name")
        if place == "lost":
            raise PermissionError(13, "Permission denied")
        self.place, self.colour, self.create = place, colour, create

    @property
    def url(self) -> str:
        return f"fixed://{self.place}"

    def get(self, key: str, byte_range: ByteRange | None = None) -> bytes:
        raise KeyError(key)

    def stat(self, key: str) -> ObjectInfo:
        raise KeyError(key)

    def list_dir(self, prefix: str) -> list[Listed]:
        return []


class WithoutCreate(Fixed):
    def __init__(self, place: str) -> None:
        super().__init__(place)


class WithoutGet(Store):
    url = "x://"
    capabilities = Capabilities(writable=False)

    def stat(self, key: str) -> ObjectInfo:
        raise KeyError(key)


@pytest.fixture
def fixed() -> Iterator[None]:
    register_store("fixed", Fixed)
    yield
    unregister_store("fixed")


class TestTableStore(WritableStoreContract):
    """The store of the documentation keeps the laws of all stores."""

    @pytest.fixture
    def make(self) -> Callable[[], Store]:
        names: dict[str, Any] = {}
        (program,) = re.findall(
            r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL
        )
        exec(program, names)
        return lambda: names["TableStore"](":memory:", create=True)


@pytest.mark.usefixtures("fixed")
def test_registered_scheme_opens_the_store_with_its_options() -> None:
    store = open_store("fixed://a%20b?colour=blue", create=True)
    assert isinstance(store, Fixed)
    assert (store.place, store.colour, store.create) == ("a b", "blue", True)
    assert "fixed" in list_stores()
    assert store_info("fixed").provider.endswith("test_own_stores:Fixed")


@pytest.mark.usefixtures("fixed")
def test_unknown_option_is_named_with_those_of_the_store() -> None:
    with pytest.raises(UrlError, match=r"unknown option 'color': .* has colour$"):
        open_store("fixed://x?color=blue")


@pytest.mark.usefixtures("fixed")
def test_faults_are_put_before_a_registered_store() -> None:
    store = open_store("fault+fixed://x?colour=blue&error=always:list")
    with pytest.raises(StoreError, match="injected"):
        store.list_dir("")


@pytest.mark.usefixtures("fixed")
def test_what_a_store_raises_when_opened_is_a_store_error() -> None:
    with pytest.raises(StoreError, match=r"fixed://wrong: ValueError: nothing of that name"):
        open_store("fixed://wrong")
    with pytest.raises(PermissionError, match=r"fixed://lost: Permission denied"):
        open_store("fixed://lost")


def test_store_need_not_know_of_creation() -> None:
    register_store("plain", WithoutCreate)
    try:
        assert open_store("plain://x", create=True).url == "fixed://x"
    finally:
        unregister_store("plain")
    with pytest.raises(UrlError, match=r"no store for scheme 'plain': .*register_store"):
        open_store("plain://x")


@pytest.mark.usefixtures("fixed")
def test_node_follows_a_name_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert split_url("fixed://name/a/b") == ("fixed://name", "a/b")
    assert split_url(f"fixed://{tmp_path}/file/a/b") == (f"fixed://{tmp_path}/file", "a/b")
    assert split_url(f"fixed://{tmp_path}/none/a") == (f"fixed://{tmp_path}/none/a", "")


@pytest.mark.parametrize("scheme", ["", "Upper", "with+plus", "a://b", "1st", "a b"])
def test_what_no_url_has_is_no_scheme(scheme: str) -> None:
    with pytest.raises(RegistrationError, match="no scheme of a URL"):
        register_store(scheme, Fixed)


def test_built_in_scheme_is_replaced_by_force_only() -> None:
    with pytest.raises(RegistrationError, match="'memory' is built in; force=True"):
        register_store("memory", Fixed)
    register_store("memory", Fixed, force=True)
    try:
        assert isinstance(open_store("memory://x"), Fixed)
    finally:
        unregister_store("memory")
    assert isinstance(open_store("memory://test_own_stores"), MemoryStore)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (dict, "no subclass of zarrfs.Store"),
        (lambda place: MemoryStore(place), "no subclass of zarrfs.Store"),
        (WithoutGet, "lacks get and list_dir in WithoutGet"),
    ],
)
def test_what_is_no_store_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(RegistrationError, match=reason):
        register_store("odd", value)
    assert "odd" not in list_stores()


def test_store_of_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stores_beside.py").write_text(
        "from zarrfs.stores.memory import MemoryStore\nclass Mine(MemoryStore): ...\n"
    )
    info = tmp_path / "stores_beside-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: stores-beside\nVersion: 1\n")
    entries = {"mine": "Mine", "none": "nothing", "odd": "__name__"}
    lines = [f"{scheme} = stores_beside:{name}" for scheme, name in entries.items()]
    (info / "entry_points.txt").write_text("\n".join(["[zarrfs.stores]", *lines]))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "stores_beside", raising=False)

    assert type(open_store("mine://test_installed")).__name__ == "Mine"
    assert store_info("mine").origin == "installed"
    with pytest.raises(UnsupportedError, match="'none' of stores_beside:nothing cannot be"):
        open_store("none://x")
    with pytest.raises(UnsupportedError, match="the store 'odd' is to be opened by 'stores_besi"):
        open_store("odd://x")
