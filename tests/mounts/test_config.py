"""Option texts <-> mount options."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarrfs.errors import UsageError
from zarrfs.mounts.config import (
    DROPPED,
    KERNEL_OPTIONS,
    OPTIONS,
    REFUSED,
    MountConfig,
    MountOptions,
    parse_config,
    parse_options,
    split_options,
)
from zarrfs.mounts.memory import default_memory

keys = st.text(st.characters(exclude_characters='",=', exclude_categories=["Cs"]), min_size=1)
values = st.none() | st.text(st.characters(exclude_characters='"', exclude_categories=["Cs"]))


def options(text: str) -> MountOptions:
    return parse_options(split_options(text))


@given(st.lists(st.tuples(keys, values)))
def test_split_is_the_inverse_of_joining_with_quotes(pairs: list[tuple[str, str | None]]) -> None:
    text = ",".join(key if value is None else f'{key}="{value}"' for key, value in pairs)
    assert split_options(text) == pairs


@given(st.text())
def test_split_never_fails_but_with_a_usage_error(text: str) -> None:
    try:
        pairs = split_options(text)
    except UsageError:
        return
    assert all(key for key, _ in pairs)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        ("ro", [("ro", None)]),
        ("ro,,rw,", [("ro", None), ("rw", None)]),
        ("key=", [("key", "")]),
        ("url=http://h:9/x?y=1,ro", [("url", "http://h:9/x?y=1"), ("ro", None)]),
        ('a="x,y",b=z', [("a", "x,y"), ("b", "z")]),
        ('a=x"1,2"y', [("a", 'x"1,2"y')]),
    ],
)
def test_split_options(text: str, pairs: list[tuple[str, str | None]]) -> None:
    assert split_options(text) == pairs


@pytest.mark.parametrize("text", ['a="x', "=1", 'ro,a="'])
def test_split_refuses_what_has_no_end_or_no_name(text: str) -> None:
    with pytest.raises(UsageError):
        split_options(text)


def test_defaults() -> None:
    parsed = options("")
    assert parsed == MountOptions()
    assert parsed.memory == default_memory()
    assert not parsed.read_only


def test_every_option_has_its_field_and_a_text() -> None:
    for name, option in OPTIONS.items():
        assert hasattr(MountOptions(), name)
        assert option.description
        assert option.default


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("layout=npy", "layout", "npy"),
        ("views=bin:npy", "views", ("bin", "npy")),
        ("views=all", "views", ("all",)),
        ("views=none", "views", ("none",)),
        ("endian=big", "endian", "big"),
        ("memory=64M", "memory", 64 << 20),
        ("attr_timeout=0", "attr_timeout", 0.0),
        ("attr-timeout=500ms", "attr_timeout", 0.5),
        ("timeout=2m", "timeout", 120.0),
        ("names_timeout=1h", "names_timeout", 3600.0),
        ("keep_cache=off", "keep_cache", False),
        ("keep_cache", "keep_cache", True),
        ("debug", "debug", True),
        ("ro", "read_only", True),
        ("ro,rw", "read_only", False),
        ("rw,ro", "read_only", True),
        ("fsname=x", "fsname", "x"),
        ("cache_dir=/a b/c", "cache_dir", "/a b/c"),
        ("cache_size=0", "cache_size", 0),
        ("cache-size=20G", "cache_size", 20 << 30),
        ("memory=32M,memory=64M", "memory", 64 << 20),
    ],
)
def test_option_is_read(text: str, field: str, value: object) -> None:
    assert getattr(options(text), field) == value


@pytest.mark.parametrize(
    "text",
    [
        "memory=lots",
        "memory=1k",
        "memory",
        "timeout=0",
        "timeout=-1",
        "timeout=1e9999",
        "attr_timeout=soon",
        "keep_cache=perhaps",
        "allow_other=perhaps",
        "views=",
        "views=bin::npy",
        "endian=middle",
        "layout",
        "fsname=",
        "cache_dir",
        "cache_dir=here",
        "cache_dir=~/here",
        "cache_size=10%",
    ],
)
def test_wrong_value_names_the_option(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        options(text)
    assert text.partition("=")[0] in str(caught.value)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refused_option_says_why(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        options(f"{name}=1")


@pytest.mark.parametrize("name", sorted(DROPPED))
def test_what_fstab_may_hold_is_dropped(name: str) -> None:
    assert options(name) == MountOptions()


def test_what_systemd_reads_is_dropped() -> None:
    assert options("x-systemd.automount,x-gvfs-hide,X-mount.mkdir") == MountOptions()


@pytest.mark.parametrize("name", sorted(KERNEL_OPTIONS))
def test_kernel_option_is_passed_on(name: str) -> None:
    assert name in options(name).kernel
    assert name not in options(f"{name},{name}=off").kernel


@pytest.mark.parametrize("name", ["allow_other", "allow_root"])
def test_others_come_with_the_kernel_checking_modes(name: str) -> None:
    assert options(name).kernel == {name, "default_permissions"}


def test_unknown_option_is_left_for_the_store() -> None:
    parsed = options('anon,endpoint-url=http://h:9,key="a,b"')
    assert parsed.store == (("anon", "true"), ("endpoint_url", "http://h:9"), ("key", "a,b"))


@given(
    st.text(),
    st.text(),
    st.lists(
        st.sampled_from(
            ["ro", "allow_other", "views=bin:npy", "endian=big", "memory=1G", "cache_dir=/x", "a=b"]
        )
    ),
)
def test_config_survives_json(store: str, mountpoint: str, texts: list[str]) -> None:
    config = MountConfig(store=store, mountpoint=mountpoint, options=options(",".join(texts)))
    assert parse_config(config.to_json()) == config
