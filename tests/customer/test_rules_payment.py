"""Payments, invoices, refunds and disputes, in plain words: one entry for one payment."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.customer.rules import entry
from trueup.customer.types import Entry, Kind, Tone
from trueup.kernel.money import Money
from trueup.mirror.types import Fact

TENS: dict[str, Any] = {"amount": 4900, "currency": "usd"}
INVOICE: dict[str, Any] = {
    "number": "INV-0001",
    "currency": "usd",
    "total": 4900,
    "amount_due": 4900,
    "amount_paid": 4900,
    "billing_reason": "subscription_cycle",
}


def told(event_type: str, previous: dict[str, Any] | None = None, **data: Any) -> Entry | None:
    fact = Fact(
        object_type=event_type.partition(".")[0],
        object_id="x_1",
        created=1_700_000_000,
        event_id="evt_1",
        event_type=event_type,
        deleted=False,
        data=data,
        previous=previous,
        customer="cus_1",
    )
    return entry(fact, product_names={})


def said(event_type: str, previous: dict[str, Any] | None = None, **data: Any) -> tuple[str, str, Tone] | None:
    found = told(event_type, previous, **data)
    return None if found is None else (found.title, found.detail, found.tone)


def test_a_payment_without_an_invoice_is_told_by_its_intent() -> None:
    found = told("payment_intent.succeeded", **TENS, amount_received=4000, description="A book")

    assert found is not None
    assert (found.title, found.detail, found.tone) == ("Payment of $40.00 succeeded", "A book", Tone.GOOD)
    assert (found.kind, found.amount) == (Kind.PAYMENT, Money(minor=4000, currency="usd"))
    assert said("payment_intent.succeeded", **TENS) == ("Payment of $49.00 succeeded", "", Tone.GOOD)
    assert said("payment_intent.succeeded") == ("Payment succeeded", "", Tone.GOOD)


@pytest.mark.parametrize(
    "_case_data",
    [
        {"invoice": "in_1"},
        {"payment_details": {"order_reference": "in_1"}},
        {"description": "Subscription creation"},
        {"description": "Subscription update"},
        {"description": "Payment for Invoice"},
    ],
)
def test_a_payment_of_an_invoice_is_told_by_the_invoice(_case_data: dict[str, Any]) -> None:
    assert said("payment_intent.succeeded", **TENS, **_case_data) is None
    assert said("payment_intent.requires_action", **TENS, **_case_data) is None
    assert said("payment_intent.payment_failed", **TENS, **_case_data) == ("Payment of $49.00 failed", "", Tone.BAD)


def test_an_order_of_ones_own_is_no_invoice() -> None:
    assert said("payment_intent.succeeded", **TENS, payment_details={"order_reference": "order-7"}) is not None


@pytest.mark.parametrize(
    ("_case_error", "_case_title"),
    [
        (
            {"code": "card_declined", "decline_code": "insufficient_funds"},
            "Payment of $49.00 failed: insufficient funds",
        ),
        ({"code": "card_declined", "decline_code": "generic_decline"}, "Payment of $49.00 failed: card declined"),
        ({"code": "expired_card", "decline_code": "generic_decline"}, "Payment of $49.00 failed: card expired"),
        ({"code": "card_declined"}, "Payment of $49.00 failed: card declined"),
        ({"code": "a_new_code"}, "Payment of $49.00 failed: a new code"),
        ({"code": 5}, "Payment of $49.00 failed"),
        (None, "Payment of $49.00 failed"),
    ],
)
def test_a_failed_payment_tells_why_in_plain_words(_case_error: object, _case_title: str) -> None:
    assert said("payment_intent.payment_failed", **TENS, last_payment_error=_case_error, description="A book") == (
        _case_title,
        "A book",
        Tone.BAD,
    )


def test_a_payment_may_wait_for_the_customer_or_for_its_capture() -> None:
    assert said("payment_intent.requires_action", **TENS) == (
        "Payment of $49.00 waits for the customer to confirm it",
        "",
        Tone.WARN,
    )
    assert said("payment_intent.amount_capturable_updated", amount_capturable=900, currency="jpy") == (
        "Payment of ¥900 authorized",
        "",
        Tone.PLAIN,
    )


def test_a_charge_speaks_only_where_no_intent_stands_for_it() -> None:
    declined: dict[str, Any] = {"failure_code": "card_declined", "outcome": {"reason": "do_not_honor"}}

    assert said("charge.succeeded", **TENS, payment_intent="pi_1") is None
    assert said("charge.failed", **TENS, payment_intent="pi_1") is None
    assert said("charge.succeeded", **TENS, payment_intent=None, description="A book") == (
        "Payment of $49.00 succeeded",
        "A book",
        Tone.GOOD,
    )
    assert said("charge.failed", **TENS, **declined) == ("Payment of $49.00 failed: declined by the bank", "", Tone.BAD)
    assert said("charge.failed", **TENS, failure_code="expired_card") == (
        "Payment of $49.00 failed: card expired",
        "",
        Tone.BAD,
    )


@pytest.mark.parametrize(
    ("_case_previous", "_case_data", "_case_said"),
    [
        ({"amount_refunded": 0}, {"amount_refunded": 4900, "refunded": True}, ("Refunded $49.00", "", Tone.WARN)),
        (
            {"amount_refunded": 1000},
            {"amount_refunded": 1450, "refunded": False},
            ("Refunded $4.50", "In part", Tone.WARN),
        ),
        (None, {"amount_refunded": 4900}, ("Refunded $49.00", "", Tone.WARN)),
        ({"amount_refunded": 0}, {"amount_refunded": 4900, "currency": None}, ("Refunded", "", Tone.WARN)),
        ({"amount_refunded": 500}, {"amount_refunded": 500}, None),
        ({}, {"amount_refunded": None}, None),
    ],
)
def test_a_refund_tells_what_went_back_this_time(
    _case_previous: dict[str, Any] | None, _case_data: dict[str, Any], _case_said: tuple[str, str, Tone] | None
) -> None:
    assert said("charge.refunded", _case_previous, **({"currency": "usd"} | _case_data)) == _case_said


def test_refunds_fail_and_payments_are_disputed() -> None:
    assert said("refund.failed", **TENS, failure_reason="lost_or_stolen_card") == (
        "Refund of $49.00 failed",
        "Lost or stolen card",
        Tone.BAD,
    )
    assert said("refund.failed", **TENS) == ("Refund of $49.00 failed", "", Tone.BAD)
    assert said("charge.dispute.created", **TENS, reason="product_not_received") == (
        "Payment of $49.00 disputed",
        "Product not received",
        Tone.BAD,
    )
    assert said("charge.dispute.created", **TENS) == ("Payment of $49.00 disputed", "", Tone.BAD)
    assert said("charge.dispute.closed", **TENS, status="won") == ("Dispute won", "$49.00", Tone.GOOD)
    assert said("charge.dispute.closed", **TENS, status="lost") == ("Dispute lost", "$49.00", Tone.BAD)
    assert said("charge.dispute.closed", status=None) == ("Dispute closed", "", Tone.PLAIN)


@pytest.mark.parametrize(
    ("_case_data", "_case_said"),
    [
        ({}, ("Invoice INV-0001 for $49.00 paid", "Renewal", Tone.GOOD)),
        ({"billing_reason": "subscription_create"}, ("Invoice INV-0001 for $49.00 paid", "First payment", Tone.GOOD)),
        ({"billing_reason": "manual", "number": None}, ("Invoice for $49.00 paid", "", Tone.GOOD)),
        ({"amount_paid": 0}, ("Invoice INV-0001 for $49.00 paid", "Renewal · From the credit balance", Tone.GOOD)),
        ({"amount_paid": 0, "total": 0}, None),
        ({"amount_paid": None, "total": None}, None),
    ],
)
def test_an_invoice_is_paid(_case_data: dict[str, Any], _case_said: tuple[str, str, Tone] | None) -> None:
    assert said("invoice.paid", **(INVOICE | _case_data)) == _case_said


def test_an_old_invoice_that_tells_only_that_it_was_paid_tells_its_amount() -> None:
    found = told("invoice.paid", amount_due=1900, paid=True, currency="gbp", total=1900)

    assert found is not None
    assert (found.title, found.kind, found.amount) == (
        "Invoice for £19.00 paid",
        Kind.INVOICE,
        Money(minor=1900, currency="gbp"),
    )


@pytest.mark.parametrize(
    ("_case_type", "_case_said"),
    [
        ("invoice.sent", ("Invoice INV-0001 for $49.00 sent", "", Tone.PLAIN)),
        ("invoice.overdue", ("Invoice INV-0001 for $49.00 is overdue", "", Tone.BAD)),
        ("invoice.voided", ("Invoice INV-0001 for $49.00 voided", "", Tone.PLAIN)),
        ("invoice.marked_uncollectible", ("Invoice INV-0001 for $49.00 written off", "", Tone.BAD)),
        (
            "invoice.payment_action_required",
            ("Invoice INV-0001 for $49.00 waits for the customer to confirm the payment", "", Tone.WARN),
        ),
        ("invoice.finalization_failed", ("Invoice INV-0001 for $49.00 could not be finalized", "", Tone.BAD)),
        ("invoice.payment_succeeded", None),
        ("invoice.payment_failed", None),
        ("invoice.created", None),
        ("invoice.finalized", None),
        ("invoice.updated", None),
    ],
)
def test_an_invoice_has_few_moments_worth_an_entry(_case_type: str, _case_said: tuple[str, str, Tone] | None) -> None:
    assert said(_case_type, **INVOICE) == _case_said


def test_an_invoice_without_an_amount_is_told_without_one() -> None:
    assert said("invoice.sent", number="INV-1") == ("Invoice INV-1 sent", "", Tone.PLAIN)


def test_a_credit_note_is_issued() -> None:
    assert said("credit_note.created", **TENS, number="CN-1") == ("Credit note CN-1 of $49.00 issued", "", Tone.PLAIN)
    assert said("credit_note.created", amount=100, currency="USD") == ("Credit note of $1.00 issued", "", Tone.PLAIN)
