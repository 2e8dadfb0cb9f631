from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.vfs.mounting import PATIENCE
from zarrfs.arrays.expiring import Expiring

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.vfs.mounting import Clock


class Source:
    """Makes answers 1, 2, 3 …."""

    def __init__(self) -> None:
        self.n = 0

    def __call__(self) -> int:
        self.n += 1
        return self.n


def test_answer_is_good_until_its_time_is_over(clock: Clock) -> None:
    answers: Expiring[str, int] = Expiring(lambda _: 10, limit=5)
    make = Source()
    assert [answers.get("a", make), answers.get("a", make), answers.known("a")] == [1, 1, 1]
    clock.advance(10)
    assert answers.known("a") is None
    assert answers.get("a", make) == 2


def test_without_time_nothing_is_remembered() -> None:
    answers: Expiring[str, int] = Expiring(lambda _: 0, limit=5)
    make = Source()
    assert [answers.get("a", make), answers.get("a", make)] == [1, 2]
    assert len(answers) == 0


def test_how_long_may_depend_on_the_answer(clock: Clock) -> None:
    answers: Expiring[str, int] = Expiring(lambda answer: answer, limit=5)
    answers.replace("a", 1)
    answers.replace("b", 100)
    clock.advance(50)
    assert (answers.known("a"), answers.known("b")) == (None, 100)


def test_replace_returns_what_was_good_until_now(clock: Clock) -> None:
    answers: Expiring[str, int] = Expiring(lambda _: 10, limit=5)
    assert [answers.replace("a", 1), answers.replace("a", 2)] == [None, 1]
    clock.advance(10)
    assert answers.replace("a", 3) is None


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 6)), min_size=1, max_size=30))
def test_weights_stay_within_the_limit_and_the_newest_is_kept(put: list[tuple[str, int]]) -> None:
    answers: Expiring[str, int] = Expiring(lambda _: 1e9, limit=10, weigh=lambda weight: weight)
    for key, weight in put:
        answers.replace(key, weight)
        assert answers.known(key) == weight
        kept = [answers.known(each) for each in "abcdefgh"]
        assert sum(filter(None, kept)) <= 10
        assert len(answers) == len(kept) - kept.count(None)


def test_oldest_answers_go_first() -> None:
    answers: Expiring[str, int] = Expiring(lambda _: 1e9, limit=2)
    for key in ("a", "b", "a", "c"):
        answers.replace(key, 1)
    assert [answers.known(key) for key in "abc"] == [1, None, 1]


def test_answer_heavier_than_the_limit_is_given_but_not_kept() -> None:
    answers: Expiring[str, int] = Expiring(lambda _: 10, limit=5, weigh=lambda weight: weight)
    assert answers.get("a", lambda: 6) == 6
    assert len(answers) == 0


def test_what_has_expired_is_let_go_when_something_new_comes(clock: Clock) -> None:
    answers: Expiring[int, int] = Expiring(lambda _: 10, limit=100)
    for key in range(50):
        answers.replace(key, key)
    clock.advance(10)
    answers.replace(50, 50)
    assert len(answers) == 1


def test_answer_asked_for_before_all_was_forgotten_is_not_kept() -> None:
    answers: Expiring[str, int] = Expiring(lambda _: 10, limit=5)

    def make() -> int:
        answers.clear()
        return 1

    assert answers.get("a", make) == 1
    assert answers.known("a") is None


def test_many_threads_at_once_keep_the_limit() -> None:
    answers: Expiring[int, int] = Expiring(lambda _: 10, limit=20)
    wrong: list[int] = []

    def work(first: int) -> Callable[[], None]:
        def run() -> None:
            for i in range(300):
                key = (first + i * 7) % 60
                if answers.get(key, partial(int, key)) != key:
                    wrong.append(key)
                if i % 50 == 0:
                    answers.clear()

        return run

    threads = [threading.Thread(target=work(n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not wrong
    assert len(answers) <= 20
