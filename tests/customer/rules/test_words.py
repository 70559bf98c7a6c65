"""What payments, invoices, schedules, subscriptions and customers say of their course."""

from __future__ import annotations

from typing import Any

import pytest

from tests.customer.rules.sayings import DAY, INVOICE, NOW, USD, said
from trueup.customer.types import Tone


@pytest.mark.parametrize(
    ("_case_type", "_case_data", "_case_previous", "_case_said"),
    [
        (
            "payment_intent.canceled",
            USD | {"cancellation_reason": "requested_by_customer"},
            None,
            ("Payment of $49.00 canceled", "Requested by customer", Tone.PLAIN),
        ),
        ("payment_intent.canceled", USD | {"invoice": "in_1"}, None, None),
        (
            "payment_intent.processing",
            USD | {"invoice": "in_1"},
            None,
            ("Payment of $49.00 is being processed", "", Tone.PLAIN),
        ),
        (
            "payment_intent.partially_funded",
            USD | {"next_action": {"display_bank_transfer_instructions": {"amount_remaining": 3900}}},
            None,
            ("Payment of $49.00 came in part", "$39.00 still open", Tone.WARN),
        ),
        ("charge.pending", USD | {"payment_intent": "pi_1"}, None, None),
        ("charge.captured", USD | {"payment_intent": "pi_1"}, None, None),
        ("charge.expired", USD | {"payment_intent": "pi_1"}, None, None),
        (
            "charge.captured",
            USD | {"amount_captured": 1000},
            None,
            ("Payment of $10.00 captured", "", Tone.GOOD),
        ),
        ("charge.succeeded", USD | {"captured": False}, None, ("Payment of $49.00 authorized", "", Tone.PLAIN)),
        ("charge.succeeded", USD | {"captured": True}, None, ("Payment of $49.00 succeeded", "", Tone.GOOD)),
        (
            "charge.refunded",
            USD | {"amount_refunded": 1450, "refunded": False},
            {"amount_refunded": 1000},
            ("Refunded $4.50", "In part, $14.50 of $49.00 so far", Tone.WARN),
        ),
        (
            "charge.refunded",
            USD | {"amount_refunded": 4900, "refunded": True},
            {"amount_refunded": 1450},
            ("Refunded $34.50", "Now refunded in full", Tone.WARN),
        ),
        ("refund.updated", USD | {"status": "succeeded"}, {"status": "pending"}, None),
        ("refund.updated", USD | {"status": "canceled"}, {"metadata": {}}, None),
        (
            "refund.updated",
            USD | {"status": "requires_action"},
            {"status": "pending"},
            ("Refund of $49.00 waits for the customer's details", "", Tone.WARN),
        ),
        (
            "charge.dispute.created",
            USD | {"status": "needs_response", "reason": "fraudulent", "evidence_details": {"due_by": NOW}},
            None,
            ("Payment of $49.00 disputed", "Fraudulent · Answer by May 26, 2026", Tone.BAD),
        ),
        (
            "charge.dispute.created",
            USD | {"status": "warning_needs_response", "reason": "unrecognized"},
            None,
            ("Payment of $49.00 questioned by the bank", "Unrecognized", Tone.WARN),
        ),
        ("charge.dispute.updated", USD | {"evidence_details": {"submission_count": 1}}, {"evidence": {}}, None),
        (
            "charge.dispute.updated",
            USD | {"evidence_details": {"submission_count": 1}},
            {"evidence_details": {"submission_count": 1}},
            None,
        ),
        (
            "charge.dispute.updated",
            USD | {"evidence_details": None},
            {"evidence_details": {"submission_count": 1}},
            None,
        ),
        (
            "radar.early_fraud_warning.created",
            {"fraud_type": "made_with_stolen_card"},
            None,
            ("The bank warns of fraud", "Made with stolen card", Tone.BAD),
        ),
        (
            "review.closed",
            {"closed_reason": "refunded_as_fraud"},
            None,
            ("Review of a payment closed", "Refunded as fraud", Tone.PLAIN),
        ),
        ("review.closed", {"closed_reason": "approved"}, None, ("Review of a payment closed", "Approved", Tone.GOOD)),
        (
            "checkout.session.expired",
            {"amount_total": 0, "currency": "usd"},
            None,
            ("Checkout not completed", "", Tone.WARN),
        ),
        ("checkout.session.expired", {}, None, ("Checkout not completed", "", Tone.WARN)),
        ("customer_cash_balance_transaction.created", {"type": "applied_to_payment", "net_amount": -5}, None, None),
    ],
)
def test_payments_tell_their_course(
    _case_type: str, _case_data: dict[str, Any], _case_previous: dict[str, Any] | None, _case_said: object
) -> None:
    assert said(_case_type, _case_data, _case_previous) == _case_said


