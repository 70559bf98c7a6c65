"""What was billed and what came of it, from objects of the mirror."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.customer.rules.billed import Outcome, billed
from trueup.kernel.money import Money
from trueup.mirror.types import MirrorObject

AT = 1_790_000_000
USD: dict[str, Any] = {"currency": "usd", "created": AT}


def told(object_type: str, object_id: str, *, deleted: bool = False, at: int = AT, **data: Any) -> MirrorObject:
    return MirrorObject(
        object_type=object_type,
        object_id=object_id,
        data={"id": object_id, "object": object_type, **data},
        deleted=deleted,
        created=at,
        event_id=f"evt_{object_id}",
        event_type=f"{object_type}.updated",
    )


def outcomes(*objects: MirrorObject) -> list[tuple[str, Outcome]]:
    found = billed(objects, of=["cus_1"], default=None).attempts
    return [(one.object_id, one.outcome) for one in found]


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        ({"status": "succeeded", "captured": True}, Outcome.SUCCEEDED),
        ({"paid": True}, Outcome.SUCCEEDED),
        ({"status": "succeeded", "amount_refunded": 100, "refunded": True}, Outcome.REFUNDED),
        ({"status": "succeeded", "amount_refunded": 40, "refunded": False}, Outcome.PARTLY_REFUNDED),
        ({"status": "succeeded", "captured": False}, Outcome.AUTHORIZED),
        ({"status": "succeeded", "captured": False, "refunded": True}, Outcome.CANCELED),
        ({"status": "pending"}, Outcome.PENDING),
        ({"status": "failed"}, Outcome.FAILED),
        ({"failure_code": "card_declined", "paid": False}, Outcome.FAILED),
    ],
)
def test_a_charge_tells_what_came_of_it(data: dict[str, Any], outcome: Outcome) -> None:
    assert outcomes(told("charge", "ch_1", amount=100, **USD, **data)) == [("ch_1", outcome)]


def test_a_payment_is_told_once_by_its_charge() -> None:
    intent = told("payment_intent", "pi_1", status="succeeded", amount=100, latest_charge="ch_1", **USD)
    charge = told("charge", "ch_1", status="succeeded", amount=100, payment_intent={"id": "pi_1"}, **USD)

    assert outcomes(intent, charge) == [("ch_1", Outcome.SUCCEEDED)]
    assert outcomes(intent) == [("pi_1", Outcome.SUCCEEDED)]


def test_a_payment_that_nobody_tried_is_no_attempt() -> None:
    assert outcomes(told("payment_intent", "pi_1", status="requires_payment_method", amount=100, **USD)) == []


def test_a_payment_that_failed_says_when_it_failed_last() -> None:
    failed = told(
        "payment_intent",
        "pi_1",
        at=AT + 500,
        status="requires_payment_method",
        last_payment_error={"decline_code": "insufficient_funds"},
        amount=100,
        **USD,
    )

    (attempt,) = billed([failed], of=["cus_1"], default=None).attempts

    assert attempt.at.timestamp() == AT + 500
    assert attempt.failure is not None
    assert attempt.failure.short == "insufficient funds"


def _owed(**data: Any) -> MirrorObject:
    about: dict[str, Any] = {"status": "open", "attempt_count": 1, "amount_remaining": 100, "total": 100}
    return told("invoice", "in_1", **USD, **(about | data))


@pytest.mark.parametrize(
    ("charge", "found"),
    [
        ({"amount": 100}, (True, False)),
        ({"amount": 70, "invoice": "in_1"}, (True, True)),
        ({"amount": 100, "payment_details": {"order_reference": "in_1"}}, (True, True)),
        ({"amount": 100, "invoice": "in_2"}, (False, False)),
        ({"amount": 70}, (False, False)),
        ({"amount": 100, "created": AT - 1}, (False, False)),
        ({"amount": 100, "currency": "eur"}, (False, False)),
    ],
)
def test_an_invoice_names_the_failure_that_is_its_own_or_of_its_amount(
    charge: dict[str, Any], found: tuple[bool, bool]
) -> None:
    objects = [_owed(), told("charge", "ch_1", status="failed", **(USD | charge))]

    (invoice,) = billed(objects, of=["cus_1"], default=None).invoices

    assert (invoice.failed is not None, invoice.certain) == found


@pytest.mark.parametrize("data", [{"status": "paid"}, {"status": "void"}, {"attempt_count": 0}])
def test_an_invoice_that_is_over_or_was_not_tried_names_no_failure(data: dict[str, Any]) -> None:
    objects = [_owed(**data), told("charge", "ch_1", status="failed", amount=100, **USD)]

    (invoice,) = billed(objects, of=["cus_1"], default=None).invoices

    assert invoice.failed is None


def test_the_invoice_that_an_old_payload_names_is_taken_from_it() -> None:
    paying = {"data": [{"payment": {"type": "payment_intent", "payment_intent": "pi_1"}}]}
    charge = told("charge", "ch_1", status="failed", amount=7, payment_intent="pi_1", **USD)

    found = billed([_owed(payments=paying), charge], of=["cus_1"], default=None)

    assert found.attempts[0].invoice_id == "in_1"
    assert found.invoices[0].certain


def test_methods_on_file_come_with_the_default_first_and_without_those_detached() -> None:
    card: dict[str, Any] = {"type": "card", "card": {"brand": "visa", "last4": "4242"}, "created": AT}
    source = {"id": "card_1", "object": "card", "brand": "Visa", "last4": "1881"}
    objects = [
        told("payment_method", "pm_1", customer="cus_1", **card),
        told("payment_method", "pm_2", customer="cus_1", **card),
        told("payment_method", "pm_3", customer=None, **card),
        told("customer", "cus_1", sources={"data": [source]}),
    ]

    found = billed(objects, of=["cus_1"], default="pm_2").methods

    assert [(one.method.id, one.default) for one in found] == [("pm_2", True), ("card_1", False), ("pm_1", False)]


def test_what_is_not_what_it_should_be_breaks_nothing() -> None:
    junk: list[Any] = [None, 5, "x", [], {}, [None]]
    objects = [
        told(kind, f"{kind}_{place}", **dict.fromkeys(("status", "created", "amount", "payments", "sources"), value))
        for kind in ("customer", "invoice", "charge", "payment_intent", "payment_method")
        for place, value in enumerate(junk)
    ]

    found = billed(objects, of=["cus_1"], default=None)

    assert len(found.invoices) == len(junk)
    assert all(one.total is None for one in found.invoices)


def test_amounts_are_in_the_invoices_own_currency() -> None:
    (invoice,) = billed([_owed()], of=["cus_1"], default=None).invoices

    assert (invoice.total, invoice.remaining) == (Money(minor=100, currency="usd"), Money(minor=100, currency="usd"))


def test_a_charge_is_of_the_invoice_that_its_payment_names() -> None:
    intent = told("payment_intent", "pi_1", invoice="in_1", latest_charge="ch_1", **USD)
    charge = told("charge", "ch_1", status="succeeded", amount=100, payment_intent="pi_1", **USD)

    (attempt,) = billed([intent, charge], of=["cus_1"], default=None).attempts

    assert attempt.invoice_id == "in_1"


def test_an_order_that_is_cut_off_names_the_invoice_that_begins_so() -> None:
    name = "in_1JfVafRVOIltWMeS9YgrNiAb"
    intent = told("payment_intent", "pi_1", payment_details={"order_reference": name[:25]}, **USD)
    tried = told("charge", "ch_1", status="failed", amount=70, payment_intent={"id": "pi_1"}, **USD)
    owed = told("invoice", name, status="open", attempt_count=1, amount_remaining=100, **USD)

    (invoice,) = billed([intent, tried, owed], of=["cus_1"], default=None).invoices

    assert invoice.failed is not None
    assert (invoice.failed.object_id, invoice.certain) == ("ch_1", True)


def test_a_charge_without_any_time_is_no_attempt() -> None:
    timeless = told("charge", "ch_1", at=10**18, status="succeeded", amount=100, currency="usd")
    timed = told("charge", "ch_2", status="succeeded", amount=100, **USD)

    assert outcomes(timeless, timed) == [("ch_2", Outcome.SUCCEEDED)]
