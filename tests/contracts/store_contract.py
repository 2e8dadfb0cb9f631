"""The laws of `zarrfs.stores.base`, for every store: inherit a class, give it one fixture."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zarrfs.byte_range import ByteRange
from zarrfs.errors import KeyNotFoundError, StoreError, ZarrfsError
from zarrfs.stores.base import Listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zarrfs.stores.base import Store

    Seed = Callable[[Mapping[str, bytes]], Store]

ODD_KEYS = [
    "a/b x#?%é.json",
    "zarr.json",
    ".zarray",
    "c/0/1",
    "0.1.2",
    "a%2Fb",
    "a b+c&d=e",
    "\\back\\slash",
    "line\nfeed",
    "*[?]{}~",
    "日本/語",
    "..a/b..",
    "x" * 200,
    "a:b/c;d|e",
]
NO_KEYS = ["", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/..", ".", "./a", "a/./b", "a\0b"]
NO_PREFIXES = ["a", "/", "//", "/a/", "a//", "../", "a/../", "./", "a\0/"]

PARTS = st.text("ab-.#% é", min_size=1, max_size=4).filter(lambda part: part not in (".", ".."))
KEYS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
RANGES = st.builds(
    ByteRange, st.integers(-40, 40), st.one_of(st.none(), st.integers(min_value=0, max_value=60))
)

# One method serves every store that inherits it, each example with a store of its own.
inherited = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
)


def listing_of(contents: Mapping[str, bytes], prefix: str) -> list[Listed]:
    """What `list_dir` must give for a store with these contents."""
    below = {key.removeprefix(prefix).partition("/") for key in contents if key.startswith(prefix)}
    return sorted({Listed(name=name, is_prefix=bool(slash)) for name, slash, _ in below})


def without_key_prefixes(contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """Drop keys that are a directory of others, which a file system cannot hold."""
    return {
        key: value
        for key, value in contents.items()
        if not any(other.startswith(f"{key}/") for other in contents)
    }


class StoreContract:
    """Laws of reading. Give a fixture `seed`: contents -> a new store that holds them."""

    has_directories = False
    """A name is a key or a prefix, never both, as in a file system."""

    deepest = 1200
    """Parts of the deepest key tried: more than Python's stack holds."""

    @pytest.fixture
    def seed(self) -> Seed:
        raise NotImplementedError("a store's test class gives this fixture")

    # --- get --------------------------------------------------------------------------------

    @pytest.mark.parametrize("key", ODD_KEYS)
    def test_get_returns_what_is_stored_under_an_odd_key(self, seed: Seed, key: str) -> None:
        store = seed({key: b"value", "other": b"else"})
        assert bytes(store.get(key)) == b"value"
        assert store.stat(key).size == 5
        assert sorted(store.list_prefix("")) == sorted([key, "other"])

    def test_empty_object_is_not_a_missing_one(self, seed: Seed) -> None:
        store = seed({"empty": b""})
        assert bytes(store.get("empty")) == b""
        assert bytes(store.get("empty", ByteRange(0, 5))) == b""
        assert store.stat("empty").size == 0

    def test_large_object_comes_back_whole_and_in_spans(self, seed: Seed) -> None:
        value = b"".join(block.to_bytes(8, "big") * 128 for block in range(64 * 1024))
        assert len(value) == 64 << 20
        store = seed({"large": value})
        assert store.get("large") == value
        assert store.get("large", ByteRange(33_333_333, 1_000_000)) == value[33_333_333:34_333_333]
        assert store.get("large", ByteRange(-1000)) == value[-1000:]

    @inherited
    @given(value=st.binary(max_size=40), byte_range=RANGES)
    def test_range_is_a_slice_cut_at_the_end(
        self, seed: Seed, value: bytes, byte_range: ByteRange
    ) -> None:
        start, stop = byte_range.resolve(len(value))
        assert bytes(seed({"k": value}).get("k", byte_range)) == value[start:stop]

    @inherited
    @given(value=st.binary(max_size=40), ranges=st.lists(RANGES, max_size=5))
    def test_several_ranges_come_in_the_order_asked_for(
        self, seed: Seed, value: bytes, ranges: list[ByteRange]
    ) -> None:
        store = seed({"k": value})
        spans = [value[slice(*span.resolve(len(value)))] for span in ranges]
        assert [bytes(data) for data in store.get_ranges("k", ranges)] == spans

    @pytest.mark.parametrize("room", [None, 0, 4, 5, 100])
    @pytest.mark.parametrize("value", [b"", b"value"])
    def test_object_is_fetched_into_a_buffer_or_not(
        self, seed: Seed, value: bytes, room: int | None
    ) -> None:
        store = seed({"k": value})
        buffer = None if room is None else memoryview(bytearray(b"?" * room))
        data, info = store.fetch("k", buffer, len(value))
        assert data is not None
        assert bytes(data) == value
        assert info == (store.stat("k") if store.capabilities.cheap_stat else None)
        with pytest.raises(KeyNotFoundError):
            store.fetch("other", buffer, len(value))

    @pytest.mark.parametrize("room", [None, 1, 2, 100])
    @pytest.mark.parametrize(
        "byte_range", [ByteRange(1, 2), ByteRange(-2), ByteRange(3, 100), ByteRange(9, 1)]
    )
    def test_span_is_fetched_with_what_is_known_of_the_object(
        self, seed: Seed, byte_range: ByteRange, room: int | None
    ) -> None:
        store = seed({"k": b"value"})
        buffer = None if room is None else memoryview(bytearray(b"?" * room))
        data, info = store.fetch("k", buffer, 5, byte_range)
        assert data is not None
        assert bytes(data) == b"value"[slice(*byte_range.resolve(5))]
        assert info == (store.stat("k") if store.capabilities.cheap_stat else None)

    def test_an_object_larger_than_the_most_is_not_fetched_if_its_size_is_known(
        self, seed: Seed
    ) -> None:
        store = seed({"k": b"value"})
        data, info = store.fetch("k", None, 4)
        if store.capabilities.cheap_stat:
            assert (data, info) == (None, store.stat("k"))
        else:
            assert data is not None
            assert (bytes(data), info) == (b"value", None)

    def test_objects_that_are_expected_are_read_as_ever(self, seed: Seed) -> None:
        store = seed({"a/k": b"value", "b": b"other"})
        store.expect(["a/k", "b", "missing", "a", "../b", "", "a//k"])
        assert bytes(store.get("a/k")) == b"value"
        assert bytes(store.get("b")) == b"other"

    # --- missing is not failed -----------------------------------------------------------------

    @pytest.mark.parametrize("key", ["missing", "a", "a/b/c", "a/bb", "A/b", "a/b x", "a/b.json"])
    def test_missing_key_is_key_not_found(self, seed: Seed, key: str) -> None:
        store = seed({"a/b": b"value"})
        for ask in (
            lambda: store.get(key),
            lambda: store.get(key, ByteRange(0, 1)),
            lambda: store.get_ranges(key, [ByteRange(0, 1)]),
            lambda: store.stat(key),
        ):
            with pytest.raises(KeyNotFoundError) as caught:
                ask()
            assert caught.value.key == key
            assert not isinstance(caught.value, StoreError)

    @pytest.mark.parametrize("key", NO_KEYS)
    def test_what_is_no_key_is_refused(self, seed: Seed, key: str) -> None:
        store = seed({"a": b"value"})
        for ask in (
            lambda: store.get(key),
            lambda: store.get_ranges(key, [ByteRange(0, 1)]),
            lambda: store.stat(key),
            lambda: store.set(key, b""),
            lambda: store.delete(key),
        ):
            with pytest.raises(StoreError) as caught:
                ask()
            assert caught.value.key == key

    @pytest.mark.parametrize("prefix", NO_PREFIXES)
    def test_what_is_no_prefix_is_refused(self, seed: Seed, prefix: str) -> None:
        store = seed({"a/b": b"value"})
        with pytest.raises(StoreError):
            store.list_dir(prefix)
        with pytest.raises(StoreError):
            list(store.list_prefix(prefix))
        with pytest.raises(StoreError):
            store.has_prefix(prefix)

    # --- stat and listing ---------------------------------------------------------------------

    def test_stat_stays_the_same_while_nothing_changes(self, seed: Seed) -> None:
        store = seed({"k": b"value"})
        assert store.stat("k") == store.stat("k")
        assert store.stat("k").mtime_ns >= 0

    @inherited
    @given(contents=st.dictionaries(KEYS, st.binary(max_size=3), max_size=12), more=KEYS)
    def test_listings_are_those_of_a_dict(
        self, seed: Seed, contents: dict[str, bytes], more: str
    ) -> None:
        if self.has_directories:
            contents = without_key_prefixes(contents)
        store = seed(contents)
        parents = {
            key[: at + 1] for key in [*contents, more] for at, c in enumerate(key) if c == "/"
        }
        for prefix in ["", *parents, f"{more}/"]:
            assert store.list_dir(prefix) == listing_of(contents, prefix)
            below = [key for key in contents if key.startswith(prefix)]
            in_tree_order = sorted(below, key=lambda key: key.split("/"))
            assert list(store.list_prefix(prefix)) == in_tree_order
            if prefix or contents:  # the root is there even if empty, where it is a directory
                assert store.has_prefix(prefix) == bool(below)

    def test_name_below_a_prefix_is_no_string_prefix(self, seed: Seed) -> None:
        store = seed({"a/b": b"", "ab/c": b"", "a.b": b""})
        assert store.list_dir("a/") == [Listed(name="b", is_prefix=False)]
        assert list(store.list_prefix("")) == ["a/b", "a.b", "ab/c"]

    def test_three_thousand_keys_are_listed(self, seed: Seed) -> None:
        keys = [f"c/{i // 100}/{i % 100}" for i in range(3000)]
        store = seed(dict.fromkeys(keys, b"x"))
        assert len(store.list_dir("c/")) == 30
        assert sorted(store.list_prefix("")) == sorted(keys)

    def test_deep_key_is_listed(self, seed: Seed) -> None:
        key = "/".join(["d"] * self.deepest)
        assert list(seed({key: b"x"}).list_prefix("")) == [key]

    # --- everything else ------------------------------------------------------------------------

    def test_threads_read_at_once(self, seed: Seed) -> None:
        contents = {f"k{i}": bytes([i]) * (10_000 + i) for i in range(16)}
        store = seed(contents)

        def read(turn: int) -> bool:
            key = f"k{turn % 16}"
            whole = store.get(key) == contents[key]
            return whole and store.get(key, ByteRange(turn, 50)) == contents[key][turn : turn + 50]

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(read, range(400)))

    def test_disk_usage_is_unknown_or_adds_up(self, seed: Seed) -> None:
        usage = seed({}).disk_usage()
        assert usage is None or 0 <= usage.free <= usage.total

    def test_errors_name_store_and_key(self, seed: Seed) -> None:
        store = seed({})
        with pytest.raises(StoreError) as caught:
            store.get("../secret")
        assert "../secret" in str(caught.value)
        assert caught.value.store
        assert store.url.endswith(caught.value.store)  # a wrapper's is longer
        assert caught.value.store in str(caught.value)

    def test_unpickled_it_is_the_same_store_if_it_says_so(self, seed: Seed) -> None:
        store = seed({"k": b"value"})
        if not store.capabilities.multiprocess:
            return
        assert bytes(pickle.loads(pickle.dumps(store)).get("k")) == b"value"

    def test_close_can_be_called_twice(self, seed: Seed) -> None:
        store = seed({"k": b""})
        store.close()
        store.close()


