from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zarrfs.arrays.batching import TASK_BYTES, batches

GROUPS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 9), min_size=1).map(
    lambda counts: {key: [(i,) for i in range(n)] for key, n in counts.items()}
)
"""Objects, and some chunks of each."""

SHARES = st.none() | st.integers(1, 5)


@given(GROUPS, st.integers(0, TASK_BYTES), SHARES)
def test_each_chunk_is_in_one_batch_and_in_order(
    groups: dict[str, list[tuple[int]]], nbytes: int, n_shares: int | None
) -> None:
    found: dict[str, list[tuple[int, ...]]] = {}
    for task in batches(groups, nbytes, n_shares=n_shares):
        for key, batch in task:
            assert batch
            found.setdefault(key, []).extend(batch)
    assert found == groups
    assert list(found) == list(groups)


@given(GROUPS, st.integers(1, TASK_BYTES), st.integers(1, 5))
def test_few_chunks_are_shared_out_evenly(
    groups: dict[str, list[tuple[int]]], nbytes: int, n_shares: int
) -> None:
    sizes = [
        sum(len(batch) for _, batch in task) for task in batches(groups, nbytes, n_shares=n_shares)
    ]
    n_chunks = sum(map(len, groups.values()))
    most = min(TASK_BYTES // nbytes, -(-n_chunks // n_shares))
    assert sum(sizes) == n_chunks
    assert set(sizes[:-1]) <= {most}
    assert 1 <= sizes[-1] <= most


@given(GROUPS, st.integers(1, TASK_BYTES))
def test_objects_that_take_their_time_have_a_task_each(
    groups: dict[str, list[tuple[int]]], nbytes: int
) -> None:
    tasks = list(batches(groups, nbytes, n_shares=None))
    assert all(len(task) == 1 for task in tasks)
    most = TASK_BYTES // nbytes
    assert len(tasks) == sum(-(-len(group) // most) for group in groups.values())
