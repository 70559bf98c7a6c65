"""Pauses of collection and of subscriptions, and how those resume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.subscriptions.conftest import give, waiting

Json = dict[str, Any]
Make = Callable[..., Json]

HOUR, DAY = 3_600, 86_400
JANUARY, FEBRUARY, MARCH = 1_767_225_600, 1_769_904_000, 1_772_323_200
HALF = (FEBRUARY - JANUARY) // 2


@pytest.mark.parametrize(
    ("behavior", "status", "told"),
    [
        ("keep_as_draft", "draft", set()),
        ("void", "void", {"invoice.voided"}),
        ("mark_uncollectible", "uncollectible", {"invoice.marked_uncollectible"}),
    ],
)
def test_collection_may_pause(api: Any, begun: Json, *, behavior: str, status: str, told: set[str]) -> None:
    resumes = FEBRUARY + 10 * DAY
    found = api.post(f"/v1/subscriptions/{begun['id']}", pause_collection={"behavior": behavior, "resumes_at": resumes})
    assert found["pause_collection"] == {"behavior": behavior, "resumes_at": resumes}
    assert [event["type"] for event in api.events()] == ["customer.subscription.updated"]
    api.engine.advance(FEBRUARY - 1)
    api.events()

    api.engine.advance(FEBRUARY + 2 * HOUR)

    types = set(api.types())
    assert types & {"invoice.voided", "invoice.marked_uncollectible"} == told
    assert types.isdisjoint({"customer.subscription.paused", "charge.succeeded"})
    [latest, _] = api.get("/v1/invoices", subscription=begun["id"])["data"]
    assert (latest["status"], latest["auto_advance"]) == (status, False)
    assert api.get(f"/v1/subscriptions/{begun['id']}")["status"] == "active"

    api.engine.advance(resumes)
    events = api.events()
    assert [event["type"] for event in events] == ["customer.subscription.updated"]
    assert events[0]["data"]["object"]["pause_collection"] is None
    api.engine.advance(MARCH + HOUR)
    [latest, *_] = api.get("/v1/invoices", subscription=begun["id"])["data"]
    assert latest["status"] == "paid"


# --- pause of the subscription ----------------------------------------------------------------------------------------


def test_a_pause_credits_unused_time_and_stops_billing(api: Any, begun: Json) -> None:
    found = api.post(f"/v1/subscriptions/{begun['id']}/pause")

    assert found["status"] == "paused"
    assert found["status_details"]["paused"] == {
        "subscription": {"type": "pause_requested"},
        "transitioned_at": JANUARY + HALF,
        "type": "subscription",
    }
    assert found["items"]["data"][0]["current_period_end"] == JANUARY + HALF
    assert api.types() == [
        "invoiceitem.created",
        "customer.subscription.updated",
        "customer.subscription.paused",
    ]
    assert waiting(api, begun) == [-1000]
    api.advance(60 * DAY)
    assert api.types() == []


@pytest.mark.parametrize(("unused", "credit"), [("none", []), ("now", [-1000]), ("item_current_period_start", [-2000])])
def test_a_pause_credits_as_it_is_told(api: Any, begun: Json, unused: str, credit: list[int]) -> None:
    api.post(f"/v1/subscriptions/{begun['id']}/pause", bill_for={"unused_time_from": {"type": unused}})

    assert waiting(api, begun) == credit


def test_a_pause_may_invoice_the_credit(api: Any, begun: Json) -> None:
    found = api.post(f"/v1/subscriptions/{begun['id']}/pause", invoicing_behavior="invoice", expand=["latest_invoice"])

    assert (found["latest_invoice"]["total"], found["latest_invoice"]["status"]) == (-1000, "paid")
    assert api.get(f"/v1/customers/{begun['customer']}")["balance"] == -1000


def test_some_subscriptions_cannot_pause(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    named = price()
    trying = subscribe(payer(), named, trial_period_days=7)
    classic = subscribe(payer(), named, billing_mode={"type": "classic"})
    sent = subscribe(payer(), named, collection_method="send_invoice", days_until_due=7)

    for subscription in (trying, classic, sent):
        assert api.post(f"/v1/subscriptions/{subscription['id']}/pause", error=True)["status"] == 400
        assert api.post(f"/v1/subscriptions/{subscription['id']}/resume", error=True)["status"] == 400


@pytest.fixture
def paused(api: Any, begun: Json) -> Json:
    """A subscription that was paused without a credit, ten days ago."""
    api.post(f"/v1/subscriptions/{begun['id']}/pause", bill_for={"unused_time_from": {"type": "none"}})
    api.advance(10 * DAY)
    api.events()
    return begun


def test_resuming_waits_for_its_invoice(api: Any, paused: Json) -> None:
    now = JANUARY + HALF + 10 * DAY

    found = api.post(f"/v1/subscriptions/{paused['id']}/resume", expand=["latest_invoice"])

    invoice = found["latest_invoice"]
    assert (found["status"], found["pending_update"]["expires_at"]) == ("paused", now + 23 * HOUR)
    assert (invoice["status"], invoice["total"], invoice["billing_reason"]) == ("open", 2000, "subscription_cycle")
    assert (invoice["attempted"], invoice["next_payment_attempt"]) == (False, None)
    api.events()

    api.post(f"/v1/invoices/{invoice['id']}/pay")

    types = [kind for kind in api.types() if kind.startswith("customer.subscription")]
    assert types == [
        "customer.subscription.updated",
        "customer.subscription.resumed",
        "customer.subscription.pending_update_applied",
    ]
    found = api.get(f"/v1/subscriptions/{paused['id']}")
    assert (found["status"], found["status_details"], found["pending_update"]) == ("active", None, None)
    assert (found["billing_cycle_anchor"], found["items"]["data"][0]["current_period_start"]) == (now, now)


def test_resuming_with_a_payment_that_fails_is_past_due(api: Any, paused: Json) -> None:
    give(api, paused["customer"], "pm_card_chargeCustomerFail")
    found = api.post(f"/v1/subscriptions/{paused['id']}/resume")

    error = api.post(f"/v1/invoices/{found['latest_invoice']}/pay", error=True)

    assert error["status"] == 402
    found = api.get(f"/v1/subscriptions/{paused['id']}")
    assert (found["status"], found["pending_update"]) == ("past_due", None)
    invoice = api.get(f"/v1/invoices/{found['latest_invoice']}")
    assert invoice["next_payment_attempt"] is None


def test_resuming_expires_after_23_hours(api: Any, paused: Json) -> None:
    found = api.post(f"/v1/subscriptions/{paused['id']}/resume")
    api.events()

    api.advance(23 * HOUR)

    assert "invoice.voided" in api.types()
    after = api.get(f"/v1/subscriptions/{paused['id']}")
    assert (after["status"], after["pending_update"]) == ("paused", None)
    assert api.get(f"/v1/invoices/{found['latest_invoice']}")["status"] == "void"


def test_resuming_on_success_pays_at_once(api: Any, paused: Json) -> None:
    found = api.post(f"/v1/subscriptions/{paused['id']}/resume", payment_behavior="resume_on_payment_success")

    assert (found["status"], found["pending_update"]) == ("active", None)
    assert "customer.subscription.resumed" in api.types()


def test_resuming_on_success_is_tried_again_while_it_stays_paused(api: Any, paused: Json) -> None:
    give(api, paused["customer"], "pm_card_chargeCustomerFail")

    found = api.post(f"/v1/subscriptions/{paused['id']}/resume", payment_behavior="resume_on_payment_success")

    assert found["status"] == "paused"
    assert found["pending_update"]["expires_at"] == api.engine.now() + 365 * DAY
    give(api, paused["customer"], "pm_card_visa")
    api.advance(DAY)
    assert api.get(f"/v1/subscriptions/{paused['id']}")["status"] == "active"


def test_resuming_on_success_needs_a_method(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(
        payer(None),
        price(),
        trial_period_days=7,
        trial_settings={"end_behavior": {"missing_payment_method": "pause"}},
    )
    api.advance(8 * DAY)

    path = f"/v1/subscriptions/{subscription['id']}/resume"
    error = api.post(path, payment_behavior="resume_on_payment_success", error=True)
    assert (error["status"], error["code"]) == (400, "resource_missing")

    found = api.post(path, expand=["latest_invoice"])
    assert (found["status"], found["latest_invoice"]["status"]) == ("paused", "open")


def test_resuming_with_nothing_to_bill_is_active_at_once(api: Any, paused: Json) -> None:
    found = api.post(
        f"/v1/subscriptions/{paused['id']}/resume",
        billing_cycle_anchor={"type": "unchanged"},
        proration_behavior="none",
    )

    [item] = found["items"]["data"]
    assert (found["status"], found["billing_cycle_anchor"]) == ("active", JANUARY)
    assert (item["current_period_start"], item["current_period_end"]) == (JANUARY, FEBRUARY)
    assert api.types() == ["customer.subscription.updated", "customer.subscription.resumed"]


def test_voiding_the_invoice_leaves_it_paused_and_giving_it_up_resumes(api: Any, paused: Json) -> None:
    path = f"/v1/subscriptions/{paused['id']}"
    first = api.post(f"{path}/resume")["latest_invoice"]
    api.post(f"/v1/invoices/{first}/void")
    assert (api.get(path)["status"], api.get(path)["pending_update"]) == ("paused", None)

    second = api.post(f"{path}/resume")["latest_invoice"]
    api.post(f"/v1/invoices/{second}/mark_uncollectible")
    assert api.get(path)["status"] == "active"
