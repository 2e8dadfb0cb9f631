"""Names of extensions, and who may serve them."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import pytest

from zarrfs.errors import RegistrationError, UnsupportedError
from zarrfs.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GROUP = "zarrfs.test_extensions"


def first() -> int:
    return 1


def second() -> int:
    return 2


@pytest.fixture
def registry() -> Registry[Callable[[], int]]:
    return Registry("codec", {"plain": first, "family.*": second}, group=GROUP)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is installed beside zarrfs, with one good and one bad extension."""
    (tmp_path / "beside.py").write_text("def third():\n    return 3\n")
    folder = tmp_path / "beside-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Name: beside\nVersion: 1\n")
    (folder / "entry_points.txt").write_text(
        f"[{GROUP}]\nthird = beside:third\nbroken = beside:nothing\nplain = beside:third\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "beside", raising=False)


def test_builtin_is_found_by_name_and_by_family(registry: Registry[Callable[[], int]]) -> None:
    assert registry.find("plain") is first
    assert registry.find("family.any") is second
    assert registry.find("familiar") is None


def test_registered_is_found_until_it_is_unregistered(
    registry: Registry[Callable[[], int]],
) -> None:
    registry.register("mine", second)
    assert registry.find("mine") is second
    assert registry.names() == ["family.*", "mine", "plain"]
    registry.unregister("mine")
    assert registry.find("mine") is None


@pytest.mark.parametrize("name", ["plain", "family.any", "mine"])
def test_taken_name_is_replaced_by_force_only(
    registry: Registry[Callable[[], int]], name: str
) -> None:
    registry.register("mine", first)
    before = registry.find(name)
    with pytest.raises(RegistrationError, match=r"force=True"):
        registry.register(name, second)
    assert registry.find(name) is before
    registry.register(name, second, force=True)
    assert registry.find(name) is second


def test_replaced_builtin_is_back_after_unregister(
    registry: Registry[Callable[[], int]],
) -> None:
    registry.register("plain", second, force=True)
    registry.unregister("plain")
    assert registry.find("plain") is first


@pytest.mark.parametrize("name", ["plain", "family.any"])
def test_builtin_cannot_be_unregistered(registry: Registry[Callable[[], int]], name: str) -> None:
    with pytest.raises(RegistrationError, match="is built in"):
        registry.unregister(name)


def test_unknown_name_cannot_be_unregistered(registry: Registry[Callable[[], int]]) -> None:
    with pytest.raises(RegistrationError, match="is not registered"):
        registry.unregister("none")


@pytest.mark.parametrize("name", ["", "all.*"])
def test_what_is_no_name_is_refused(registry: Registry[Callable[[], int]], name: str) -> None:
    with pytest.raises(RegistrationError, match="is no name"):
        registry.register(name, first)


@pytest.mark.usefixtures("installed")
def test_entry_point_is_found_behind_what_is_built_in(
    registry: Registry[Callable[[], int]],
) -> None:
    third = registry.find("third")
    assert third is not None
    assert third() == 3
    assert registry.find("third") is third
    assert registry.find("plain") is first
    assert registry.names() == ["broken", "family.*", "plain", "third"]


@pytest.mark.usefixtures("installed")
def test_entry_point_that_cannot_be_imported_is_unsupported(
    registry: Registry[Callable[[], int]],
) -> None:
    with pytest.raises(UnsupportedError, match=r"'broken' of beside:nothing cannot be imported"):
        registry.find("broken")


@pytest.mark.usefixtures("installed")
def test_info_tells_where_a_name_comes_from(registry: Registry[Callable[[], int]]) -> None:
    registry.register("mine", first)
    assert registry.info("mine").origin == "registered"
    assert registry.info("third").origin == "installed"
    assert registry.info("third").provider == "beside:third"
    assert registry.info("family.any").origin == "built in"
    assert registry.info("plain").provider.endswith(":first")
    with pytest.raises(RegistrationError, match="is not registered"):
        registry.info("none")


def test_provider_of_an_object_is_its_class() -> None:
    registry = Registry("data type", {"one": 1}, group=GROUP)
    assert registry.info("one").provider == "builtins:int"


@pytest.mark.parametrize("name", ["", "family.*", None, 5])
def test_what_is_no_name_is_not_registered(
    registry: Registry[Callable[[], int]], name: Any
) -> None:
    with pytest.raises(RegistrationError, match="is no name"):
        registry.register(name, second, force=True)


def test_what_packages_offer_is_read_once(
    registry: Registry[Callable[[], int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_read = 0

    def count(*, group: str) -> Any:
        nonlocal n_read
        n_read += 1
        return entry_points(group=group)

    monkeypatch.setattr("zarrfs.registry.entry_points", count)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert registry.find("late") is None
    assert registry.find("later") is None
    assert n_read == 1
