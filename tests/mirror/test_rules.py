"""Facts from events, whom they concern, and which is the newest."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.mirror.errors import Unusable
from trueup.mirror.rules import affected_customers, customer_of, event_rank, facts_of, payment_of, version_of
from trueup.mirror.types import Fact, Request

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "id": st.just("evt_1") | JSON,
        "type": st.sampled_from(["customer.updated", "customer.deleted", "x"]) | JSON,
        "created": st.integers(0, 2_000_000_000) | JSON,
        "data": st.fixed_dictionaries(
            {},
            optional={
                "object": st.fixed_dictionaries(
                    {},
                    optional={
                        "id": st.just("cus_1") | JSON,
                        "object": st.sampled_from(["customer", "tax_id", "invoice"]) | JSON,
                        "customer": JSON,
                        "owner": JSON,
                        "deleted": JSON,
                    },
                )
                | JSON,
                "previous_attributes": JSON,
            },
        )
        | JSON,
    },
)


def event(**changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": "evt_1",
        "object": "event",
        "type": "customer.subscription.updated",
        "created": 1_700_000_000,
        "data": {"object": {"id": "sub_1", "object": "subscription", "customer": "cus_1"}},
    }
    return told | changes


def fact(event_type: str = "invoice.updated", created: int = 100, event_id: str = "evt_1", **changes: Any) -> Fact:
    given_values: dict[str, Any] = {
        "object_type": "invoice",
        "object_id": "in_1",
        "created": created,
        "event_id": event_id,
        "event_type": event_type,
        "deleted": False,
        "data": {},
    }
    return Fact(**(given_values | changes))


def test_a_snapshot_event_becomes_a_fact_about_its_object() -> None:
    data = {"id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "active"}

    told = facts_of(event(data={"object": data, "previous_attributes": {"status": "trialing"}}))

    assert told == Fact(
        object_type="subscription",
        object_id="sub_1",
        created=1_700_000_000,
        event_id="evt_1",
        event_type="customer.subscription.updated",
        deleted=False,
        data=data,
        previous={"status": "trialing"},
        customer="cus_1",
    )


@pytest.mark.parametrize(
    ("_case_told", "_case_request"),
    [
        ({"id": "req_1", "idempotency_key": "key-1"}, Request(id="req_1", idempotency_key="key-1")),
        ({"id": "req_1", "idempotency_key": None}, Request(id="req_1", idempotency_key=None)),
        ({"id": None, "idempotency_key": "setatt_1"}, Request(id=None, idempotency_key="setatt_1")),
        ({"id": None, "idempotency_key": None}, Request(id=None, idempotency_key=None)),
        ({}, Request(id=None, idempotency_key=None)),
        ("iar_1", Request(id="iar_1", idempotency_key=None)),
        (None, Request(id=None, idempotency_key=None)),
        ({"id": 7}, None),
        (7, None),
        ("a\x00b", None),
    ],
)
def test_a_fact_tells_the_request_that_made_it(_case_told: object, _case_request: Request | None) -> None:
    told = facts_of(event(request=_case_told))

    assert told is not None
    assert told.request == _case_request


def test_an_event_without_a_word_about_its_request_tells_none() -> None:
    given = event()
    given.pop("request", None)

    told = facts_of(given)

    assert told is not None
    assert told.request is None


def test_what_is_about_a_payment_names_it_expanded_or_not() -> None:
    assert payment_of(fact(data={"charge": "ch_1", "payment_intent": {"id": "pi_1"}})) == ("ch_1", "pi_1")
    assert payment_of(fact(data={"charge": None})) == (None, None)


def test_the_object_is_shared_and_not_copied() -> None:
    envelope = event()

    told = facts_of(envelope)

    assert told is not None
    assert told.data is envelope["data"]["object"]


@pytest.mark.parametrize(
    "_case_data",
    [
        {"object": "invoice", "amount_due": 100},
        {"object": "balance", "available": []},
        {"id": "", "object": "invoice"},
        {"id": None, "object": "invoice"},
        {"id": 7, "object": "invoice"},
        {"id": "in_1"},
        {"id": "in_1", "object": None},
        {"id": "in_\x001", "object": "invoice"},
        {"id": "in_é\ud800", "object": "invoice"},
        {"id": "x" * 501, "object": "plan"},
    ],
)
def test_an_object_without_a_usable_name_makes_no_fact(_case_data: dict[str, Any]) -> None:
    assert facts_of(event(data={"object": _case_data})) is None


@pytest.mark.parametrize(
    ("_case_event", "_case_says"),
    [
        (None, "not a JSON object"),
        ([], "not a JSON object"),
        ("evt_1", "not a JSON object"),
        (event(id=None), "no usable id"),
        (event(id=""), "no usable id"),
        (event(id="evt_\x00"), "no usable id"),
        (event(type=None), "no usable type"),
        (event(type=["customer.created"]), "no usable type"),
        (event(created=None), "created is not a time"),
        (event(created="1700000000"), "created is not a time"),
        (event(created=True), "created is not a time"),
        (event(created=1.5), "created is not a time"),
        (event(created=-1), "created is not a time"),
        (event(created=10**12), "created is not a time"),
        (event(data=None), "no data.object"),
        (event(data=[]), "no data.object"),
        (event(data={}), "no data.object"),
        (event(data={"object": "sub_1"}), "no data.object"),
    ],
)
def test_what_is_not_an_event_is_refused_with_the_field_at_fault(_case_event: object, _case_says: str) -> None:
    with pytest.raises(Unusable, match=_case_says) as caught:
        facts_of(_case_event)

    assert caught.value.code == "unusable_event"


@given(ENVELOPES | JSON)
@settings(max_examples=150, deadline=None)
def test_no_json_at_all_can_break_the_reading_of_an_event(told: Any) -> None:
    try:
        found = facts_of(told)
    except Unusable:
        return

    assert found is None or (found.event_id == told["id"] and affected_customers(found) is not None)


@pytest.mark.parametrize(
    ("_case_type", "_case_data", "_case_deleted"),
    [
        ("customer.deleted", {"object": "customer"}, True),
        ("price.deleted", {"object": "price"}, True),
        ("invoice.deleted", {"object": "invoice"}, True),
        ("customer.discount.deleted", {"object": "discount"}, True),
        ("customer.source.deleted", {"object": "card"}, True),
        ("customer.subscription.deleted", {"object": "subscription"}, False),
        ("customer.updated", {"object": "customer", "deleted": True}, True),
        ("customer.updated", {"object": "customer", "deleted": "true"}, False),
        ("payment_method.detached", {"object": "payment_method"}, False),
    ],
)
def test_only_what_no_longer_exists_is_a_tombstone(
    _case_type: str, _case_data: dict[str, Any], _case_deleted: bool
) -> None:
    told = facts_of(event(type=_case_type, data={"object": {"id": "x_1", **_case_data}}))

    assert told is not None
    assert told.deleted is _case_deleted


@pytest.mark.parametrize(
    ("_case_type", "_case_data", "_case_customer"),
    [
        ("customer", {"id": "cus_1", "customer": "cus_2"}, "cus_1"),
        ("invoice", {"customer": "cus_1"}, "cus_1"),
        ("invoice", {"customer": {"id": "cus_1", "object": "customer"}}, "cus_1"),
        ("invoice", {"customer": {"object": "customer"}}, None),
        ("invoice", {"customer": None}, None),
        ("invoice", {"customer": ""}, None),
        ("invoice", {"customer": 5}, None),
        ("product", {}, None),
        ("tax_id", {"customer": "cus_1"}, "cus_1"),
        ("tax_id", {"customer": None, "owner": {"type": "customer", "customer": "cus_1"}}, "cus_1"),
        ("tax_id", {"owner": "self"}, None),
        ("invoice", {"owner": {"customer": "cus_1"}}, None),
    ],
)
def test_an_object_belongs_to_the_customer_it_names(
    _case_type: str, _case_data: dict[str, Any], _case_customer: str | None
) -> None:
    assert customer_of(_case_type, _case_data) == _case_customer


@pytest.mark.parametrize(
    ("_case_customer", "_case_previous", "_case_affected"),
    [
        ("cus_1", None, ("cus_1",)),
        ("cus_1", {"status": "open"}, ("cus_1",)),
        ("cus_1", {"customer": "cus_1"}, ("cus_1",)),
        ("cus_1", {"customer": "cus_0"}, ("cus_1", "cus_0")),
        (None, {"customer": "cus_0"}, ("cus_0",)),
        (None, {"customer": None}, ()),
        (None, None, ()),
    ],
)
def test_a_fact_concerns_its_customer_and_the_one_it_was_taken_from(
    _case_customer: str | None, _case_previous: dict[str, Any] | None, _case_affected: tuple[str, ...]
) -> None:
    assert affected_customers(fact(customer=_case_customer, previous=_case_previous)) == _case_affected


def test_within_a_second_the_life_of_an_object_runs_from_creation_to_deletion() -> None:
    life = [
        "invoice.created",
        "invoice.finalized",
        "invoice.updated",
        "invoice.paid",
        "invoice.voided",
        "invoice.deleted",
    ]

    assert [event_rank(step) for step in life] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("_case_rank", "_case_types"),
    [
        (0, "customer.created payment_method.attached"),
        (1, "invoice.finalized invoice.finalization_failed"),
        (2, "customer.updated invoice.sent payment_intent.requires_action customer.subscription.trial_will_end"),
        (3, "invoice.paid charge.succeeded invoice.payment_succeeded charge.failed invoice.payment_failed"),
        (3, "checkout.session.async_payment_succeeded checkout.session.async_payment_failed setup_intent.setup_failed"),
        (3, "charge.captured checkout.session.completed subscription_schedule.completed"),
        (4, "charge.refunded invoice.voided invoice.marked_uncollectible payment_intent.canceled charge.expired"),
        (4, "subscription_schedule.aborted subscription_schedule.released"),
        (4, "charge.dispute.closed payment_method.detached"),
        (5, "customer.deleted customer.subscription.deleted"),
    ],
)
def test_every_type_has_its_rank(_case_rank: int, _case_types: str) -> None:
    types = _case_types.split()

    assert {name: event_rank(name) for name in types} == dict.fromkeys(types, _case_rank)


@pytest.mark.parametrize(
    ("_case_first", "_case_then"),
    [
        ("customer.subscription.created", "customer.subscription.updated"),
        ("payment_intent.requires_action", "payment_intent.succeeded"),
        ("payment_method.attached", "payment_method.updated"),
        ("payment_method.updated", "payment_method.detached"),
        ("charge.succeeded", "charge.refunded"),
        ("charge.dispute.updated", "charge.dispute.closed"),
        ("no.such.type", "customer.deleted"),
        ("nodots", "customer.deleted"),
    ],
)
def test_within_a_second_one_type_comes_before_another(_case_first: str, _case_then: str) -> None:
    assert event_rank(_case_first) < event_rank(_case_then)


@pytest.mark.parametrize("_case_version", [None, 7, "", "x" * 501])
def test_an_event_that_names_no_usable_version_has_none(_case_version: object) -> None:
    assert version_of({"api_version": _case_version}) is None
    assert version_of([]) is None


def test_an_event_names_the_version_that_rendered_it() -> None:
    assert version_of({"api_version": "2026-10-28.endive"}) == "2026-10-28.endive"


def test_every_failed_payment_in_the_catalogue_ranks_as_an_outcome(shared: Path) -> None:
    with (shared / "stripe" / "events_snapshot.csv").open(newline="", encoding="utf-8") as source:
        types = [row["type"] for row in csv.DictReader(source)]

    others = ("finalization_failed", "reader.action_failed")
    failed = [name for name in types if name.endswith("failed") and not name.endswith(others)]

    assert len(failed) > 8
    assert {name: event_rank(name) for name in failed} == dict.fromkeys(failed, 3)


def test_every_recorded_event_is_a_fact_or_tells_of_nothing_that_has_a_name(shared: Path) -> None:
    corpus = shared / "stripe" / "corpus"
    with (corpus / "INDEX.csv").open(newline="", encoding="utf-8") as source:
        events = [row["file"] for row in csv.DictReader(source) if row["kind"] == "event"]

    outcomes: dict[str, set[str]] = {"fact": set(), "none": set(), "unusable": set()}
    for name in events:
        told = json.loads((corpus / name).read_bytes())
        try:
            outcomes["fact" if facts_of(told) is not None else "none"].add(told["type"])
        except Unusable:
            outcomes["unusable"].add(told["type"])

    assert outcomes["none"] == {
        "customer.discount.created",
        "customer.discount.deleted",
        "customer.discount.updated",
        "entitlements.active_entitlement_summary.updated",
        "invoice.upcoming",
    }
    # One fixture went through a web form and has its time as text.
    assert outcomes["unusable"] == {"customer.source.created"}
    assert "customer.subscription.updated" in outcomes["fact"]


def test_ranks_do_not_depend_on_what_stands_before_the_last_dot() -> None:
    prefixes, verbs = ["invoice", "customer.subscription", "a.b.c"], ["created", "paid", "deleted", "whatever"]

    ranks = {(prefix, verb): event_rank(f"{prefix}.{verb}") for prefix, verb in itertools.product(prefixes, verbs)}

    assert {verb: {ranks[prefix, verb] for prefix in prefixes} for verb in verbs} == {
        "created": {0},
        "paid": {3},
        "deleted": {5},
        "whatever": {2},
    }