class WritableStoreContract(StoreContract):
    """Laws of reading and writing. Give a fixture `make`: nothing -> a new, empty store."""

    @pytest.fixture
    def make(self) -> Callable[[], Store]:
        raise NotImplementedError("a store's test class gives this fixture")

    @pytest.fixture
    def seed(self, make: Callable[[], Store]) -> Seed:
        def seed(contents: Mapping[str, bytes]) -> Store:
            store = make()
            for key, value in contents.items():
                store.set(key, value)
            return store

        return seed

    @pytest.fixture
    def store(self, make: Callable[[], Store]) -> Store:
        return make()

    def test_says_that_it_is_writable(self, store: Store) -> None:
        assert store.capabilities.writable

    @pytest.mark.parametrize(
        "value",
        [
            b"\1\0\0\0",
            bytearray(b"\1\0\0\0"),
            memoryview(b"\1\0\0\0"),
            memoryview(b"\1\0\0\0").cast("i"),
        ],
    )
    def test_any_buffer_is_stored_as_its_bytes(
        self, store: Store, value: bytes | bytearray | memoryview
    ) -> None:
        store.set("k", value)
        assert bytes(store.get("k")) == b"\1\0\0\0"

    def test_stored_object_does_not_follow_the_buffer(self, store: Store) -> None:
        value = bytearray(b"before")
        store.set("k", value)
        value[:] = b"after!"
        assert bytes(store.get("k")) == b"before"

    def test_set_replaces_the_whole_object(self, store: Store) -> None:
        store.set("k", b"a long value")
        store.set("k", b"short")
        assert bytes(store.get("k")) == b"short"

    def test_version_changes_with_the_bytes(self, store: Store) -> None:
        store.set("k", b"-")
        before = store.stat("k")
        for turn in range(20):
            store.set("k", bytes([turn]))
            after = store.stat("k")
            assert after.version != before.version
            assert after.mtime_ns >= before.mtime_ns
            before = after

    def test_delete_removes_one_object(self, store: Store) -> None:
        store.set("a/b", b"1")
        store.set("a/c", b"2")
        store.delete("a/b")
        with pytest.raises(KeyNotFoundError):
            store.get("a/b")
        assert list(store.list_prefix("")) == ["a/c"]

    @pytest.mark.parametrize("key", ["missing", "a", "a/b/c", "x/y/z"])
    def test_delete_of_a_missing_key_does_nothing(self, store: Store, key: str) -> None:
        store.set("a/b", b"1")
        store.delete(key)
        assert list(store.list_prefix("")) == ["a/b"]

    def test_prefix_goes_with_its_last_key(self, store: Store) -> None:
        store.set("a/b/c", b"")
        store.set("z", b"")
        store.delete("a/b/c")
        assert store.list_dir("") == [Listed(name="z", is_prefix=False)]
        assert store.list_dir("a/") == []

    @inherited
    @given(
        steps=st.lists(
            st.tuples(st.sampled_from(["set", "delete"]), KEYS, st.binary(max_size=3)), max_size=20
        )
    )
    def test_writing_is_that_of_a_dict(
        self, make: Callable[[], Store], steps: list[tuple[str, str, bytes]]
    ) -> None:
        store, model = make(), dict[str, bytes]()
        for step, key, value in steps:
            if step == "delete":
                store.delete(key)
                model.pop(key, None)
                continue
            wanted = {**model, key: value}
            if self.has_directories and without_key_prefixes(wanted) != wanted:
                with pytest.raises(StoreError):
                    store.set(key, value)
            else:
                store.set(key, value)
                model = wanted
        assert {key: bytes(store.get(key)) for key in store.list_prefix("")} == model

    # --- whole or not at all ------------------------------------------------------------------

    def test_readers_never_see_a_mix(self, store: Store) -> None:
        size, is_over, mixes = 100_000, threading.Event(), list[bytes]()
        store.set("k", b"\0" * size)

        def read() -> int:
            turns = 0
            while not is_over.is_set() or not turns:
                data = bytes(store.get("k"))
                spans = [
                    bytes(part) for part in store.get_ranges("k", [ByteRange(-9), ByteRange(0)])
                ]
                if len(data) != size or len(set(data)) != 1 or len(spans[0]) != 9:
                    mixes.append(data)
                turns += 1
            return turns

        def write(value: int) -> None:
            for _ in range(40):
                store.set("k", bytes([value]) * size)

        with ThreadPoolExecutor(4) as pool:
            readers = [pool.submit(read) for _ in range(2)]
            writers = [pool.submit(write, value) for value in (1, 2)]
            try:
                for writer in writers:
                    writer.result()
            finally:
                is_over.set()
            assert all(reader.result() for reader in readers)
        assert not mixes

    def test_writers_and_deleters_of_one_prefix_do_not_disturb_each_other(
        self, store: Store
    ) -> None:
        def work(worker: int) -> None:
            for turn in range(60):
                store.set(f"a/b/{worker}", bytes([turn]))
                assert bytes(store.get(f"a/b/{worker}")) == bytes([turn])
                store.delete(f"a/b/{worker}")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        assert list(store.list_prefix("")) == []

    # --- capabilities -----------------------------------------------------------------------

    def test_set_new_stores_only_once(self, store: Store) -> None:
        if not store.capabilities.conditional:
            with pytest.raises(StoreError):
                store.set_new("a/k", b"first")
            return
        assert store.set_new("a/k", b"first")
        assert not store.set_new("a/k", b"second")
        assert bytes(store.get("a/k")) == b"first"
        with ThreadPoolExecutor(8) as pool:
            wins = list(pool.map(lambda turn: store.set_new("race", bytes([turn])), range(8)))
        assert wins.count(True) == 1
        assert bytes(store.get("race")) == bytes([wins.index(True)])

    def test_rename_moves_and_replaces(self, store: Store) -> None:
        if not store.capabilities.rename:
            with pytest.raises(StoreError):
                store.rename("a/old", "b/new")
            return
        store.set("a/old", b"1")
        store.set("b/new", b"2")
        store.rename("a/old", "b/new")
        assert bytes(store.get("b/new")) == b"1"
        assert list(store.list_prefix("")) == ["b/new"]
        store.rename("b/new", "b/new")
        store.rename("b/new", "c/d/e")
        assert list(store.list_prefix("")) == ["c/d/e"]
        with pytest.raises(KeyNotFoundError):
            store.rename("missing", "c/d/e")
        assert bytes(store.get("c/d/e")) == b"1"
        for key, new_key in (("../c", "x"), ("c/d/e", "../x")):
            with pytest.raises(ZarrfsError):
                store.rename(key, new_key)
