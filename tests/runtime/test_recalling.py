"""Dear answers are given again for a while, cheap ones never."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from trueup.runtime import recalling
from trueup.runtime.recalling import Recalled


def counting() -> Iterator[int]:
    return count(1)


def test_what_was_dear_is_recalled_by_its_key() -> None:
    asked = counting()
    place = Recalled[int](seconds=60, dear=lambda _number: True)

    assert [place.of(key, lambda: next(asked)) for key in ("a", "a", "b", "a")] == [1, 1, 2, 1]


def test_what_was_cheap_is_asked_each_time() -> None:
    asked = counting()
    place = Recalled[int](seconds=60, dear=lambda number: number > 2)

    assert [place.of("a", lambda: next(asked)) for _ in range(5)] == [1, 2, 3, 3, 3]


def test_what_is_old_is_asked_anew() -> None:
    asked = counting()
    place = Recalled[int](seconds=0, dear=lambda _number: True)

    assert [place.of("a", lambda: next(asked)) for _ in range(2)] == [1, 2]


def test_no_place_keeps_more_than_its_share() -> None:
    place = Recalled[int](seconds=60, dear=lambda _number: True)
    for number in range(recalling.MOST + 1):
        place.of(number, lambda number=number: number)  # type: ignore[misc]

    assert place.of(0, lambda: -1) == -1
    assert place.of(recalling.MOST, lambda: -1) == recalling.MOST


def test_everything_can_be_forgotten() -> None:
    place = Recalled[int](seconds=60, dear=lambda _number: True)
    place.of("a", lambda: 1)

    recalling.forget()

    assert place.of("a", lambda: 2) == 2
