"""Who made something happen, as far as its event says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.customer.rules.sayings import INVOICE, NOW, USD
from trueup.customer.rules import entry
from trueup.customer.rules.actor import actor_of
from trueup.customer.types import EntryActor, EntryActorKind
from trueup.mirror.types import Fact, Request

CALL = Request(id="req_1", idempotency_key="key-1")
NOBODY = Request(id=None, idempotency_key=None)
SAID = {"cancellation_details": {"feedback": "too_expensive", "comment": None, "reason": "cancellation_requested"}}
SILENT = {"cancellation_details": {"feedback": None, "comment": None}}


def fact(
    event_type: str, data: dict[str, Any], request: Request | None, previous: dict[str, Any] | None = None
) -> Fact:
    return Fact(
        object_type="x",
        object_id="x_1",
        created=NOW,
        event_id="evt_1",
        event_type=event_type,
        deleted=False,
        data=data,
        previous=previous,
        request=request,
    )


def told(
    event_type: str, data: dict[str, Any], request: Request | None, previous: dict[str, Any] | None = None
) -> str | None:
    found = actor_of(fact(event_type, data, request, previous))
    return found.told if found is not None else None


def test_an_entry_names_the_request_that_made_it() -> None:
    found = entry(fact("invoice.voided", INVOICE, CALL), product_names={})

    assert found is not None
    assert found.actor == EntryActor(
        kind=EntryActorKind.API, told="by an API call req_1", request_id="req_1", idempotency_key="key-1"
    )


def test_without_a_request_it_was_stripe_itself() -> None:
    assert told("invoice.paid", INVOICE, NOBODY) == "by Stripe itself"
    assert told("invoice.paid", INVOICE, Request(id=None, idempotency_key="setatt_1")) == "by Stripe itself"


def test_an_event_that_does_not_say_names_nobody() -> None:
    found = entry(fact("invoice.voided", INVOICE, None), product_names={})

    assert found is not None
    assert found.actor is None


@pytest.mark.parametrize(
    "kind", ["charge.dispute.created", "charge.dispute.closed", "radar.early_fraud_warning.created"]
)
def test_disputes_and_warnings_of_fraud_come_from_the_bank(kind: str) -> None:
    assert told(kind, USD, NOBODY) == "by the customer's bank"
    # A dispute can be given up by a request.
    assert told(kind, USD, CALL) == "by an API call req_1"


def test_a_reason_just_given_for_leaving_is_the_customers() -> None:
    said = "by the customer"

    assert told("customer.subscription.updated", SAID, CALL, SILENT) == said
    assert told("customer.subscription.updated", SAID, None, SILENT) == said
    assert told("customer.subscription.updated", SAID, CALL, {"cancel_at_period_end": False}) == "by an API call req_1"
    assert told("customer.subscription.updated", SAID, NOBODY, {"status": "active"}) == "by Stripe itself"
    assert told("customer.subscription.updated", SILENT, CALL, SAID) == "by an API call req_1"
    assert told("customer.subscription.updated", {}, NOBODY, SAID) == "by Stripe itself"


def test_what_ends_with_its_period_is_not_ended_by_the_customer_again() -> None:
    at_once = SAID | {"canceled_at": NOW, "ended_at": NOW}
    later = SAID | {"canceled_at": NOW, "ended_at": NOW + 9}

    assert told("customer.subscription.deleted", at_once, CALL) == "by the customer"
    assert told("customer.subscription.deleted", later, NOBODY) == "by Stripe itself"
    assert told("customer.subscription.deleted", SAID, NOBODY) == "by Stripe itself"
    assert told("customer.subscription.deleted", at_once | SILENT, CALL) == "by an API call req_1"


def test_a_bank_transfer_is_the_customers_and_its_use_is_not() -> None:
    assert told("customer_cash_balance_transaction.created", {"type": "funded"}, NOBODY) == "by the customer"
    assert told("customer_cash_balance_transaction.created", {"type": "applied"}, NOBODY) == "by Stripe itself"


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["cancellation_details", "feedback", "comment", "type"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    kind=st.sampled_from(["customer.subscription.updated", "customer.subscription.deleted", "invoice.paid"]),
    data=st.dictionaries(st.sampled_from(["cancellation_details", "canceled_at", "ended_at"]), JSON),
    previous=st.none() | st.dictionaries(st.just("cancellation_details"), JSON),
)
def test_whatever_an_event_holds_there_is_an_answer(
    kind: str, data: dict[str, Any], previous: dict[str, Any] | None
) -> None:
    assert told(kind, data, CALL, previous) in {"by the customer", "by an API call req_1"}
