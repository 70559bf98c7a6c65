"""The incremental answer is the full one, however facts arrive; and the usual event needs no other."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mirror.order.facts import OF, born, gone, read, shown, step
from tests.mirror.order.histories import life
from trueup.mirror.order.resolve import advance, resolve
from trueup.mirror.order.traces import read_of, trace_of
from trueup.mirror.order.types import Head, Need, PlaceKind, Trace, Verdict
from trueup.mirror.rules import facts_of

EVENTS = st.builds(
    Trace,
    second=st.integers(1, 6),
    fact_id=st.just(""),
    event_type=st.sampled_from(["x.updated", "x.created", "x.paid", "x.captured"]),
    state=st.integers(0, 3),
    before=st.none() | st.integers(0, 3),
    made=st.sampled_from([1, 1, 1, 3, None]),
    version=st.sampled_from(["v1", "v1", "v1", "v2"]),
    stage=st.sampled_from([None, 0, 1]),
    deleted=st.sampled_from([False] * 9 + [True]),
)
READS = st.builds(
    Trace,
    second=st.integers(1, 6),
    fact_id=st.just(""),
    event_type=st.just(""),
    state=st.integers(0, 3),
    made=st.sampled_from([1, 1, 3, None]),
    version=st.sampled_from(["v1", "v1", "v2"]),
    deleted=st.sampled_from([False] * 9 + [True]),
    read=st.just(True),
    after=st.lists(st.sampled_from("01234567"), max_size=3).map(tuple),
)


def named(traces: Iterable[Trace]) -> list[Trace]:
    """The same facts with ids of their own, so that an id always means one fact."""
    return [
        Trace(**({name: getattr(trace, name) for name in Trace.__struct_fields__} | {"fact_id": f"{number}"}))
        for number, trace in enumerate(traces)
    ]


FACTS = st.lists(EVENTS | EVENTS | EVENTS | READS, min_size=1, max_size=9).map(named)


def follow(head: Head | None, stored: list[Trace], new: list[Trace]) -> Head:
    """What a drain does with a batch about one object; ``stored`` takes the new facts in."""
    answer = advance(head, new)
    if isinstance(answer, Need):
        since = answer.since
        answer = advance(head, new, [trace for trace in stored if trace.second >= since])
    assert isinstance(answer, Head)
    stored += new
    return answer


@settings(max_examples=200)
@given(FACTS, st.randoms(use_true_random=False))
def test_any_order_and_any_duplicates_give_one_answer(facts: list[Trace], random: Random) -> None:
    shuffled = facts + random.choices(facts, k=3)
    random.shuffle(shuffled)

    resolution = resolve(facts)

    assert resolve(shuffled) == resolution
    assert sorted(trace.fact_id for trace in resolution.versions) == sorted(trace.fact_id for trace in facts)
    assert resolution.versions[-1].fact_id == resolution.head.fact_id


@settings(max_examples=200)
@given(FACTS, st.randoms(use_true_random=False))
def test_the_incremental_head_is_the_full_one_after_every_batch(facts: list[Trace], random: Random) -> None:
    random.shuffle(facts)
    head: Head | None = None
    stored: list[Trace] = []
    while facts:
        count = random.randint(1, 3)
        batch = facts[:count] + random.choices(facts[:count] + stored, k=random.randrange(2))
        del facts[:count]

        head = follow(head, stored, batch)

        assert head == resolve(stored).head


@settings(max_examples=100)
@given(FACTS)
def test_telling_more_of_what_is_stored_than_needed_does_no_harm(facts: list[Trace]) -> None:
    head = resolve(facts[:-1]).head if facts[1:] else None

    assert advance(head, facts[-1:], facts[:-1]) == resolve(facts).head


@settings(max_examples=100)
@given(FACTS)
def test_a_deletion_is_never_undone_within_its_incarnation(facts: list[Trace]) -> None:
    newest = max((trace.made for trace in facts if trace.made is not None), default=None)
    ended = gone(3, 0, made=newest)

    head = resolve([*facts, ended]).head

    assert (head.deleted, head.verdict, head.made) == (True, Verdict.CERTAIN, newest)


@settings(max_examples=100)
@given(FACTS)
def test_a_later_incarnation_always_brings_the_object_back(facts: list[Trace]) -> None:
    head = resolve([*facts, born(90, 0, made=90)]).head

    assert (head.fact_id, head.made, head.deleted) == ("evt_90_+0", 90, False)


@settings(max_examples=100)
@given(FACTS)
def test_a_read_after_everything_settles_every_doubt_about_what_lives(facts: list[Trace]) -> None:
    newest = max((trace.made for trace in facts if trace.made is not None), default=None)
    living = [trace for trace in facts if not trace.deleted]

    head = resolve([*living, read(90, 0, made=newest)]).head

    assert (head.fact_id, head.verdict, head.floor, head.gap) == ("read_90_0", Verdict.CERTAIN, 90, False)


@settings(max_examples=50)
@given(st.integers(0, 10**9), st.integers(0, 30))
def test_prefixes_of_a_complete_life_are_the_states_as_of_their_seconds(seed: int, back: int) -> None:
    random = Random(seed)
    told = life(random, [1, 2, 1, 3, 1], back=back)
    head: Head | None = None
    stored: list[Trace] = []
    for second in sorted({one.trace.second for one in told}):
        batch = [one.trace for one in told if one.trace.second == second]
        true_end = batch[-1].state
        random.shuffle(batch)

        head = follow(head, stored, batch)

        assert not head.gap
        assert head.state == true_end or head.verdict is Verdict.AMBIGUOUS


@settings(max_examples=50)
@given(st.integers(0, 10**9))
def test_losing_an_event_of_a_life_without_returns_leaves_a_gap_until_it_comes(seed: int) -> None:
    random = Random(seed)
    told = [one.trace for one in life(random, [1] * 6, serial=True)]
    lost = random.choice([trace for trace in told if trace.before is not None and trace.second < told[-1].second])
    stored = [trace for trace in told if (trace.second, trace.state) != (lost.second, lost.state)]

    head = resolve(stored).head

    assert head.verdict is Verdict.GAP
    assert PlaceKind.GAP in {place.kind for place in resolve(stored).places}
    assert follow(head, stored, [lost]).verdict is Verdict.CERTAIN


def test_the_usual_event_is_decided_from_the_head_alone() -> None:
    head = resolve([born(20, 1)]).head

    after = advance(head, [step(30, 1, 2)])

    assert isinstance(after, Head)
    assert (after.fact_id, after.verdict, after.checkpoint.since, after.checkpoint.state) == (
        "evt_30_12",
        Verdict.CERTAIN,
        30,
        1,
    )


def test_several_later_events_are_decided_from_the_head_alone() -> None:
    head = resolve([born(20, 1)]).head

    after = advance(head, [step(31, 3, 4), step(30, 1, 2), step(30, 2, 3)])

    assert isinstance(after, Head)
    assert (after.fact_id, after.verdict) == ("evt_31_34", Verdict.CERTAIN)


@pytest.mark.parametrize(
    ("_case", "_case_stored", "_case_new", "_case_since"),
    [
        ("the second of the head", [born(20, 1), step(30, 1, 2)], step(30, 2, 3), 30),
        ("after a tie", [born(20, 1), shown(30, 1), shown(30, 2)], step(40, 2, 3), 30),
        ("after ties of two seconds", [shown(30, 1), shown(30, 2), shown(31, 3), shown(31, 4)], step(40, 2, 3), 30),
        ("earlier than the head", [born(20, 1), step(30, 2, 3)], step(25, 1, 2), 0),
        ("earlier, but not than the last read", [born(20, 1), read(22, 1), step(30, 2, 3)], step(25, 1, 2), 22),
        ("made anew", [born(20, 1), gone(30, 1)], born(40, 7, made=40), 40),
    ],
)
def test_other_events_ask_for_what_is_stored_since_a_second(
    _case: str, _case_stored: list[Trace], _case_new: Trace, _case_since: int
) -> None:
    assert advance(resolve(_case_stored).head, [_case_new]) == Need(since=_case_since)


@pytest.mark.parametrize(
    ("_case", "_case_stored", "_case_new"),
    [
        ("the head again", [born(20, 1), step(30, 1, 2)], step(30, 1, 2)),
        ("before a read", [born(20, 1), read(40, 2)], step(30, 1, 2)),
        ("after the deletion", [born(20, 1), gone(30, 1)], step(40, 1, 2)),
        ("a later deletion", [born(20, 1), gone(30, 1)], read(40, 0, deleted=True)),
        ("of an older incarnation", [born(20, 1), born(40, 5, made=40)], gone(30, 1)),
        ("without one, and from before this one", [born(40, 5, made=40)], step(30, 1, 2, made=None)),
        ("a stub read in the second of birth", [born(40, 5, made=40)], read(40, 0, made=None, deleted=True)),
    ],
)
def test_what_cannot_change_the_head_gives_the_very_same(
    _case: str, _case_stored: list[Trace], _case_new: Trace
) -> None:
    head = resolve(_case_stored).head

    assert advance(head, [_case_new]) is head


def test_a_deletion_needs_nothing_else_however_late_it_comes() -> None:
    head = resolve([born(20, 1), step(40, 1, 2)]).head

    deleted = advance(head, [gone(30, 1)])

    assert isinstance(deleted, Head)
    assert (deleted.fact_id, deleted.deleted, deleted.made) == ("evt_30_1-", True, OF)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.dictionaries(
    st.sampled_from(["status", "created", "items", "metadata", "deleted"]) | st.text(max_size=5), JSON, max_size=5
)


@settings(max_examples=100)
@given(st.lists(st.tuples(BODIES, st.none() | BODIES, st.integers(0, 3)), min_size=1, max_size=5), BODIES)
def test_no_json_makes_order_fail(told: list[tuple[dict[str, object], object, int]], seen: dict[str, object]) -> None:
    traces = [read_of(seen, read_id="r", started=2)]
    for number, (data, previous, second) in enumerate(told):
        body = data | {"id": "in_1", "object": "invoice"}
        envelope = {
            "id": f"evt_{number}",
            "type": "invoice.updated",
            "created": second,
            "data": {"object": body, "previous_attributes": previous},
        }
        fact = facts_of(envelope)
        assert fact is not None
        traces.append(trace_of(fact))

    head: Head | None = None
    stored: list[Trace] = []
    for trace in traces:
        head = follow(head, stored, [trace])

    assert head == resolve(reversed(traces)).head
