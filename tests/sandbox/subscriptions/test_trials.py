"""Trials: how they end, in time or by request, and how they are made longer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.subscriptions.conftest import previous

Json = dict[str, Any]
Make = Callable[..., Json]

HOUR, DAY = 3_600, 86_400
JANUARY = 1_767_225_600
PAID = ["invoice_payment.paid", "invoice.updated", "invoice.paid", "invoice.payment_succeeded"]
COLLECTED = [
    "payment_intent.created",
    "invoice.finalized",
    "charge.succeeded",
    "payment_intent.succeeded",
    *PAID,
    "customer.updated",
]


def until(api: Any, at: int) -> None:
    api.engine.advance(at)


def test_the_end_of_a_trial_is_announced_three_days_before(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscribe(payer(), price(), trial_period_days=14)
    api.events()

    until(api, JANUARY + 11 * DAY - 1)
    assert [kind for kind in api.types() if kind != "invoice.upcoming"] == []
    until(api, JANUARY + 11 * DAY)

    [event] = api.events()
    assert (event["type"], event["created"]) == ("customer.subscription.trial_will_end", JANUARY + 11 * DAY)


def test_the_end_of_a_short_trial_is_announced_at_once(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscribe(payer(), price(), trial_period_days=2)

    types = api.types()
    assert types.count("customer.subscription.trial_will_end") == 1
    api.advance(2 * DAY)
    assert "customer.subscription.trial_will_end" not in api.types()


def test_a_trial_with_a_method_becomes_active_and_is_billed_an_hour_later(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    subscription = subscribe(payer(), price(), trial_period_days=14)
    end = JANUARY + 14 * DAY
    until(api, end - 1)
    api.events()

    until(api, end)

    updated, created = api.events()
    assert (updated["type"], created["type"]) == ("customer.subscription.updated", "invoice.created")
    assert set(previous(updated)) == {"status", "items", "latest_invoice"}
    assert previous(updated)["status"] == "trialing"
    assert previous(updated)["items"]["data"][0]["current_period_end"] == end
    assert updated["data"]["object"]["status"] == "active"
    draft = created["data"]["object"]
    assert (draft["status"], draft["billing_reason"], draft["total"]) == ("draft", "subscription_cycle", 2000)
    until(api, end + HOUR)
    assert api.types() == COLLECTED
    assert api.get(f"/v1/subscriptions/{subscription['id']}")["billing_cycle_anchor"] == end


def test_a_trial_without_a_method_becomes_active_and_then_past_due(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    subscription = subscribe(payer(None), price(), trial_period_days=14)
    end = JANUARY + 14 * DAY
    until(api, end - 1)
    api.events()

    until(api, end)
    assert api.types() == ["customer.subscription.updated", "invoice.created"]
    until(api, end + HOUR)

    events = api.events()
    assert [event["type"] for event in events] == [
        "payment_intent.created",
        "invoice.finalized",
        "invoice.updated",
        "invoice.payment_failed",
        "customer.subscription.updated",
        "customer.updated",
    ]
    assert previous(events[4]) == {"status": "active"}
    assert api.get(f"/v1/subscriptions/{subscription['id']}")["status"] == "past_due"


def test_a_trial_without_a_method_may_pause(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(
        payer(None),
        price(),
        trial_period_days=14,
        trial_settings={"end_behavior": {"missing_payment_method": "pause"}},
    )
    until(api, JANUARY + 14 * DAY - 1)
    api.events()

    api.advance(1)

    updated, paused = api.events()
    assert (updated["type"], paused["type"]) == ("customer.subscription.updated", "customer.subscription.paused")
    assert previous(updated) == {"status": "trialing", "status_details": None}
    details = paused["data"]["object"]["status_details"]["paused"]
    assert details["subscription"]["type"] == "trial_end_without_payment_method"
    api.advance(60 * DAY)
    assert api.types() == []
    assert len(api.get("/v1/invoices", subscription=subscription["id"])["data"]) == 1


def test_a_trial_without_a_method_may_cancel(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscribe(
        payer(None),
        price(),
        trial_period_days=14,
        trial_settings={"end_behavior": {"missing_payment_method": "cancel"}},
    )
    until(api, JANUARY + 14 * DAY - 1)
    api.events()

    api.advance(1)

    [deleted] = api.events()
    assert deleted["type"] == "customer.subscription.deleted"
    found = deleted["data"]["object"]
    assert (found["status"], found["cancellation_details"]["reason"]) == ("canceled", "cancellation_requested")


def test_a_trial_ended_by_request_is_billed_in_that_request(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(payer(), price(), trial_period_days=14)
    api.advance(5 * DAY)
    api.events()

    found = api.post(f"/v1/subscriptions/{subscription['id']}", trial_end="now", expand=["latest_invoice"])

    now = JANUARY + 5 * DAY
    assert (found["status"], found["trial_end"], found["billing_cycle_anchor"]) == ("active", now, now)
    invoice = found["latest_invoice"]
    assert (invoice["billing_reason"], invoice["status"], invoice["total"]) == ("subscription_update", "paid", 2000)
    events = api.events()
    [updated] = [event for event in events if event["type"] == "customer.subscription.updated"]
    assert previous(updated)["status"] == "trialing"
    assert updated["request"]["id"] is not None


def test_a_trial_cannot_be_ended_by_request_without_a_method(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    subscription = subscribe(payer(None), price(), trial_period_days=14)
    api.events()

    error = api.post(f"/v1/subscriptions/{subscription['id']}", trial_end="now", error=True)

    assert (error["status"], error["code"]) == (400, "resource_missing")
    assert api.types() == []


def test_a_trial_may_end_by_request_and_wait_for_its_payment(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    subscription = subscribe(payer(None), price(), trial_period_days=14)
    preview = api.post(
        "/v1/invoices/create_preview", subscription=subscription["id"], subscription_details={"trial_end": "now"}
    )
    assert (preview["total"], preview["billing_reason"]) == (2000, "subscription_update")

    found = api.post(
        f"/v1/subscriptions/{subscription['id']}",
        trial_end="now",
        payment_behavior="default_incomplete",
        expand=["latest_invoice"],
    )

    assert (found["status"], found["latest_invoice"]["status"]) == ("past_due", "open")


def test_a_trial_made_shorter_is_announced_at_once(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(payer(), price(), trial_period_days=14)
    api.events()

    api.post(f"/v1/subscriptions/{subscription['id']}", trial_end=JANUARY + DAY)

    assert api.types() == ["customer.subscription.updated", "customer.subscription.trial_will_end"]


def test_a_trial_can_be_made_longer(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(payer(), price(), trial_period_days=14)
    api.advance(12 * DAY)
    api.events()
    longer = JANUARY + 40 * DAY

    found = api.post(f"/v1/subscriptions/{subscription['id']}", trial_end=longer)

    assert api.types() == ["customer.subscription.updated"]
    assert (found["trial_start"], found["trial_end"], found["billing_cycle_anchor"]) == (JANUARY, longer, longer)
    assert found["items"]["data"][0]["current_period_end"] == longer
    until(api, JANUARY + 37 * DAY)
    assert "customer.subscription.trial_will_end" in api.types()
    until(api, longer + HOUR)
    assert api.get(f"/v1/subscriptions/{subscription['id']}")["status"] == "active"


@pytest.mark.parametrize(("mode", "start"), [("flexible", JANUARY + 10 * DAY), ("classic", JANUARY + 10 * DAY)])
def test_a_trial_of_what_was_paid_gives_back_the_rest(
    api: Any, payer: Make, price: Any, *, subscribe: Make, mode: str, start: int
) -> None:
    subscription = subscribe(payer(), price(3100), billing_mode={"type": mode})
    api.advance(10 * DAY)
    api.events()

    found = api.post(f"/v1/subscriptions/{subscription['id']}", trial_end=JANUARY + 20 * DAY, expand=["latest_invoice"])

    assert (found["status"], found["trial_start"]) == ("trialing", start)
    assert sorted(line["amount"] for line in found["latest_invoice"]["lines"]["data"]) == [-2100, 0]
    assert api.get(f"/v1/customers/{found['customer']}")["balance"] == -2100


@pytest.mark.parametrize(("mode", "start"), [("flexible", 30 * DAY), ("classic", 0)])
def test_a_second_trial_has_a_start_of_its_own_in_flexible_mode_only(
    api: Any, payer: Make, price: Any, *, subscribe: Make, mode: str, start: int
) -> None:
    subscription = subscribe(payer(), price(), trial_period_days=10, billing_mode={"type": mode})
    api.advance(30 * DAY)

    found = api.post(f"/v1/subscriptions/{subscription['id']}", trial_end=JANUARY + 50 * DAY)

    assert found["trial_start"] == JANUARY + start
