"""Changes, ends, pauses and coupons through the official SDK: B.4 and B.5 of the sandbox's specification."""

from __future__ import annotations

from typing import cast

import pytest
import stripe

from tests.sandbox.flows.conftest import DAY, MONTH, Shop, latest


def test_a_change_bills_exactly_what_its_preview_showed(shop: Shop) -> None:
    clock = shop.clock()
    made = shop.subscribe(shop.payer(clock=clock))
    dearer = shop.price(5000)
    shop.wait(clock, 10 * DAY)
    at = shop.sdk.v1.test_helpers.test_clocks.retrieve(clock).frozen_time
    item = made["items"]["data"][0]["id"]

    preview = shop.sdk.v1.invoices.create_preview(
        {
            "subscription": made.id,
            "subscription_details": {
                "items": [{"id": item, "price": dearer}],
                "proration_behavior": "always_invoice",
                "proration_date": at,
            },
        }
    )
    changed = shop.sdk.v1.subscriptions.update(
        made.id,
        {
            "items": [{"id": item, "price": dearer}],
            "proration_behavior": "always_invoice",
            "proration_date": at,
            "expand": ["latest_invoice"],
        },
    )

    billed = latest(changed)
    assert (billed.status, billed.billing_reason) == ("paid", "subscription_update")
    assert billed.total == preview.total > 0
    assert [line.amount for line in billed.lines.data] == [line.amount for line in preview.lines.data]


