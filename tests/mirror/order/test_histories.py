"""Gaps across seconds, reads, deletions and incarnations."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mirror.order.facts import OF, born, gone, ids, kinds, place, read, shown, step
from trueup.mirror.order.resolve import advance, resolve
from trueup.mirror.order.stages import begins, stage_of
from trueup.mirror.order.traces import read_of, trace_of
from trueup.mirror.order.types import PlaceKind, Trace, Verdict
from trueup.mirror.types import Fact

CERTAIN, AMBIGUOUS, GAP = Verdict.CERTAIN, Verdict.AMBIGUOUS, Verdict.GAP


def verdict(*traces: Trace) -> tuple[str, Verdict]:
    head = resolve(traces).head
    return head.fact_id, head.verdict


def test_seconds_that_fit_each_other_are_certain() -> None:
    resolution = resolve([step(30, 2, 3), born(20, 1), step(25, 1, 2)])

    assert ids(resolution.versions) == ["evt_20_+1", "evt_25_12", "evt_30_23"]
    assert (resolution.head.verdict, resolution.places) == (CERTAIN, ())


def test_a_missing_event_leaves_a_gap_that_says_where_and_stays_open() -> None:
    resolution = resolve([born(20, 1), step(30, 2, 3), step(40, 3, 4)])

    assert resolution.places == (place(PlaceKind.GAP, 30, "evt_20_+1", "evt_30_23"),)
    assert (resolution.head.fact_id, resolution.head.verdict, resolution.head.gap) == ("evt_40_34", GAP, True)


def test_the_missing_event_closes_the_gap() -> None:
    assert verdict(born(20, 1), step(30, 2, 3), step(25, 1, 2)) == ("evt_30_23", CERTAIN)


def test_a_history_that_begins_late_has_no_gap_and_says_so() -> None:
    resolution = resolve([step(30, 2, 3)])

    assert resolution.places == (place(PlaceKind.STARTS_LATE, 30, "evt_30_23"),)
    assert resolution.head.verdict is CERTAIN


def test_two_beginnings_that_nothing_explains_are_a_gap_even_in_the_first_second_known() -> None:
    resolution = resolve([step(30, 1, 2, stage=0), step(30, 5, 6, stage=1)])

    assert kinds(resolution) == [(PlaceKind.STARTS_LATE, 30), (PlaceKind.GAP, 30)]
    assert resolution.places[1].facts == ("evt_30_12", "evt_30_56")


def test_an_event_that_does_not_say_what_was_before_claims_no_gap() -> None:
    assert verdict(born(20, 1), shown(30, 5), step(40, 5, 6)) == ("evt_40_56", CERTAIN)
    assert verdict(born(20, 1), shown(30, 5), step(30, 5, 6)) == ("evt_30_56", CERTAIN)


def test_versions_of_the_api_are_not_compared_with_each_other() -> None:
    assert verdict(born(20, 1), step(30, 8, 9, version="v2")) == ("evt_30_89", CERTAIN)
    assert verdict(born(20, 1), step(30, 8, 9, version="v2"), step(40, 7, 6, version="v2")) == ("evt_40_76", GAP)
    mixed = [shown(30, 8, version="v2"), shown(30, 1)]
    assert verdict(*mixed, step(40, 4, 5)) == ("evt_40_45", CERTAIN)


def test_after_an_undecided_second_there_is_a_gap_only_if_none_of_its_ends_fits() -> None:
    tie = [shown(20, 1), shown(20, 2)]

    assert verdict(*tie, step(30, 1, 5)) == ("evt_30_15", CERTAIN)
    assert verdict(*tie, step(30, 3, 5)) == ("evt_30_35", GAP)
    assert verdict(*tie, shown(30, 7), shown(30, 8), step(40, 8, 9)) == ("evt_40_89", CERTAIN)


def test_a_later_read_is_the_head_and_settles_gaps_and_ties() -> None:
    broken = [born(20, 1), step(30, 2, 3), shown(40, 5), shown(40, 6)]

    resolution = resolve([*broken, read(41, 5)])

    assert (resolution.head.fact_id, resolution.head.verdict, resolution.head.floor) == ("read_41_5", CERTAIN, 41)
    assert kinds(resolution) == [(PlaceKind.GAP, 30)]


def test_a_read_that_shows_what_no_event_told_tells_of_a_missing_event_and_is_certain() -> None:
    resolution = resolve([born(20, 1), read(30, 2), step(40, 2, 3)])

    assert resolution.places == (place(PlaceKind.GAP, 30, "evt_20_+1", "read_30_2"),)
    assert (resolution.head.fact_id, resolution.head.verdict) == ("evt_40_23", CERTAIN)


def test_a_read_of_the_same_second_confirms_the_event_or_leaves_it_in_doubt() -> None:
    assert verdict(born(20, 1), step(30, 1, 2), read(30, 2)) == ("evt_30_12", CERTAIN)
    assert verdict(born(20, 1), step(30, 1, 2), read(30, 3)) == ("evt_30_12", AMBIGUOUS)
    assert verdict(born(20, 1), step(30, 1, 2), read(30, 9, version="v2")) == ("evt_30_12", AMBIGUOUS)
    assert verdict(born(20, 1), step(30, 1, 2), read(30, 1), read(31, 2)) == ("read_31_2", CERTAIN)


def test_a_read_that_started_before_an_event_never_beats_it() -> None:
    assert verdict(born(20, 1), read(29, 1), step(30, 1, 2)) == ("evt_30_12", CERTAIN)
    assert verdict(born(20, 1), read(29, 4), step(30, 1, 2)) == ("evt_30_12", GAP)


def test_an_event_that_goes_on_from_what_was_read_in_its_second_is_later_and_worth_confirming() -> None:
    head = resolve([born(20, 1), step(30, 1, 2), read(30, 1)]).head
    assert (head.fact_id, head.verdict, head.tied) == ("evt_30_12", CERTAIN, True)
    assert verdict(born(20, 1), step(30, 1, 2), step(30, 3, 1), read(30, 1)) == ("evt_30_12", AMBIGUOUS)


def test_a_read_is_later_than_the_facts_that_were_known_before_it_began() -> None:
    tie = [born(20, 1), shown(30, 4), shown(30, 5)]
    assert verdict(*tie)[1] == AMBIGUOUS
    seen = read(30, 6, after=("evt_30_4", "evt_30_5"))
    resolution = resolve([*tie, seen])
    assert (resolution.head.fact_id, resolution.head.verdict, resolution.head.tied) == ("read_30_6", CERTAIN, False)
    assert [trace.fact_id for trace in resolution.versions] == ["evt_20_+1", "evt_30_4", "evt_30_5", "read_30_6"]
    assert kinds(resolution) == []
    # One that came only then may be earlier or later, unless it goes on from what was read.
    assert verdict(*tie, seen, shown(30, 7)) == ("evt_30_7", AMBIGUOUS)
    assert verdict(*tie, seen, step(30, 6, 7)) == ("evt_30_67", CERTAIN)
    # The next reading knows both.
    again = read(30, 8, after=("evt_30_4", "evt_30_5", "evt_30_7", "read_30_6"))
    assert verdict(*tie, seen, shown(30, 7), again) == ("read_30_8", CERTAIN)


def test_reads_that_claim_to_be_later_than_each_other_say_nothing() -> None:
    one, other = read(30, 1, after=("read_30_2",)), read(30, 2, after=("read_30_1",))
    assert verdict(one, other) == ("read_30_2", AMBIGUOUS)
    assert resolve([shown(30, 4), read(30, 1, after=("read_30_1",))]).head.floor == 30


def test_two_reads_of_one_second_that_differ_are_in_doubt() -> None:
    assert verdict(read(30, 1), read(30, 2)) == ("read_30_2", AMBIGUOUS)
    assert verdict(read(30, 1), read(30, 1, fact_id="again")) == ("read_30_1", CERTAIN)
    assert kinds(resolve([read(30, 1), read(30, 2), step(31, 1, 3)])) == []


def test_a_history_that_begins_with_a_read_does_not_begin_late() -> None:
    assert resolve([read(30, 1)]).places == ()


def test_what_is_deleted_stays_so_within_its_incarnation() -> None:
    resolution = resolve([born(20, 1), gone(30, 1), step(40, 1, 2), read(50, 2)])

    assert (resolution.head.fact_id, resolution.head.deleted, resolution.head.verdict) == ("evt_30_1-", True, CERTAIN)
    assert resolution.places[-1] == place(PlaceKind.AFTER_DELETION, 30, "evt_40_12", "read_50_2")
    assert ids(resolution.versions)[-1] == "evt_30_1-"


def test_a_read_that_found_nothing_is_refuted_by_a_later_one_that_knew_of_it_and_found_the_object() -> None:
    missing = read(30, 0, deleted=True, made=None)
    assert resolve([born(20, 1), missing]).head.deleted

    seen = read(40, 1, after=("read_30_0",))
    resolution = resolve([born(20, 1), missing, seen, step(50, 1, 2)])
    assert (resolution.head.fact_id, resolution.head.deleted) == ("evt_50_12", False)
    assert ids(resolution.versions) == ["evt_20_+1", "read_30_0", "read_40_1", "evt_50_12"]
    # One that does not know of it may be the older, whatever the clocks say.
    assert resolve([born(20, 1), missing, read(40, 1)]).head.deleted
    # What an event told is so.
    assert resolve([born(20, 1), gone(30, 1), read(40, 1, after=("evt_30_1-",))]).head.deleted
    assert resolve([born(20, 1), missing, seen, gone(50, 1)]).head.fact_id == "evt_50_1-"


def test_what_was_deleted_in_the_second_it_was_made_in_may_have_come_back_in_that_second() -> None:
    told = [born(OF, 1), gone(OF, 1), born(OF, 1, fact_id="again")]
    assert resolve(told).head.deleted

    # Nothing tells the two incarnations apart but a read that knew of the deletion and found the object.
    for seen in (read(OF, 1, after=("evt_10_1-",)), read(30, 1, after=("evt_10_1-",))):
        resolution = resolve([*told, seen, step(50, 1, 2)])
        assert (resolution.head.fact_id, resolution.head.deleted) == ("evt_50_12", False)
        assert resolve([*told, seen, gone(40, 1)]).head.fact_id == "evt_40_1-"
    assert resolve([*told, read(30, 1)]).head.deleted


def test_the_event_of_a_deletion_is_told_rather_than_the_stub_that_was_read() -> None:
    stub = read(25, 0, deleted=True, made=None)

    resolution = resolve([stub, born(20, 1), gone(30, 1)])

    assert ids(resolution.versions) == ["evt_20_+1", "read_25_0", "evt_30_1-"]


def test_an_id_that_was_deleted_can_come_back_with_a_later_created() -> None:
    again = {"made": 40}
    old = [born(20, 1), gone(30, 1), step(45, 1, 2)]

    resolution = resolve([*old, born(40, 7, **again), step(50, 7, 8, **again)])

    assert (resolution.head.fact_id, resolution.head.made, resolution.head.deleted) == ("evt_50_78", 40, False)
    assert ids(resolution.versions)[-2:] == ["evt_40_+7", "evt_50_78"]
    assert verdict(*old, born(40, 7, **again), gone(60, 7, **again)) == ("evt_60_7-", CERTAIN)


def test_a_stub_that_was_read_ends_only_what_was_made_before_its_second() -> None:
    stub = read(40, 0, deleted=True, made=None)

    assert resolve([stub, born(40, 7, made=40)]).head.deleted is False
    assert resolve([stub, born(39, 7, made=39)]).head.deleted is True
    assert resolve([stub]).head.deleted is True


def test_a_body_without_created_belongs_to_the_incarnation_of_its_time() -> None:
    assert verdict(born(20, 1, made=20), step(20, 1, 2, made=None)) == ("evt_20_12", CERTAIN)
    assert verdict(born(20, 1, made=20), step(19, 1, 2, made=None)) == ("evt_20_+1", CERTAIN)


def test_one_event_told_in_two_ways_counts_once() -> None:
    one, other = step(20, 1, 2, fact_id="e"), step(20, 1, 3, fact_id="e")

    assert resolve([one, other]) == resolve([other, one, other])
    assert len(resolve([one, other]).versions) == 1


def test_there_is_no_order_among_no_facts() -> None:
    with pytest.raises(ValueError, match="no facts"):
        resolve([])
    with pytest.raises(ValueError, match="no facts"):
        advance(None, [])


def fact(data: dict[str, Any], **changes: Any) -> Fact:
    given: dict[str, Any] = {
        "object_type": "subscription",
        "object_id": "sub_1",
        "created": 20,
        "event_id": "evt_1",
        "event_type": "customer.subscription.updated",
        "deleted": False,
        "data": data,
    }
    return Fact(**(given | changes))


def test_a_trace_holds_what_order_needs_of_an_event() -> None:
    now = {"id": "sub_1", "created": 10, "status": "active"}
    told = trace_of(fact(now, previous={"status": "incomplete"}), version="2026-10-28.endive")
    was = trace_of(fact(now | {"status": "incomplete"}))

    assert (told.second, told.fact_id, told.made, told.version) == (20, "evt_1", 10, "2026-10-28.endive")
    assert (told.before, was.before, told.stage, was.stage) == (was.state, None, 1, 0)
    assert (told.read, told.deleted, trace_of(fact(now, deleted=True)).deleted) == (False, False, True)


@pytest.mark.parametrize("_case_created", [None, "10", True, 1.5, -1, 10**12])
def test_an_odd_created_tells_no_incarnation(_case_created: object) -> None:
    assert trace_of(fact({"created": _case_created})).made is None


def test_a_read_agrees_with_the_event_that_told_the_same() -> None:
    body = {"id": "sub_1", "created": 10, "status": "active"}

    seen = read_of(body, read_id="r1", started=21, version="v")

    assert (seen.state, seen.made, seen.second, seen.read) == (trace_of(fact(body)).state, 10, 21, True)
    assert not seen.deleted


def test_a_stub_or_nothing_is_a_deletion_of_the_incarnation_that_the_caller_names() -> None:
    stub = read_of({"id": "sub_1", "deleted": True}, read_id="r1", started=21, made=OF)
    nothing = read_of(None, read_id="r2", started=21)

    assert (stub.deleted, stub.made, nothing.deleted, nothing.made) == (True, OF, True, None)


@pytest.mark.parametrize(
    ("_case_type", "_case_status", "_case_stage"),
    [
        ("invoice", "paid", 3),
        ("invoice", "new_status", None),
        ("invoice", None, None),
        ("invoice", ["odd"], None),
        ("customer", "active", None),
    ],
)
def test_only_known_statuses_have_a_stage(_case_type: str, _case_status: object, _case_stage: int | None) -> None:
    assert stage_of(_case_type, {"status": _case_status}) == _case_stage


def test_what_has_no_created_event_may_begin_with_its_first() -> None:
    assert begins("charge.succeeded")
    assert begins("customer.created")
    assert not begins("customer.updated")
