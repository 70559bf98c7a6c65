"""Dividing a list among many readers loses nothing and doubles nothing, whatever the list and the turns."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from trueup.mirror.backfill import rules
from trueup.mirror.backfill.rules import FANOUT, Page, Span

Objects = list[tuple[int, str]]

DAY = 86_400
SEEDS = st.integers(0, 2**32)


def stripes(objects: Objects, span: Span, size: int) -> Page:
    """The page that Stripe would answer: newest first, filtered by ``created``, after the cursor."""
    asked = rules.params(span, size=size)
    bounds = asked.get("created", {})
    found = [
        (created, name)
        for created, name in objects
        if created >= bounds.get("gte", 0) and created < bounds.get("lt", 2**62)
    ]
    if "starting_after" in asked:
        found = found[[name for _created, name in found].index(asked["starting_after"]) + 1 :]
    shown = found[:size]
    return Page(
        ids=[name for _created, name in shown],
        created=[created for created, _name in shown],
        has_more=len(found) > size,
    )


def read_all(objects: Objects, *, since: int, size: int, turns: random.Random) -> tuple[list[str], int]:
    """Read a list as many readers would, whose turns come in any order; gives the ids read and the number of pages."""
    spans, read, pages = [Span(since=since)], list[str](), 0
    while spans:
        span = spans.pop(turns.randrange(len(spans)))
        page = stripes(objects, span, size)
        pages += 1
        read += page.ids
        step = rules.step(span, page, room=FANOUT - len(spans) - 1)
        spans += step.lower
        if step.rest is not None:
            spans.append(step.rest)
        assert len(spans) <= FANOUT
    return read, pages


def made(seconds: list[int]) -> Objects:
    """Objects of these seconds, newest first; those of one second in an order of Stripe's own."""
    return [(second, f"o_{number}") for number, second in enumerate(sorted(seconds, reverse=True))]


moments = st.one_of(
    st.integers(1, 2**31),
    st.integers(rules.DAWN - 2, rules.DAWN + 2),
    st.integers(1_790_000_000, 1_790_000_009),
)


@given(seconds=st.lists(moments, max_size=120), since=st.integers(0, 2**31), size=st.integers(1, 7), seed=SEEDS)
@example(seconds=[1_790_000_000] * 30, since=0, size=3, seed=1)
@example(seconds=[1] * 30, since=0, size=3, seed=1)
def test_every_object_is_read_once(seconds: list[int], since: int, size: int, seed: int) -> None:
    objects = made(seconds)

    read, _pages = read_all(objects, since=since, size=size, turns=random.Random(seed))

    assert sorted(read) == sorted(name for created, name in objects if created >= since)


@given(seconds=st.lists(moments, max_size=60), size=st.integers(1, 5), room=st.integers(0, FANOUT))
def test_what_is_left_joins_without_a_gap(seconds: list[int], size: int, room: int) -> None:
    span = Span()
    step = rules.step(span, stripes(made(seconds), span, size), room=room)

    bounds = [*((part.since, part.until) for part in step.lower)]
    if step.rest is not None:
        bounds.append((step.rest.since, step.rest.until))
        assert bounds[0][0] == 0
        assert bounds[-1][1] is None
    assert all(one[1] == next_one[0] for one, next_one in pairwise(bounds))
    assert len(step.lower) <= room


def _spread(kind: str, number: int, turns: random.Random) -> list[int]:
    end, years = 1_790_000_000, 6 * 365 * DAY
    if kind == "even":
        return [end - turns.randrange(years) for _ in range(number)]
    if kind == "growing":
        return [end - int(years * turns.random() ** 4) for _ in range(number)]
    return [end - turns.randrange(5) * 200 * DAY - turns.randrange(DAY) for _ in range(number)]


@settings(max_examples=10, deadline=None)
@given(kind=st.sampled_from(["even", "growing", "bursts"]), seed=SEEDS)
def test_it_costs_few_pages_more_than_there_are(kind: str, seed: int) -> None:
    turns = random.Random(seed)
    objects = made(_spread(kind, 4_000, turns))

    _read, pages = read_all(objects, since=0, size=100, turns=turns)

    assert pages <= 2 * 40 + 5 * FANOUT


def test_a_list_that_does_not_say_when_is_read_by_its_cursor_alone() -> None:
    page = Page(ids=["ii_2", "ii_1"], created=[None, None], has_more=True)

    step = rules.step(Span(since=5), page, room=FANOUT)

    assert step == rules.Step(rest=Span(since=5, cursor="ii_1"))


def test_a_full_list_is_divided_by_how_dense_it_is() -> None:
    newest = 1_790_000_000
    page = Page(ids=["b", "a"], created=[newest, newest - 9], has_more=True)

    step = rules.step(Span(since=newest - 39), page, room=FANOUT)

    # Two objects in ten seconds, and thirty seconds are left: three parts, the newest of which goes on behind "a".
    assert step.lower == (
        Span(since=newest - 39, until=newest - 29),
        Span(since=newest - 29, until=newest - 19),
    )
    assert step.rest == Span(since=newest - 19, cursor="a", cursor_second=newest - 9)


def test_behind_a_cursor_that_is_gone_its_second_is_read_again() -> None:
    gone = Span(since=5, until=100, cursor="a", cursor_second=50)

    assert rules.without_cursor(gone) == Span(since=5, until=51)
    assert rules.without_cursor(Span(since=5, cursor="a")) == Span(since=5)


def test_what_is_left_is_not_guessed_before_the_oldest_span_was_looked_at() -> None:
    newest = rules.DAWN + 999
    spans = [Span(until=rules.DAWN + 500)]

    assert rules.left(spans, listed=100, newest=newest, oldest_seen=False) is None
    assert rules.left(spans, listed=100, newest=newest, oldest_seen=True) == 100
    assert rules.left([], listed=100, newest=newest, oldest_seen=False) == 0
    assert rules.left(spans, listed=0, newest=None, oldest_seen=True) is None