def test_prorations_wait_for_the_renewal_unless_asked_otherwise(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.payer(clock=clock)
    made = shop.subscribe(customer)
    shop.wait(clock, 10 * DAY)
    item = made["items"]["data"][0]["id"]

    shop.sdk.v1.subscriptions.update(made.id, {"items": [{"id": item, "quantity": 3}]})

    waiting = shop.sdk.v1.invoice_items.list({"customer": customer, "pending": True}).data
    assert sorted(one.amount < 0 for one in waiting) == [False, True]
    assert latest(shop.now(made)).id == latest(made).id


@pytest.mark.parametrize(
    ("_case", "behavior", "status"),
    [("kept", "allow_incomplete", "past_due"), ("waits", "pending_if_incomplete", "active")],
)
def test_a_change_that_is_declined(shop: Shop, _case: str, behavior: str, status: str) -> None:
    customer = shop.payer()
    made = shop.subscribe(customer)
    shop.card(customer, "pm_card_chargeCustomerFail")

    changed = shop.sdk.v1.subscriptions.update(
        made.id,
        {
            "items": [{"id": made["items"]["data"][0]["id"], "quantity": 3}],
            "proration_behavior": "always_invoice",
            "payment_behavior": behavior,
        },
    )

    assert changed.status == status
    assert (changed.pending_update is not None) == (behavior == "pending_if_incomplete")


def test_a_change_that_has_to_be_paid_is_refused_whole(shop: Shop) -> None:
    customer = shop.payer()
    made = shop.subscribe(customer)
    shop.card(customer, "pm_card_chargeCustomerFail")

    with pytest.raises(stripe.CardError):
        shop.sdk.v1.subscriptions.update(
            made.id,
            {
                "items": [{"id": made["items"]["data"][0]["id"], "quantity": 3}],
                "proration_behavior": "always_invoice",
                "payment_behavior": "error_if_incomplete",
            },
        )

    assert shop.now(made)["items"]["data"][0]["quantity"] == 1


def test_items_are_added_and_taken_away(shop: Shop) -> None:
    made = shop.subscribe(shop.payer())

    item = shop.sdk.v1.subscription_items.create({"subscription": made.id, "price": shop.price(900), "quantity": 2})
    shop.sdk.v1.subscription_items.update(item.id, {"quantity": 5})
    both = shop.sdk.v1.subscription_items.list({"subscription": made.id}).data
    shop.sdk.v1.subscription_items.delete(item.id)

    assert {one.quantity for one in both} == {1, 5}
    assert len(shop.now(made)["items"]["data"]) == 1


def test_the_end_of_a_period_ends_what_was_canceled_for_it(shop: Shop) -> None:
    clock = shop.clock()
    made = shop.subscribe(shop.payer(clock=clock))

    flagged = shop.sdk.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    shop.sdk.v1.subscriptions.update(made.id, {"cancel_at_period_end": False})
    shop.sdk.v1.subscriptions.update(made.id, {"cancel_at_period_end": True})
    shop.told()
    shop.wait(clock, MONTH)

    assert (flagged.status, flagged.cancel_at) == ("active", made["items"]["data"][0]["current_period_end"])
    assert shop.now(made).status == "canceled"
    assert "customer.subscription.deleted" in shop.told()


def test_a_subscription_is_canceled_once(shop: Shop) -> None:
    made = shop.subscribe(shop.payer())

    ended = shop.sdk.v1.subscriptions.cancel(made.id, {"cancellation_details": {"comment": "Too dear"}})

    assert (ended.status, ended.ended_at) == ("canceled", shop.sandbox.now)
    assert cast("stripe.Subscription.CancellationDetails", ended.cancellation_details).comment == "Too dear"
    with pytest.raises(stripe.InvalidRequestError) as again:
        shop.sdk.v1.subscriptions.cancel(made.id)
    with pytest.raises(stripe.InvalidRequestError) as changed:
        shop.sdk.v1.subscriptions.update(made.id, {"items": [{"price": shop.price()}]})
    assert again.value.http_status == 404
    assert changed.value.code == "invalid_canceled_subscription_fields"


def test_unused_time_is_credited_when_asked(shop: Shop) -> None:
    clock = shop.clock()
    made = shop.subscribe(shop.payer(clock=clock))
    shop.wait(clock, 10 * DAY)
    shop.told()

    shop.sdk.v1.subscriptions.cancel(made.id, {"prorate": True})

    assert {"invoiceitem.created", "customer.subscription.deleted"} <= set(shop.told())


@pytest.mark.parametrize(
    ("behavior", "status"), [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")]
)
def test_collection_is_paused(shop: Shop, behavior: str, status: str) -> None:
    clock = shop.clock()
    made = shop.subscribe(shop.payer(clock=clock))

    shop.sdk.v1.subscriptions.update(
        made.id,
        {"pause_collection": {"behavior": behavior}},
    )
    shop.wait(clock, MONTH + 2 * 3_601)

    assert (shop.now(made).status, latest(shop.now(made)).status) == ("active", status)


def test_a_subscription_is_paused_and_resumed(shop: Shop) -> None:
    clock = shop.clock()
    made = shop.subscribe(shop.payer(clock=clock))
    shop.wait(clock, 10 * DAY)
    shop.told()

    paused = shop.sdk.v1.subscriptions.pause(made.id, {"type": "subscription"})
    told = shop.told()
    shop.wait(clock, MONTH)
    shop.sdk.v1.subscriptions.resume(made.id)
    invoice = latest(shop.now(made))
    if invoice.status != "paid":
        shop.sdk.v1.invoices.pay(invoice.id)

    assert paused.status == "paused"
    assert "customer.subscription.paused" in told
    assert shop.now(made).status == "active"


def test_a_coupon_discounts_for_its_months(shop: Shop) -> None:
    clock = shop.clock()
    coupon = shop.sdk.v1.coupons.create({"percent_off": 25, "duration": "repeating", "duration_in_months": 1})
    made = shop.subscribe(shop.payer(clock=clock), discounts=[{"coupon": coupon.id}])

    shop.wait(clock, MONTH + 3_601)

    assert latest(made).total == 1500
    assert latest(shop.now(made)).total == 2000
    assert {"customer.discount.created", "customer.discount.deleted"} <= set(shop.told())


def test_a_promotion_code_is_redeemed(shop: Shop) -> None:
    coupon = shop.sdk.v1.coupons.create({"amount_off": 500, "currency": "usd", "duration": "once"})
    code = shop.sdk.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "LAUNCH20", "max_redemptions": 1}
    )

    made = shop.subscribe(shop.payer(), discounts=[{"promotion_code": code.id}])

    assert latest(made).total == 1500
    assert shop.sdk.v1.promotion_codes.retrieve(code.id).times_redeemed == 1
    with pytest.raises(stripe.InvalidRequestError):
        shop.subscribe(shop.payer(), discounts=[{"promotion_code": code.id}])


def test_a_customer_who_is_deleted_takes_everything_along(shop: Shop) -> None:
    customer = shop.payer()
    made = shop.subscribe(customer)
    shop.told()

    gone = shop.sdk.v1.customers.delete(customer)

    assert gone.deleted
    assert shop.now(made).status == "canceled"
    assert shop.sdk.v1.customers.retrieve(customer).deleted
    assert {"customer.subscription.deleted", "customer.deleted"} <= set(shop.told())


def test_a_clock_that_is_deleted_takes_its_customers_along(shop: Shop) -> None:
    clock = shop.clock()
    customer = shop.payer(clock=clock)
    made = shop.subscribe(customer)

    shop.sdk.v1.test_helpers.test_clocks.delete(clock)

    assert shop.now(made).status == "canceled"
    assert shop.sdk.v1.customers.retrieve(customer).deleted
