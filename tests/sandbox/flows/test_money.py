"""Payments, refunds, disputes, invoices and schedules through the official SDK: B.5 and B.7 of the specification."""

from __future__ import annotations

from typing import Any, cast

import pytest
import stripe

from tests.sandbox.flows.conftest import MONTH, Shop, latest

_WARNED: Any = {"number": "4000000000005423", "exp_month": 12, "exp_year": 2034, "cvc": "123"}
_NO_REDIRECTS: Any = {"enabled": True, "allow_redirects": "never"}


def _pay(shop: Shop, card: str = "pm_card_visa", **more: Any) -> stripe.PaymentIntent:
    params = {
        "amount": 2000,
        "currency": "usd",
        "payment_method": card,
        "confirm": True,
        "automatic_payment_methods": _NO_REDIRECTS,
        "expand": ["latest_charge"],
        **more,
    }
    return shop.sdk.v1.payment_intents.create(cast("Any", params))


def _charge(intent: stripe.PaymentIntent) -> stripe.Charge:
    return cast("stripe.Charge", intent.latest_charge)


def test_a_payment_succeeds_and_settles(shop: Shop) -> None:
    paid = _pay(shop)

    shop.sandbox.advance(seconds=60)

    charge = shop.sdk.v1.charges.retrieve(_charge(paid).id, {"expand": ["balance_transaction"]})
    entry = cast("stripe.BalanceTransaction", charge.balance_transaction)
    assert (paid.status, paid.amount_received) == ("succeeded", 2000)
    assert entry.net == entry.amount - entry.fee
    assert {"charge.succeeded", "payment_intent.succeeded", "charge.updated"} <= set(shop.told())


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
    ],
)
def test_a_decline_is_the_sdks_card_error(shop: Shop, card: str, code: str) -> None:
    with pytest.raises(stripe.CardError) as refused:
        _pay(shop, card)

    assert refused.value.code == "card_declined"
    assert refused.value.error is not None
    assert refused.value.error.decline_code == code
    assert refused.value.error.payment_intent is not None
    assert {"charge.failed", "payment_intent.payment_failed"} <= set(shop.told())


@pytest.mark.parametrize(("succeed", "status"), [(True, "succeeded"), (False, "requires_payment_method")])
def test_a_payment_waits_for_the_payer(shop: Shop, succeed: bool, status: str) -> None:
    asked = _pay(shop, "pm_card_authenticationRequired")

    shop.sandbox.authenticate(asked.id, succeed=succeed)

    assert asked.status == "requires_action"
    assert shop.sdk.v1.payment_intents.retrieve(asked.id).status == status


def test_money_is_held_and_then_taken_or_let_go(shop: Shop) -> None:
    held, other = _pay(shop, capture_method="manual"), _pay(shop, capture_method="manual")

    taken = shop.sdk.v1.payment_intents.capture(held.id, {"amount_to_capture": 1500})
    gone = shop.sdk.v1.payment_intents.cancel(other.id)

    assert (held.status, taken.status, taken.amount_received) == ("requires_capture", "succeeded", 1500)
    assert gone.status == "canceled"


def test_money_goes_back_in_parts_and_no_more_than_came(shop: Shop) -> None:
    paid = _pay(shop)

    first = shop.sdk.v1.refunds.create({"payment_intent": paid.id, "amount": 500})
    rest = shop.sdk.v1.refunds.create({"charge": _charge(paid).id})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.sdk.v1.refunds.create({"charge": _charge(paid).id})

    assert (first.status, rest.amount) == ("succeeded", 1500)
    assert shop.sdk.v1.charges.retrieve(_charge(paid).id).refunded
    assert refused.value.code == "charge_already_refunded"


def test_a_refund_may_fail_later(shop: Shop) -> None:
    refund = shop.sdk.v1.refunds.create({"payment_intent": _pay(shop, "pm_card_refundFail").id})

    shop.sandbox.advance(days=1)

    assert shop.sdk.v1.refunds.retrieve(refund.id).status == "failed"
    assert "refund.failed" in shop.told()


@pytest.mark.parametrize(("evidence", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_a_dispute_is_decided_by_its_evidence(shop: Shop, evidence: str, status: str) -> None:
    paid = _pay(shop, "pm_card_createDispute")
    dispute = shop.sdk.v1.disputes.list({"payment_intent": paid.id}).data[0]

    asked = shop.sdk.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}, "submit": True})
    shop.sandbox.advance(days=1)

    assert (dispute.status, asked.status) == ("needs_response", "under_review")
    assert shop.sdk.v1.disputes.retrieve(dispute.id).status == status
    told = shop.told()
    assert {"charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed"} <= set(told)
    assert ("charge.dispute.funds_reinstated" in told) == (status == "won")


def test_a_warning_of_fraud_is_listed(shop: Shop) -> None:
    token = shop.sdk.v1.payment_methods.create({"type": "card", "card": _WARNED})

    paid = _pay(shop, token.id)

    warnings = shop.sdk.v1.radar.early_fraud_warnings.list({"payment_intent": paid.id}).data
    assert [one.actionable for one in warnings] == [True]
    assert "radar.early_fraud_warning.created" in shop.told()


def test_a_card_is_set_up_for_later(shop: Shop) -> None:
    customer = shop.payer(None)

    done = shop.sdk.v1.setup_intents.create(
        {
            "customer": customer,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": _NO_REDIRECTS,
        }
    )

    assert done.status == "succeeded"
    assert [one.id for one in shop.sdk.v1.customers.payment_methods.list(customer).data] == [done.payment_method]


def test_an_invoice_is_voided_credited_and_given_up(shop: Shop) -> None:
    customer = shop.payer()
    opened = []
    for _ in range(3):
        shop.sdk.v1.invoice_items.create({"customer": customer, "amount": 1000, "currency": "usd"})
        draft = shop.sdk.v1.invoices.create({"customer": customer, "pending_invoice_items_behavior": "include"})
        opened.append(shop.sdk.v1.invoices.finalize_invoice(draft.id, {"auto_advance": False}).id)

    note = shop.sdk.v1.credit_notes.create({"invoice": opened[0], "amount": 400})
    void = shop.sdk.v1.invoices.void_invoice(opened[1])
    lost = shop.sdk.v1.invoices.mark_uncollectible(opened[2])
    outside = shop.sdk.v1.invoices.pay(opened[0], {"paid_out_of_band": True})

    assert (note.amount, outside.amount_paid, outside.status) == (400, 600, "paid")
    assert (void.status, lost.status) == ("void", "uncollectible")


def test_a_schedule_takes_a_subscription_through_its_phases(shop: Shop) -> None:
    clock = shop.clock()
    made = shop.subscribe(shop.payer(clock=clock))
    dearer = shop.price(5000)
    schedule = shop.sdk.v1.subscription_schedules.create({"from_subscription": made.id})
    first = schedule.phases[0]

    shop.sdk.v1.subscription_schedules.update(
        schedule.id,
        {
            "end_behavior": "release",
            "phases": [
                {
                    "items": [{"price": cast("str", first.items[0].price), "quantity": 1}],
                    "start_date": first.start_date,
                    "end_date": first.end_date,
                },
                {"items": [{"price": dearer, "quantity": 1}], "duration": {"interval": "month", "interval_count": 1}},
            ],
        },
    )
    shop.wait(clock, MONTH + 3_601)

    assert schedule.status == "active"
    assert latest(shop.now(made)).amount_paid == 5000
    assert "subscription_schedule.updated" in shop.told()