@pytest.mark.parametrize(
    ("_case_type", "_case_data", "_case_previous", "_case_said"),
    [
        (
            "invoice.finalization_failed",
            INVOICE | {"last_finalization_error": {"code": "customer_tax_location_invalid"}},
            None,
            ("Invoice A-1 for $49.00 could not be finalized", "Customer tax location invalid", Tone.BAD),
        ),
        ("invoice.will_be_due", INVOICE, None, ("Invoice A-1 for $49.00 will be due", "", Tone.PLAIN)),
        ("invoice.overpaid", {}, None, ("Invoice was overpaid", "", Tone.PLAIN)),
        (
            "invoiceitem.created",
            USD | {"amount": -500, "description": "Goodwill"},
            None,
            ("Credit of $5.00 added to the next invoice", "Goodwill", Tone.PLAIN),
        ),
        ("invoiceitem.created", USD | {"proration": True}, None, None),
        ("invoiceitem.created", USD | {"invoice": "in_1"}, None, None),
        ("invoiceitem.created", USD | {"amount": 0}, None, None),
        ("invoiceitem.created", {}, None, None),
        (
            "credit_note.created",
            USD | {"reason": "product_unsatisfactory"},
            None,
            ("Credit note of $49.00 issued", "Product unsatisfactory", Tone.PLAIN),
        ),
        (
            "quote.finalized",
            {"number": "Q-1", "expires_at": NOW},
            None,
            ("Quote Q-1 offered", "Until May 26, 2026", Tone.PLAIN),
        ),
        (
            "billing.credit_grant.created",
            {"name": "Launch", "category": "paid", "expires_at": NOW},
            None,
            ("Prepaid credit granted", "Launch · Until May 26, 2026", Tone.GOOD),
        ),
        (
            "billing.credit_grant.updated",
            {"expires_at": NOW, "amount": {"monetary": {"currency": "usd", "value": 4900}}, "name": "Launch"},
            {"expires_at": None},
            ("Credit of $49.00 now expires on May 26, 2026", "Launch", Tone.PLAIN),
        ),
        ("billing.credit_grant.updated", {"expires_at": None}, {"expires_at": NOW}, None),
        ("billing.credit_grant.updated", {"voided_at": None}, {"voided_at": NOW}, None),
        ("billing.credit_grant.updated", {"expires_at": NOW}, {"metadata": {}}, None),
    ],
)
def test_invoices_and_what_stands_around_them_tell_their_course(
    _case_type: str, _case_data: dict[str, Any], _case_previous: dict[str, Any] | None, _case_said: object
) -> None:
    assert said(_case_type, _case_data, _case_previous) == _case_said


def phases(*starts: int | None) -> list[dict[str, Any]]:
    return [{"start_date": start} for start in starts]


@pytest.mark.parametrize(
    ("_case_verb", "_case_data", "_case_previous", "_case_said"),
    [
        ("created", {"phases": phases(NOW - DAY)}, None, None),
        ("created", {"phases": ["odd", {"start_date": None}]}, None, None),
        (
            "created",
            {"phases": phases(NOW + DAY), "status": "not_started"},
            None,
            ("Subscription planned for May 27, 2026", "", Tone.GOOD),
        ),
        ("updated", {"phases": phases(NOW + DAY)}, None, None),
        ("updated", {"phases": phases(NOW + DAY)}, {"metadata": {}}, None),
        ("updated", {"phases": phases(NOW - DAY, NOW + DAY)}, {"phases": phases(NOW + DAY)}, None),
        (
            "updated",
            {"phases": phases(NOW - DAY)},
            {"phases": phases(NOW - DAY, NOW + DAY)},
            ("Planned change withdrawn", "", Tone.PLAIN),
        ),
        (
            "updated",
            {"phases": phases(NOW + 2 * DAY)},
            {"phases": phases(NOW + DAY)},
            ("Planned change moved to May 28, 2026", "It was planned for May 27, 2026", Tone.PLAIN),
        ),
        ("released", {"phases": phases(NOW - DAY)}, None, None),
        ("canceled", {"subscription": "sub_1"}, None, None),
        ("expiring", {"end_behavior": "release"}, None, None),
        (
            "expiring",
            {"end_behavior": "cancel", "current_phase": {"end_date": NOW}},
            None,
            ("Ends on May 26, 2026 as planned", "", Tone.WARN),
        ),
    ],
)
def test_a_schedule_tells_what_is_planned_and_not_what_happens(
    _case_verb: str, _case_data: dict[str, Any], _case_previous: dict[str, Any] | None, _case_said: object
) -> None:
    assert said(f"subscription_schedule.{_case_verb}", _case_data, _case_previous) == _case_said


