"""Subscriptions through the official SDK: B.1 to B.3 of the sandbox's specification."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.flows.conftest import DAY, MONTH, Shop, latest


def test_a_first_payment_makes_a_subscription_active(shop: Shop) -> None:
    customer = shop.payer()
    shop.told()

    made = shop.subscribe(customer)

    assert (made.status, latest(made).status, latest(made).attempt_count) == ("active", "paid", 1)
    assert latest(made).billing_reason == "subscription_create"
    assert shop.intent(made).status == "succeeded"
    assert {"customer.subscription.created", "invoice.paid", "charge.succeeded", "invoice_payment.paid"} <= set(
        shop.told()
    )


def test_without_a_payment_method_nothing_is_made(shop: Shop) -> None:
    customer = shop.payer(None)
    shop.told()

    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.subscribe(customer)

    assert (refused.value.code, refused.value.http_status) == ("resource_missing", 400)
    assert [one for one in shop.told() if one.startswith(("customer", "invoice"))] == []


def test_default_incomplete_is_paid_by_confirming_the_intent(shop: Shop) -> None:
    made = shop.subscribe(shop.payer(None), payment_behavior="default_incomplete")
    waiting = shop.intent(made)

    shop.sdk.v1.payment_intents.confirm(waiting.id, {"payment_method": "pm_card_visa"})

    assert (made.status, latest(made).status, waiting.status) == ("incomplete", "open", "requires_payment_method")
    assert (shop.now(made).status, latest(shop.now(made)).status) == ("active", "paid")


def test_a_decline_leaves_it_incomplete_until_it_expires(shop: Shop) -> None:
    clock = shop.clock()
    made = shop.subscribe(shop.payer("pm_card_chargeCustomerFail", clock=clock), payment_behavior="allow_incomplete")
    shop.told()

    shop.wait(clock, DAY)

    assert (made.status, latest(made).status, latest(made).attempt_count) == ("incomplete", "open", 1)
    assert (shop.now(made).status, latest(shop.now(made)).status) == ("incomplete_expired", "void")
    assert {"customer.subscription.updated", "invoice.voided"} <= set(shop.told())


def test_a_first_payment_may_need_the_payer(shop: Shop) -> None:
    made = shop.subscribe(shop.payer("pm_card_authenticationRequired"), payment_behavior="allow_incomplete")
    intent = shop.intent(made)

    shop.sandbox.authenticate(intent.id)

    assert (made.status, intent.status, latest(made).attempt_count) == ("incomplete", "requires_action", 0)
    assert shop.now(made).status == "active"
    assert "invoice.payment_action_required" in shop.told()


def test_error_if_incomplete_is_a_card_error_and_makes_nothing(shop: Shop) -> None:
    customer = shop.payer("pm_card_chargeCustomerFail")

    with pytest.raises(stripe.CardError) as refused:
        shop.subscribe(customer, payment_behavior="error_if_incomplete")

    assert (refused.value.code, refused.value.http_status) == ("card_declined", 402)
    assert shop.sdk.v1.subscriptions.list({"customer": customer, "status": "all"}).data == []


def test_an_invoice_to_be_sent_is_finalised_sent_and_overdue(shop: Shop) -> None:
    clock = shop.clock()
    made = shop.subscribe(shop.payer(None, clock=clock), collection_method="send_invoice", days_until_due=5)
    shop.told()

    shop.wait(clock, 3_601)
    sent = shop.told()
    shop.wait(clock, 6 * DAY)

    assert (made.status, latest(made).status) == ("active", "draft")
    assert {"invoice.finalized", "invoice.sent"} <= set(sent)
    assert "invoice.overdue" in shop.told()
    assert shop.now(made).status == "past_due"


def test_a_trial_ends_in_a_first_charge(shop: Shop) -> None:
    clock = shop.clock()
    made = shop.subscribe(shop.payer(clock=clock), trial_period_days=14)
    shop.told()

    shop.wait(clock, 12 * DAY)
    warned = shop.told()
    shop.wait(clock, 2 * DAY + 3_601)

    assert (made.status, latest(made).status, latest(made).total) == ("trialing", "paid", 0)
    assert "customer.subscription.trial_will_end" in warned
    assert (shop.now(made).status, latest(shop.now(made)).amount_paid) == ("active", 2000)


@pytest.mark.parametrize(("_case", "behavior", "status"), [("a", "cancel", "canceled"), ("b", "pause", "paused")])
def test_a_trial_without_a_card_ends_as_asked(shop: Shop, _case: str, behavior: str, status: str) -> None:
    clock = shop.clock()
    ends = {"end_behavior": {"missing_payment_method": behavior}}
    made = shop.subscribe(shop.payer(None, clock=clock), trial_period_days=5, trial_settings=ends)

    shop.wait(clock, 5 * DAY)

    assert shop.now(made).status == status


def test_a_paused_trial_is_resumed_by_a_payment(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.payer(None, clock=clock)
    ends = {"end_behavior": {"missing_payment_method": "pause"}}
    made = shop.subscribe(customer, trial_period_days=5, trial_settings=ends)
    shop.wait(clock, 5 * DAY)
    shop.card(customer, "pm_card_visa")

    shop.sdk.v1.subscriptions.resume(made.id)
    invoice = latest(shop.now(made))
    if invoice.status != "paid":
        shop.sdk.v1.invoices.pay(invoice.id)

    assert shop.now(made).status == "active"
    assert "customer.subscription.resumed" in shop.told()


def test_a_renewal_is_a_draft_for_an_hour_and_then_paid(shop: Shop) -> None:
    clock = shop.clock()
    made = shop.subscribe(shop.payer(clock=clock))
    shop.told()

    shop.wait(clock, MONTH)
    renewed = latest(shop.now(made))
    draft = shop.told()
    shop.wait(clock, 3_601)

    assert (renewed.status, renewed.billing_reason, renewed.auto_advance) == ("draft", "subscription_cycle", True)
    assert {"invoice.upcoming", "invoice.created", "customer.subscription.updated"} <= set(draft)
    assert latest(shop.now(made)).status == "paid"
    assert "invoice.payment_succeeded" in shop.told()


def test_a_renewal_that_is_declined_is_retried_and_given_up(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.payer(clock=clock)
    made = shop.subscribe(customer)
    shop.card(customer, "pm_card_chargeCustomerFail")

    shop.wait(clock, MONTH + 3_601)
    failed = shop.now(made)
    shop.wait(clock, 20 * DAY)

    assert (failed.status, latest(failed).status, latest(failed).attempt_count) == ("past_due", "open", 1)
    assert latest(failed).next_payment_attempt is not None
    assert shop.now(made).status == "canceled"
    assert shop.told().count("invoice.payment_failed") > 1


def test_paying_the_latest_invoice_ends_dunning(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.payer(clock=clock)
    made = shop.subscribe(customer)
    shop.card(customer, "pm_card_chargeCustomerFail")
    shop.wait(clock, MONTH + 3_601)

    good = shop.card(customer, "pm_card_visa")
    shop.sdk.v1.invoices.pay(latest(shop.now(made)).id, {"payment_method": good})

    assert shop.now(made).status == "active"


def test_a_balance_pays_before_the_card(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.payer(clock=clock)
    shop.sdk.v1.customers.balance_transactions.create(customer, {"amount": -500, "currency": "usd"})

    made = shop.subscribe(customer)

    assert (latest(made).total, latest(made).amount_due) == (2000, 1500)
    assert shop.sdk.v1.customers.retrieve(customer).balance == 0
