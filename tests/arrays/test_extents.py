from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zarrfs.arrays.extents import FreeExtents


def test_the_lowest_that_fits_is_taken() -> None:
    free = FreeExtents(10)
    assert [free.take(3), free.take(3), free.take(3), free.take(3)] == [0, 3, 6, None]
    free.give(0, 3)
    free.give(6, 3)
    assert free.take(4) == 6
    assert free.take(2) == 0


def test_neighbours_make_one_extent() -> None:
    free = FreeExtents(9)
    for _ in range(3):
        free.take(3)
    for offset in (0, 6, 3):
        free.give(offset, 3)
    assert free.take(9) == 0


def test_nothing_is_free_beyond_a_cut() -> None:
    free = FreeExtents(10)
    assert free.take(4) == 0
    free.cut(6)
    assert free.n_bytes == 2
    assert free.take(3) is None
    free.cut(3)
    free.give(3, 1)
    assert free.n_bytes == 0
    free.give(0, 3)
    assert free.n_bytes == 3
    assert free.take(3) == 0


def test_a_file_of_no_bytes_has_no_room() -> None:
    assert FreeExtents(0).take(1) is None


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 12)), max_size=40), st.integers(0, 60))
def test_extents_never_overlap_and_none_is_lost(steps: list[tuple[bool, int]], limit: int) -> None:
    free, taken = FreeExtents(limit), list[tuple[int, int]]()
    used: set[int] = set()
    for is_take, size in steps:
        if is_take:
            holes = [at for at in range(limit - size + 1) if not used & set(range(at, at + size))]
            offset = free.take(size)
            assert offset == min(holes, default=None)
            if offset is not None:
                taken.append((offset, size))
                used |= set(range(offset, offset + size))
        elif taken:
            offset, n = taken.pop(size % len(taken))
            free.give(offset, n)
            used -= set(range(offset, offset + n))
        assert free.n_bytes == limit - len(used)
