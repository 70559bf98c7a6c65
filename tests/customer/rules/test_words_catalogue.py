"""One event of every type: its sentence, or its deliberate silence, and what must never be said."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.customer.rules.sayings import DAY, INVOICE, NOW, USD, told
from trueup.customer.rules import QUIET_TYPES, TOLD_TYPES
from trueup.customer.rules.words import masked

CARD: dict[str, Any] = {"type": "card", "card": {"brand": "visa", "last4": "4242", "exp_month": 3, "exp_year": 2030}}
COUPON: dict[str, Any] = {"source": {"coupon": {"id": "c", "percent_off": 20, "duration": "once"}}}
PLAN: dict[str, Any] = {
    "items": {
        "data": [
            {
                "price": {
                    "id": "price_1",
                    "nickname": "Pro",
                    "unit_amount": 4900,
                    "currency": "usd",
                    "recurring": {"interval": "month", "interval_count": 1},
                }
            }
        ]
    }
}
PHASES: dict[str, Any] = {"phases": [{"start_date": NOW - DAY}, {"start_date": NOW + DAY}]}

SAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any] | None, str]] = {
    "billing.credit_grant.created": (
        {"amount": {"monetary": {"currency": "usd", "value": 4900}}, "category": "promotional"},
        None,
        "$49.00 of promotional credit granted",
    ),
    "billing.credit_grant.updated": ({"voided_at": NOW}, {"voided_at": None}, "Credit voided"),
    "charge.captured": (USD, None, "Payment of $49.00 captured"),
    "charge.dispute.closed": (USD | {"status": "won"}, None, "Dispute won"),
    "charge.dispute.created": (USD, None, "Payment of $49.00 disputed"),
    "charge.dispute.updated": (
        USD | {"evidence_details": {"submission_count": 1}},
        {"evidence_details": {"submission_count": 0}},
        "Evidence for the dispute of $49.00 sent",
    ),
    "charge.expired": (USD, None, "Payment of $49.00 was never captured"),
    "charge.failed": (USD | {"failure_code": "card_declined"}, None, "Payment of $49.00 failed: card declined"),
    "charge.pending": (USD, None, "Payment of $49.00 is being processed"),
    "charge.refunded": (USD | {"amount_refunded": 4900}, {"amount_refunded": 0}, "Refunded $49.00"),
    "charge.succeeded": (USD, None, "Payment of $49.00 succeeded"),
    "checkout.session.expired": ({"amount_total": 4900, "currency": "usd"}, None, "Checkout of $49.00 not completed"),
    "credit_note.created": (USD | {"number": "C-1"}, None, "Credit note C-1 of $49.00 issued"),
    "credit_note.voided": (USD | {"number": "C-1"}, None, "Credit note C-1 of $49.00 voided"),
    "customer.bank_account.created": (CARD, None, "Payment method added: Visa ending 4242"),
    "customer.bank_account.deleted": (CARD, None, "Payment method removed: Visa ending 4242"),
    "customer.card.created": (CARD, None, "Payment method added: Visa ending 4242"),
    "customer.card.deleted": (CARD, None, "Payment method removed: Visa ending 4242"),
    "customer.created": ({}, None, "Became a customer"),
    "customer.deleted": ({}, None, "Customer deleted"),
    "customer.discount.created": (COUPON, None, "Discount added: 20% off"),
    "customer.discount.deleted": (COUPON, None, "Discount ended: 20% off"),
    "customer.discount.updated": (COUPON, None, "Discount changed: 20% off"),
    "customer.source.created": (CARD, None, "Payment method added: Visa ending 4242"),
    "customer.source.deleted": (CARD, None, "Payment method removed: Visa ending 4242"),
    "customer.source.expiring": (CARD, None, "Payment method expires soon: Visa ending 4242"),
    "customer.source.updated": (CARD, {"card": {"exp_year": 2027}}, "Payment method updated: Visa ending 4242"),
    "customer.subscription.created": (PLAN | {"status": "active"}, None, "Subscribed to Pro, monthly"),
    "customer.subscription.deleted": (PLAN | {"status": "canceled"}, None, "Canceled"),
    "customer.subscription.paused": (PLAN, None, "Paused"),
    "customer.subscription.pending_update_expired": (PLAN, None, "A change was not paid for and has lapsed"),
    "customer.subscription.resumed": (PLAN, None, "Resumed"),
    "customer.subscription.trial_will_end": (PLAN | {"trial_end": NOW + 3 * DAY}, None, "Trial ends in 3 days"),
    "customer.subscription.updated": (
        PLAN | {"status": "past_due"},
        {"status": "active"},
        "Payment is overdue",
    ),
    "customer.tax_id.created": ({"type": "eu_vat"}, None, "Tax ID added"),
    "customer.tax_id.deleted": ({"type": "eu_vat"}, None, "Tax ID removed"),
    "customer.tax_id.updated": (
        {"type": "eu_vat", "verification": {"status": "verified"}},
        {"verification": {"status": "pending"}},
        "Tax ID verified",
    ),
    "customer.updated": ({"name": "B"}, {"name": "A"}, "Name changed from A to B"),
    "customer_cash_balance_transaction.created": (
        {"type": "funded", "net_amount": 4900, "currency": "usd"},
        None,
        "Bank transfer of $49.00 received",
    ),
    "invoice.finalization_failed": (INVOICE, None, "Invoice A-1 for $49.00 could not be finalized"),
    "invoice.marked_uncollectible": (INVOICE, None, "Invoice A-1 for $49.00 written off"),
    "invoice.overdue": (INVOICE, None, "Invoice A-1 for $49.00 is overdue"),
    "invoice.overpaid": (INVOICE | {"amount_overpaid": 100}, None, "Invoice A-1 was overpaid by $1.00"),
    "invoice.paid": (INVOICE, None, "Invoice A-1 for $49.00 paid"),
    "invoice.payment_action_required": (
        INVOICE,
        None,
        "Invoice A-1 for $49.00 waits for the customer to confirm the payment",
    ),
    "invoice.payment_attempt_required": (INVOICE, None, "Invoice A-1 for $49.00 has to be collected outside of Stripe"),
    "invoice.sent": (INVOICE, None, "Invoice A-1 for $49.00 sent"),
    "invoice.voided": (INVOICE, None, "Invoice A-1 for $49.00 voided"),
    "invoice.will_be_due": (INVOICE | {"due_date": NOW}, None, "Invoice A-1 for $49.00 is due on May 26, 2026"),
    "invoiceitem.created": (USD, None, "Charge of $49.00 added to the next invoice"),
    "invoiceitem.deleted": (USD, None, "Charge of $49.00 taken off the next invoice"),
    "payment_intent.amount_capturable_updated": (
        {"amount_capturable": 4900, "currency": "usd"},
        None,
        "Payment of $49.00 authorized",
    ),
    "payment_intent.canceled": (USD, None, "Payment of $49.00 canceled"),
    "payment_intent.partially_funded": (USD, None, "Payment of $49.00 came in part"),
    "payment_intent.payment_failed": (
        USD | {"last_payment_error": {"code": "card_declined"}},
        None,
        "Payment of $49.00 failed: card declined",
    ),
    "payment_intent.processing": (USD, None, "Payment of $49.00 is being processed"),
    "payment_intent.requires_action": (USD, None, "Payment of $49.00 waits for the customer to confirm it"),
    "payment_intent.succeeded": (USD, None, "Payment of $49.00 succeeded"),
    "payment_method.attached": (CARD, None, "Payment method added: Visa ending 4242"),
    "payment_method.automatically_updated": (CARD, None, "Payment method renewed by the bank: Visa ending 4242"),
    "payment_method.card_automatically_updated": (CARD, None, "Payment method renewed by the bank: Visa ending 4242"),
    "payment_method.detached": (CARD, None, "Payment method removed: Visa ending 4242"),
    "payment_method.updated": (CARD, {"card": {"exp_year": 2027}}, "Payment method updated: Visa ending 4242"),
    "promotion_code.created": (
        {"customer": "cus_1", "code": "STAY", "promotion": {"coupon": {"id": "c", "percent_off": 20}}},
        None,
        "Discount offered: 20% off",
    ),
    "quote.accepted": (
        {"number": "Q-1", "amount_total": 4900, "currency": "usd"},
        None,
        "Quote Q-1 of $49.00 accepted",
    ),
    "quote.canceled": (
        {"number": "Q-1", "amount_total": 4900, "currency": "usd"},
        None,
        "Quote Q-1 of $49.00 canceled",
    ),
    "quote.finalized": ({"amount_total": 4900, "currency": "usd"}, None, "Quote of $49.00 offered"),
    "radar.early_fraud_warning.created": ({"fraud_type": "misc"}, None, "The bank warns of fraud"),
    "refund.failed": (USD, None, "Refund of $49.00 failed"),
    "refund.updated": (USD | {"status": "canceled"}, {"status": "pending"}, "Refund of $49.00 canceled"),
    "review.closed": ({"closed_reason": "approved"}, None, "Review of a payment closed"),
    "review.opened": ({"reason": "rule"}, None, "Payment held for review"),
    "setup_intent.setup_failed": ({}, None, "Payment method could not be set up"),
    "subscription_schedule.canceled": ({}, None, "Planned subscription called off"),
    "subscription_schedule.created": (PHASES, None, "Change planned for May 27, 2026"),
    "subscription_schedule.expiring": ({"end_behavior": "cancel"}, None, "Ends with its plan"),
    "subscription_schedule.released": (PHASES, None, "Planned change withdrawn"),
    "subscription_schedule.updated": (PHASES, {"phases": []}, "Change planned for May 27, 2026"),
}
"""Data, previous attributes and the title of one event of each type that is told."""

NOT_ABOUT_A_CUSTOMER = tuple(
    """
    account. application_fee. apps. balance. balance_settings. billing.meter. billing_portal.configuration. capability.
    climate. coupon. file. financial_connections. identity. issuing_ payment_link. payout. person. plan. price. product.
    promotion_code.updated reporting. reserve. sigma. tax. tax_rate. terminal. test_helpers. three_d_secure. topup.
    transfer. treasury.
    """.split()
)

SECRETS: dict[str, Any] = {
    "phone": "+4930123456",
    "address": {"line1": "Secret Street 1", "city": "Secretville", "postal_code": "SE99"},
    "value": "DE123456789",
    "ip_address": "192.0.2.7",
    "fingerprint": "Fingerprint1",
    "billing_details": {"phone": "+4930123456", "email": "secret@x.example"},
    "client_secret": "pi_secret",
    "number": "4242 4242 4242 4242",
    "receipt_email": "secret@x.example",
    "sender_name": "Secret Sender",
}
SECRET = re.compile("[Ss]ecret|30123456|123456789|192.0|SE99|4242 ?4242|Fingerprint")


def test_every_type_that_is_told_has_a_sample() -> None:
    assert set(SAMPLES) == TOLD_TYPES


@pytest.mark.parametrize("_case_type", sorted(SAMPLES))
def test_every_told_type_has_its_sentence(_case_type: str) -> None:
    data, previous, title = SAMPLES[_case_type]

    found = told(_case_type, data, previous)

    assert found is not None
    assert (found.title, found.event_type) == (title, _case_type)


@pytest.mark.parametrize("_case_type", sorted(SAMPLES))
def test_no_type_tells_what_the_page_may_not_show(_case_type: str) -> None:
    data, previous, _ = SAMPLES[_case_type]
    before = dict.fromkeys(SECRETS, "before") | (previous or {})

    found = [told(_case_type, SECRETS | data, before), told(_case_type, data | SECRETS, previous)]

    texts = [f"{one.title} {one.detail}" for one in found if one is not None]
    assert texts
    assert [words for words in texts if SECRET.search(words)] == []


def test_every_type_of_the_catalogue_is_told_or_silent_on_purpose(shared: Path) -> None:
    with (shared / "stripe" / "events_snapshot.csv").open(newline="", encoding="utf-8") as source:
        catalogued = {row["type"] for row in csv.DictReader(source)}
    elsewhere = {name for name in catalogued if name.startswith(NOT_ABOUT_A_CUSTOMER)}

    assert len(catalogued) == 275
    assert catalogued - TOLD_TYPES - QUIET_TYPES == elsewhere - TOLD_TYPES - QUIET_TYPES
    assert elsewhere & TOLD_TYPES == set()
    assert [name for name in catalogued - TOLD_TYPES if told(name, USD | CARD | INVOICE | PLAN, {"status": "x"})] == []


def test_recorded_objects_of_every_told_type_are_told_in_clean_words(shared: Path) -> None:
    objects: dict[str, dict[str, Any]] = json.loads((shared / "stripe" / "fixtures3.json").read_bytes())["resources"]
    names = {"refund.": "refund", "charge.dispute.": "dispute", "charge.": "charge", "invoice.": "invoice"}
    names |= {"customer.subscription.": "subscription", "payment_intent.": "payment_intent", "customer.": "customer"}

    found = {
        event_type: told(event_type, objects[resource])
        for event_type in TOLD_TYPES
        for resource in [next((name for start, name in names.items() if event_type.startswith(start)), "customer")]
    }

    spoken = [f"{one.title} {one.detail}" for one in found.values() if one is not None]
    assert len(spoken) > 40
    assert [words for words in spoken if re.search(r"None|[a-z]_[a-z]|[{}\[\]]", words)] == []


@pytest.mark.parametrize(
    ("_case_words", "_case_masked"),
    [
        ("Card 4242424242424242", "Card …4242"),
        ("4000 0566 5566 5556, 378282246310005", "…5556, …0005"),
        ("Order 4242424242424241", "Order 4242424242424241"),
        ("Order 42424242424242424242", "Order 42424242424242424242"),
        ("Invoice 1234 for $49.00", "Invoice 1234 for $49.00"),
    ],
)
def test_a_card_number_is_masked_and_another_number_is_not(_case_words: str, _case_masked: str) -> None:
    assert masked(_case_words) == _case_masked


@given(st.integers(10**12, 10**18 - 1))
def test_every_number_with_the_check_digit_of_a_card_is_masked(number: int) -> None:
    numbers = [f"{number}{digit}" for digit in range(10)]

    assert [one[-4:] for one in numbers if masked(one) != one] == [
        masked(one)[1:] for one in numbers if masked(one).startswith("…")
    ]
    assert sum(masked(one) != one for one in numbers) == 1
