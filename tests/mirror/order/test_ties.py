"""Several events of one object in one second."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.mirror.order.facts import born, gone, ids, kinds, place, read, shown, step
from trueup.mirror.order.resolve import resolve
from trueup.mirror.order.types import PlaceKind, Trace, Verdict

CERTAIN, AMBIGUOUS, GAP = Verdict.CERTAIN, Verdict.AMBIGUOUS, Verdict.GAP


def answers(*traces: Trace) -> tuple[str, Verdict]:
    """The head and its verdict, after making sure that no order of delivery gives another answer."""
    resolution = resolve(traces)
    for order in itertools.permutations(traces):
        assert resolve((*order, order[0])) == resolution
    assert resolution.versions[-1].fact_id == resolution.head.fact_id
    return resolution.head.fact_id, resolution.head.verdict


@pytest.mark.parametrize(
    ("_case", "_case_traces", "_case_head", "_case_verdict"),
    [
        ("one event", [step(20, 1, 2)], "evt_20_12", CERTAIN),
        ("a chain", [step(20, 1, 2), step(20, 2, 3), step(20, 3, 4)], "evt_20_34", CERTAIN),
        ("back to an earlier state", [step(20, 1, 2), step(20, 2, 3), step(20, 3, 2)], "evt_20_32", CERTAIN),
        ("back and on", [step(20, 1, 2), step(20, 2, 1), step(20, 1, 3)], "evt_20_13", CERTAIN),
        ("a circle", [step(20, 1, 2), step(20, 2, 1)], "evt_20_21", AMBIGUOUS),
        ("creation first", [born(20, 1), shown(20, 2)], "evt_20_2", CERTAIN),
        ("creation with the state of nobody", [born(20, 5), step(20, 1, 2)], "evt_20_12", GAP),
        ("creation and chain", [born(20, 3), step(20, 3, 2), step(20, 2, 1)], "evt_20_21", CERTAIN),
        ("created twice alike", [born(20, 1), born(20, 1, fact_id="again"), step(20, 1, 2)], "evt_20_12", CERTAIN),
        ("created twice, otherwise", [born(20, 1), born(20, 2)], "evt_20_+2", AMBIGUOUS),
        ("equal contents", [shown(20, 2, fact_id="a"), shown(20, 2, fact_id="b")], "b", CERTAIN),
        ("told by two types", [step(20, 1, 2), shown(20, 2)], "evt_20_2", CERTAIN),
        (
            "one change told by two types with the old values",
            [step(20, 1, 2), step(20, 1, 2, event_type="thing.refunded", fact_id="b")],
            "b",
            CERTAIN,
        ),
        (
            "one change made twice",
            [step(20, 1, 2), step(20, 2, 1), step(20, 1, 2, fact_id="z")],
            "z",
            CERTAIN,
        ),
        ("no change at all", [step(20, 2, 2), step(20, 1, 2)], "evt_20_22", CERTAIN),
        ("unconnected", [shown(20, 1), shown(20, 2)], "evt_20_2", AMBIGUOUS),
        ("a link is missing", [step(20, 1, 2), step(20, 3, 4)], "evt_20_34", AMBIGUOUS),
        ("two ways to one end", [step(20, 1, 3), step(20, 2, 3)], "evt_20_23", GAP),
        ("one way to two ends", [step(20, 1, 2), step(20, 1, 3)], "evt_20_13", AMBIGUOUS),
        ("the stage tells", [shown(20, 1, stage=3), shown(20, 2, stage=0)], "evt_20_1", CERTAIN),
        (
            "the stage tells between unconnected steps",
            [step(20, 5, 1, stage=3), shown(20, 2, stage=0), shown(20, 3, stage=3)],
            "evt_20_3",
            AMBIGUOUS,
        ),
        ("a stage without the other", [shown(20, 1, stage=3), shown(20, 2)], "evt_20_2", AMBIGUOUS),
        (
            "a step back in stage refutes stages",
            [step(20, 1, 2, stage=0), shown(20, 1, stage=3), shown(20, 4, stage=3)],
            "evt_20_4",
            AMBIGUOUS,
        ),
        ("deletion last", [gone(20, 1), step(20, 1, 2), step(20, 2, 3)], "evt_20_1-", CERTAIN),
        (
            "another version of the API",
            [step(20, 1, 2), step(20, 7, 8, version="v2")],
            "evt_20_78",
            AMBIGUOUS,
        ),
    ],
)
def test_the_last_event_of_a_second_is_found_or_said_to_be_in_doubt(
    _case: str, _case_traces: list[Trace], _case_head: str, _case_verdict: Verdict
) -> None:
    assert answers(*_case_traces) == (_case_head, _case_verdict)


def test_among_events_that_cannot_be_ordered_the_type_and_then_the_id_choose() -> None:
    update, payment = shown(20, 1, event_type="thing.updated", fact_id="z"), shown(20, 2, fact_id="a")

    resolution = resolve([update, payment])

    assert ids(resolution.versions) == ["z", "a"]
    assert resolution.places == (
        place(PlaceKind.STARTS_LATE, 20, "z"),
        place(PlaceKind.AMBIGUOUS, 20, "z", "a"),
    )


def test_what_only_shows_a_state_stands_where_that_state_first_was() -> None:
    traces = [step(20, 3, 1, fact_id="d"), shown(20, 2), step(20, 1, 2), shown(20, 1), step(20, 2, 3)]

    resolution = resolve([born(19, 1), *traces])

    assert ids(resolution.versions) == ["evt_19_+1", "evt_20_1", "evt_20_12", "evt_20_2", "evt_20_23", "d"]
    assert resolution.head.verdict is AMBIGUOUS


def test_a_circle_is_taken_to_end_where_the_second_before_left_the_object_but_stays_in_doubt() -> None:
    circle = [step(20, 1, 2), step(20, 2, 1)]

    found = {start: resolve([born(19, start), *circle]).head for start in (1, 2)}

    assert {start: (head.state, head.verdict) for start, head in found.items()} == {
        1: (1, AMBIGUOUS),
        2: (2, AMBIGUOUS),
    }


def test_a_circle_of_the_past_is_decided_by_what_followed() -> None:
    circle = [step(20, 1, 2), step(20, 2, 1)]

    resolution = resolve([*circle, step(30, 2, 5)])

    assert ids(resolution.versions) == ["evt_20_21", "evt_20_12", "evt_30_25"]
    assert kinds(resolution) == [(PlaceKind.STARTS_LATE, 20)]
    assert resolution.head.verdict is CERTAIN


def test_a_tie_of_the_past_is_decided_by_a_read_that_shows_one_of_its_ends() -> None:
    resolution = resolve([born(19, 9), shown(20, 1), shown(20, 2), read(30, 1)])

    assert ids(resolution.versions) == ["evt_19_+9", "evt_20_2", "evt_20_1", "read_30_1"]
    assert resolution.places == ()


def test_a_circle_beside_another_event_is_walked_from_what_was_before() -> None:
    circle = [step(20, 1, 2, stage=0), step(20, 2, 1, stage=0)]
    paid = shown(20, 7, stage=1)

    from_before = resolve([born(19, 2), *circle, paid])
    without = resolve([*circle, paid])

    assert ids(from_before.versions) == ["evt_19_+2", "evt_20_21", "evt_20_12", "evt_20_7"]
    assert ids(without.versions) == ["evt_20_12", "evt_20_21", "evt_20_7"]
    assert (from_before.head.verdict, without.head.verdict) == (CERTAIN, CERTAIN)


def test_a_tie_that_is_decided_is_still_worth_a_read_while_one_event_is_not() -> None:
    assert resolve([born(20, 1), step(20, 1, 2)]).head.tied
    assert not resolve([born(20, 1), shown(20, 1)]).head.tied
    assert not resolve([born(20, 1), step(20, 1, 2), read(20, 2)]).head.tied


def test_long_seconds_are_walked_without_recursion() -> None:
    steps: list[Any] = [step(20, state, state + 1, fact_id=f"e{-state}") for state in range(1, 3000)]

    resolution = resolve(steps[::-1])

    assert [trace.state for trace in resolution.versions] == list(range(2, 3001))
    assert resolution.head.verdict is CERTAIN
