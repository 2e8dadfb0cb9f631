"""What a daemon makes of its configuration, before anything is mounted."""

from __future__ import annotations

import pytest

from zarrfs.mounts.config import MountConfig, MountOptions, parse_options, split_options
from zarrfs.mounts.serving import fuse_options, secrets_of, store_name
from zarrfs.stores.memory import MemoryStore


def config(store: str = "x", options: str = "") -> MountConfig:
    parsed = parse_options(split_options(options)) if options else MountOptions()
    return MountConfig(store=store, mountpoint="/mnt", options=parsed)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("/data/era5.zarr", "era5"),
        ("/data/era5.zarr/", "era5"),
        ("/data/era5.zarr.zip", "era5"),
        ("/data/era5", "era5"),
        ("/data/.zarr", ".zarr"),
        ("/", "root"),
        ("/data/what?.zarr", "what?"),
        ("/data/100%25 é.zarr", "100%25 é"),
        ("fault+/data/era5.zarr?error=always", "era5"),
        ("file:///data/my%20data.zarr", "my data"),
        ("file:///data/a%2Fb.zarr", "a_b"),
        ("s3://bucket/a/b.zarr?region=x", "b"),
        ("memory://name", "root"),
    ],
)
def test_store_name(url: str, name: str) -> None:
    assert store_name(url) == name


def options_of(options: str = "", *, name: str = "x") -> frozenset[str]:
    return fuse_options(config(options=options), MemoryStore(name), is_read_only=True)


def test_kernel_knows_source_type_and_mode() -> None:
    assert options_of() == {"fsname=memory://x", "subtype=zarrfs", "ro"}


def test_kernel_options_are_passed_on() -> None:
    assert {"allow_other", "default_permissions", "noexec"} <= options_of("allow_other,noexec")


@pytest.mark.parametrize(
    ("fsname", "expected"),
    [
        ("plain name", "plain name"),
        ("a,b", "a\\,b"),
        ("a\\b", "a\\\\b"),
        ("température", "temp%C3%A9rature"),
        ("100%", "100%"),
    ],
)
def test_source_is_ascii_and_escaped(fsname: str, expected: str) -> None:
    assert f"fsname={expected}" in options_of(f'fsname="{fsname}"')


@pytest.mark.parametrize(
    ("store", "options", "secrets"),
    [
        ("/data/x.zarr?password=a", "", []),
        ("s3://bucket/x", "anon", []),
        ("s3://bucket/x", "key=AKIA,secret=hush,region=eu", ["AKIA", "hush"]),
        ("mongodb://me:hush@host/db?authSource=admin&tls=1", "", ["me", "hush", "admin"]),
        ("https://host/x.zarr?sig=abc%3D&v=1", "", ["abc%3D", "abc="]),
    ],
)
def test_secrets(store: str, options: str, secrets: list[str]) -> None:
    assert sorted(secrets_of(config(store, options))) == sorted(secrets)