@pytest.mark.parametrize(
    ("_case_data", "_case_previous", "_case_said"),
    [
        (
            {"collection_method": "send_invoice"},
            {"collection_method": "charge_automatically"},
            ("Billed by invoice from now on", "", Tone.PLAIN),
        ),
        (
            {"collection_method": "charge_automatically"},
            {"collection_method": "send_invoice"},
            ("Charged automatically from now on", "", Tone.PLAIN),
        ),
        ({"collection_method": "by_pigeon"}, {"collection_method": "send_invoice"}, None),
        (
            {"pending_update": {"expires_at": NOW}},
            {"pending_update": None},
            ("A change waits for its payment", "Until May 26, 2026", Tone.WARN),
        ),
        ({"pending_update": {}}, {"pending_update": None}, ("A change waits for its payment", "", Tone.WARN)),
        ({"pending_update": {"expires_at": NOW}}, {"pending_update": {"expires_at": 5}}, None),
        ({"pending_update": None}, {"pending_update": {"expires_at": NOW}}, None),
    ],
)
def test_a_subscription_tells_how_it_is_collected_and_what_waits(
    _case_data: dict[str, Any], _case_previous: dict[str, Any], _case_said: object
) -> None:
    assert said("customer.subscription.updated", _case_data, _case_previous) == _case_said


@pytest.mark.parametrize(
    ("_case_now", "_case_previous", "_case_said"),
    [
        ({"tax_exempt": "exempt"}, {"tax_exempt": "none"}, ("No longer taxed: exempt", "", Tone.PLAIN)),
        ({"tax_exempt": "none"}, {"tax_exempt": "exempt"}, ("Taxed as usual again", "", Tone.PLAIN)),
        ({"tax_exempt": "reverse"}, {"tax_exempt": "none"}, ("Taxed by reverse charge", "", Tone.PLAIN)),
        ({"tax_exempt": "a_new_one"}, {"tax_exempt": "none"}, ("Tax status set to a new one", "", Tone.PLAIN)),
        ({"tax_exempt": "none"}, {"tax_exempt": None}, None),
        (
            {"preferred_locales": ["de", "en"]},
            {"preferred_locales": ["en"]},
            ("Preferred language set to de", "", Tone.PLAIN),
        ),
        ({"preferred_locales": ["de"]}, {"preferred_locales": []}, ("Preferred language set to de", "", Tone.PLAIN)),
        ({"preferred_locales": ["de"]}, {"preferred_locales": ["de", "en"]}, None),
        ({"preferred_locales": []}, {"preferred_locales": ["de"]}, None),
        (
            {"shipping": {"address": {"country": "DE"}}},
            {"shipping": {"address": {"country": "FR"}}},
            ("Shipping address changed", "From FR to DE", Tone.PLAIN),
        ),
        (
            {"shipping": None},
            {"shipping": {"address": {"country": "FR"}}},
            ("Shipping address removed", "", Tone.PLAIN),
        ),
        ({"address": None}, {"address": {"country": "FR"}}, ("Address removed", "", Tone.PLAIN)),
        ({"business_name": "B"}, {"business_name": "A"}, ("Business name changed from A to B", "", Tone.PLAIN)),
    ],
)
def test_a_customer_tells_what_changed(
    _case_now: dict[str, Any], _case_previous: dict[str, Any], _case_said: object
) -> None:
    assert said("customer.updated", _case_now, _case_previous) == _case_said


@pytest.mark.parametrize(
    ("_case_status", "_case_previous", "_case_said"),
    [
        ("verified", {"verification": {"status": "pending"}}, ("Tax ID verified", "EU VAT", Tone.GOOD)),
        ("unverified", {"verification": {"status": "pending"}}, ("Tax ID could not be verified", "EU VAT", Tone.WARN)),
        ("unavailable", {"verification": {"status": "pending"}}, None),
        ("verified", {"verification": {"verified_name": None}}, None),
        ("verified", None, None),
    ],
)
def test_a_tax_id_is_checked(_case_status: str, _case_previous: dict[str, Any] | None, _case_said: object) -> None:
    data = {"type": "eu_vat", "value": "DE123456789", "verification": {"status": _case_status}}

    assert said("customer.tax_id.updated", data, _case_previous) == _case_said


@pytest.mark.parametrize(
    ("_case_coupon", "_case_end", "_case_detail"),
    [
        ({"duration": "once"}, None, "Once"),
        ({"duration": "forever"}, None, ""),
        ({"duration": "repeating", "duration_in_months": 3}, NOW, "Until May 26, 2026"),
        ({"duration": "repeating", "duration_in_months": 3}, None, "For 3 months"),
        ({"duration": "repeating"}, None, ""),
    ],
)
def test_a_discount_tells_how_long_it_lasts(
    _case_coupon: dict[str, Any], _case_end: int | None, _case_detail: str
) -> None:
    data = {"source": {"coupon": {"percent_off": 20} | _case_coupon}, "end": _case_end}

    assert said("customer.discount.created", data) == ("Discount added: 20% off", _case_detail, Tone.GOOD)


def test_a_promotion_code_for_one_customer_is_an_offer() -> None:
    code = {"code": "STAY", "expires_at": NOW, "coupon": {"id": "c", "percent_off": 20}}

    assert said("promotion_code.created", code | {"customer": "cus_1"}) == (
        "Discount offered: 20% off",
        "Code STAY · Until May 26, 2026",
        Tone.PLAIN,
    )
    assert said("promotion_code.created", {"customer": "cus_1"}) == ("Discount offered: a coupon", "", Tone.PLAIN)
    assert said("promotion_code.created", code) is None
