"""The inode table against a model: what the kernel was told, less what it forgot."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from zarrfs.fuse import inodes
from zarrfs.fuse.inodes import ROOT, InodeNumber, Inodes

if TYPE_CHECKING:
    from tests.log_check import LogCheck

PATHS = st.sampled_from(["", "a", "a/b", "b", "zarr/a", "\udcff"])


class Model(RuleBasedStateMachine):
    """Random look-ups and forgets; the kernel never forgets more often than it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.table = Inodes()
        self.counts: Counter[str] = Counter()
        self.numbers: dict[str, InodeNumber] = {"": ROOT}

    @rule(path=PATHS)
    def look_up(self, path: str) -> None:
        expected = self.table.number(path)
        number = self.table.look_up(path)
        assert number == expected == self.numbers.get(path, expected)
        self.numbers[path] = number
        self.counts[path] += 1

    @rule(path=PATHS, share=st.floats(0, 1))
    def forget(self, path: str, share: float) -> None:
        n = int(self.counts[path] * share)
        if n:
            self.table.forget(self.numbers[path], n)
            self.counts[path] -= n

    @invariant()
    def knows_what_is_referred_to(self) -> None:
        known = {path for path, n in self.counts.items() if n} | {""}
        assert len(self.table) == len(known)
        for path in known:
            assert self.table.path(self.numbers[path]) == path
            assert self.table.number(path) == self.numbers[path]


class ModelWithCollisions(Model):
    """The same where hashes collide; a number may change once it was forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(inodes, "_hash", lambda path: InodeNumber(100 + len(path) % 2))

    def teardown(self) -> None:
        self.patch.undo()

    @rule(path=PATHS)
    def look_up(self, path: str) -> None:
        if path and not self.counts[path]:
            self.numbers.pop(path, None)
        super().look_up(path)
        taken = [number for path, number in self.numbers.items() if self.counts[path]]
        assert len(set(taken)) == len(taken)


TestInodes = Model.TestCase
TestInodesThatCollide = ModelWithCollisions.TestCase


def test_number_is_the_same_in_another_table() -> None:
    first, second = Inodes(), Inodes()
    for path in ("x", "y", "a/b"):
        first.look_up(path)
    assert first.look_up("bin/a.bin") == second.look_up("bin/a.bin")


def test_number_fits_a_signed_integer_and_is_none_of_the_kernels() -> None:
    numbers = [Inodes().number(str(n)) for n in range(1000)]
    assert all(16 <= number < 2**63 for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_root_is_never_forgotten() -> None:
    table = Inodes()
    table.forget(ROOT, 1000)
    assert table.path(ROOT) == ""


def test_unknown_number_is_forgotten_with_a_warning(expected_logs: LogCheck) -> None:
    """An exception out of `forget` would end the mount."""
    expected_logs("inode 4711 was forgotten 2 times too often", times=1)
    Inodes().forget(InodeNumber(4711), 2)


def test_number_forgotten_too_often_is_gone_with_a_warning(expected_logs: LogCheck) -> None:
    expected_logs("forgotten 1 times too often", times=1)
    table = Inodes()
    table.forget(table.look_up("a"), 2)
    assert len(table) == 1
