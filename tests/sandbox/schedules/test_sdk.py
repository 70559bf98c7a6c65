"""The official SDK drives schedules, and they look as recorded ones do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest
import stripe

from tests.sandbox.schedules.conftest import FEBRUARY, START, Acts, phase
from trueup.sandbox import Sandbox

RECORDED = "stripe/corpus/supabase__stripe-sync-engine/packages/fastify-app/src/test/stripe"
GONE = {"coupon"}
"""What phases of the recorded version (2020-03-02) had and those of the newest do not."""


def test_a_price_increase_by_schedule(sandbox: Sandbox, sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({"email": "stripe@example.org"})
    method = sdk.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    sdk.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
    product = sdk.v1.products.create({"name": "Pro"})
    old, new = (
        sdk.v1.prices.create(
            {"product": product.id, "currency": "usd", "unit_amount": amount, "recurring": {"interval": "month"}}
        )
        for amount in (1000, 1100)
    )
    subscription = sdk.v1.subscriptions.create({"customer": customer.id, "items": [{"price": old.id}]})

    schedule = sdk.v1.subscription_schedules.create({"from_subscription": subscription.id})
    present = schedule.phases[0]
    changed = sdk.v1.subscription_schedules.update(
        schedule.id,
        {
            "end_behavior": "release",
            "phases": [
                {"start_date": present.start_date, "end_date": present.end_date, "items": [{"price": old.id}]},
                {"items": [{"price": new.id}], "proration_behavior": "none"},
            ],
            "expand": ["subscription", "phases.items.price"],
        },
    )
    sandbox.engine.advance(present.end_date + 7200)

    assert cast("stripe.Subscription", changed.subscription).id == subscription.id
    assert cast("stripe.Price", changed.phases[1]["items"][0].price).unit_amount == 1100
    assert sdk.v1.invoices.list({"customer": customer.id}).data[0].amount_paid == 1100
    assert [one.id for one in sdk.v1.subscription_schedules.list({"customer": customer.id}).auto_paging_iter()] == [
        schedule.id
    ]
    released = sdk.v1.subscription_schedules.release(schedule.id, {"preserve_cancel_date": True})
    assert (released.status, released.released_subscription) == ("released", subscription.id)
    with pytest.raises(stripe.InvalidRequestError, match="currently in the `released` status"):
        sdk.v1.subscription_schedules.cancel(schedule.id)


def test_a_released_schedule_has_every_field_that_the_recorded_one_has(own: Acts, shared: Path) -> None:
    recorded = json.loads((shared / RECORDED / "subscription_schedule_released.json").read_text())["data"]["object"]
    price = own.price()
    schedule = own.schedule(own.customer(), phase(price, 1))
    own.until(FEBRUARY)

    released = own.read(schedule)

    assert set(recorded) <= set(released)
    for one in recorded["phases"]:
        assert set(one) - GONE - {"automatic_tax"} <= set(released["phases"][0])
        assert set(one["items"][0]) <= set(released["phases"][0]["items"][0])
    assert set(recorded["default_settings"]) <= set(released["default_settings"])
    # It was released by time: at the very end of its last phase, START and FEBRUARY in ours.
    assert recorded["released_at"] == recorded["phases"][-1]["end_date"]
    assert released["released_at"] == released["phases"][-1]["end_date"] > START
    for name in ("status", "subscription", "current_phase", "completed_at", "canceled_at", "end_behavior"):
        assert released[name] == recorded[name]
