"""Trials that end, renewals, payments that fail, and what becomes of subscriptions then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.subscriptions.conftest import give
from trueup.sandbox.server.engine import Engine

Json = dict[str, Any]
Make = Callable[..., Json]

HOUR, DAY = 3_600, 86_400
JANUARY, FEBRUARY, MARCH = 1_767_225_600, 1_769_904_000, 1_772_323_200
PAID = ["invoice_payment.paid", "invoice.updated", "invoice.paid", "invoice.payment_succeeded"]
COLLECTED = [
    "payment_intent.created",
    "invoice.finalized",
    "charge.succeeded",
    "payment_intent.succeeded",
    *PAID,
    "customer.updated",
]
DECLINED = [
    "payment_intent.created",
    "invoice.finalized",
    "charge.failed",
    "payment_intent.payment_failed",
    "invoice.updated",
    "invoice.payment_failed",
    "customer.subscription.updated",
    "customer.updated",
]


def previous(event: Json) -> Json:
    found: Json = event["data"]["previous_attributes"]
    return found


def until(api: Any, at: int) -> None:
    api.engine.advance(at)


# --- B.2: trials ------------------------------------------------------------------------------------------------------


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


# --- B.3: renewal and dunning -----------------------------------------------------------------------------------------


def test_a_renewal_is_announced_rolled_and_paid_an_hour_later(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    subscription = subscribe(payer(), price())
    first = subscription["latest_invoice"]["id"]
    api.events()

    until(api, FEBRUARY - 7 * DAY)
    [upcoming] = api.events()
    assert upcoming["type"] == "invoice.upcoming"
    assert "id" not in upcoming["data"]["object"]
    assert upcoming["data"]["object"]["total"] == 2000

    until(api, FEBRUARY)
    updated, created = api.events()
    assert (updated["type"], created["type"]) == ("customer.subscription.updated", "invoice.created")
    assert updated["created"] == created["created"] == FEBRUARY
    assert updated["data"]["object"]["status"] == "active"
    [old] = previous(updated)["items"]["data"]
    assert (old["current_period_start"], old["current_period_end"]) == (JANUARY, FEBRUARY)
    assert previous(updated)["latest_invoice"] == first
    draft = created["data"]["object"]
    assert (draft["status"], draft["auto_advance"], draft["billing_reason"]) == ("draft", True, "subscription_cycle")
    assert draft["automatically_finalizes_at"] == FEBRUARY + HOUR + 1
    assert draft["next_payment_attempt"] == FEBRUARY + HOUR
    assert (draft["period_start"], draft["period_end"]) == (JANUARY, FEBRUARY)
    assert draft["lines"]["data"][0]["period"] == {"start": FEBRUARY, "end": MARCH}
    assert draft["number"] is None

    until(api, FEBRUARY + HOUR)
    events = api.events()
    assert [event["type"] for event in events] == COLLECTED
    assert {event["request"]["id"] for event in events} == {None}
    paid = api.get(f"/v1/invoices/{draft['id']}")
    assert (paid["status"], paid["attempt_count"]) == ("paid", 1)
    assert paid["status_transitions"]["finalized_at"] == FEBRUARY + HOUR


def test_what_is_sent_is_not_announced(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscribe(payer(), price(), collection_method="send_invoice", days_until_due=90)

    until(api, FEBRUARY)

    assert "invoice.upcoming" not in api.types()


def test_a_decline_makes_past_due_and_the_customer_delinquent(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    customer = payer()
    subscribe(customer, price())
    give(api, customer["id"], "pm_card_chargeCustomerFail")
    until(api, FEBRUARY)
    api.events()

    until(api, FEBRUARY + HOUR)

    events = api.events()
    assert [event["type"] for event in events] == DECLINED
    failed = events[5]["data"]["object"]
    assert (failed["status"], failed["attempt_count"]) == ("open", 1)
    assert failed["next_payment_attempt"] == FEBRUARY + HOUR + DAY
    assert previous(events[6]) == {"status": "active"}
    assert previous(events[7]) == {"delinquent": False, "next_invoice_sequence": 2}


@pytest.fixture
def owing(api: Any, payer: Make, price: Any, subscribe: Make) -> Json:
    """A subscription whose first renewal was declined an hour ago."""
    customer = payer()
    subscription = subscribe(customer, price())
    give(api, customer["id"], "pm_card_chargeCustomerFail")
    until(api, FEBRUARY + HOUR)
    api.events()
    found: Json = api.get(f"/v1/subscriptions/{subscription['id']}")
    assert found["status"] == "past_due"
    return found


def test_a_retry_with_another_method_makes_active_again(api: Any, owing: Json) -> None:
    give(api, owing["customer"], "pm_card_visa")
    api.events()

    api.advance(DAY)

    events = api.events()
    assert [event["type"] for event in events] == [
        "charge.succeeded",
        "payment_intent.succeeded",
        *PAID,
        "customer.updated",
        "customer.subscription.updated",
    ]
    assert previous(events[-1]) == {"status": "past_due"}
    assert previous(events[-2]) == {"delinquent": True}
    assert events[-3]["data"]["object"]["attempt_count"] == 2


def test_paying_the_latest_invoice_by_request_makes_active_again(api: Any, owing: Json) -> None:
    api.post(f"/v1/invoices/{owing['latest_invoice']}/pay", payment_method=_visa(api, owing["customer"]))

    found = api.get(f"/v1/subscriptions/{owing['id']}")
    assert found["status"] == "active"
    assert api.get(f"/v1/customers/{owing['customer']}")["delinquent"] is False


def _visa(api: Any, customer: str) -> str:
    return str(api.post("/v1/payment_methods/pm_card_visa/attach", customer=customer)["id"])


def test_after_the_last_retry_the_subscription_is_canceled(api: Any, owing: Json) -> None:
    api.advance(13 * DAY)

    events = api.events()
    assert events[-1]["type"] == "customer.subscription.deleted"
    found = events[-1]["data"]["object"]
    assert (found["status"], found["cancellation_details"]["reason"]) == ("canceled", "payment_failed")
    invoice = api.get(f"/v1/invoices/{owing['latest_invoice']}")
    assert (invoice["status"], invoice["auto_advance"]) == ("open", False)
    assert (invoice["attempt_count"], invoice["next_payment_attempt"]) == (8, None)
    api.advance(60 * DAY)
    assert api.types() == []


def _set(engine: Engine, name: str, value: str) -> None:
    with engine.change() as world:
        world.store.put_meta(name, value)


def test_unpaid_subscriptions_go_on_in_drafts(api: Any, owing: Json, engine: Engine) -> None:
    _set(engine, "dunning_end", "mark_unpaid")
    api.advance(13 * DAY)
    last = api.events()[-1]
    assert last["type"] == "customer.subscription.updated"
    assert previous(last) == {"status": "past_due"}
    assert last["data"]["object"]["status"] == "unpaid"

    until(api, MARCH + 2 * DAY)

    latest, owed, _ = api.get("/v1/invoices", subscription=owing["id"])["data"]
    assert (latest["status"], latest["auto_advance"]) == ("draft", False)
    assert latest["automatically_finalizes_at"] is None
    assert owed["status"] == "open"
    give(api, owing["customer"], "pm_card_visa")
    api.post(f"/v1/invoices/{owed['id']}/pay")
    assert api.get(f"/v1/subscriptions/{owing['id']}")["status"] == "unpaid"
    api.post(f"/v1/invoices/{latest['id']}/pay")
    assert api.get(f"/v1/subscriptions/{owing['id']}")["status"] == "active"


def test_past_due_may_be_left_past_due(api: Any, owing: Json, engine: Engine) -> None:
    _set(engine, "dunning_end", "leave_past_due")

    until(api, MARCH + HOUR)

    assert api.get(f"/v1/subscriptions/{owing['id']}")["status"] == "past_due"
    assert len(api.get("/v1/invoices", subscription=owing["id"])["data"]) == 3


@pytest.mark.parametrize(
    ("setting", "why", "days"),
    [("pause_on_first_failure", "first_payment_failure", 0), ("dunning_end", "final_payment_failure", 13)],
)
def test_failures_may_pause(
    api: Any, payer: Make, price: Any, *, subscribe: Make, engine: Engine, setting: str, why: str, days: int
) -> None:
    _set(engine, setting, "pause")
    customer = payer()
    subscription = subscribe(customer, price())
    give(api, customer["id"], "pm_card_chargeCustomerFail")

    until(api, FEBRUARY + HOUR + days * DAY)

    found = api.get(f"/v1/subscriptions/{subscription['id']}")
    assert (found["status"], found["status_details"]["paused"]["subscription"]["type"]) == ("paused", why)


def test_a_renewal_that_wants_its_holder_is_past_due(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    customer = payer()
    subscription = subscribe(customer, price())
    give(api, customer["id"], "pm_card_authenticationRequired")
    until(api, FEBRUARY)
    api.events()

    until(api, FEBRUARY + HOUR)

    types = api.types()
    assert {"invoice.payment_failed", "invoice.payment_action_required"} <= set(types)
    assert api.get(f"/v1/subscriptions/{subscription['id']}")["status"] == "past_due"


def test_voiding_the_latest_invoice_looks_at_the_one_before(api: Any, owing: Json, engine: Engine) -> None:
    _set(engine, "dunning_end", "leave_past_due")
    until(api, MARCH + HOUR)
    latest, owed, _ = api.get("/v1/invoices", subscription=owing["id"])["data"]
    assert (latest["status"], owed["status"]) == ("open", "open")

    api.post(f"/v1/invoices/{latest['id']}/void")
    assert api.get(f"/v1/subscriptions/{owing['id']}")["status"] == "past_due"


def test_voiding_what_is_owed_makes_active_where_the_one_before_was_paid(api: Any, owing: Json) -> None:
    api.post(f"/v1/invoices/{owing['latest_invoice']}/void")

    found = api.get(f"/v1/subscriptions/{owing['id']}")
    assert (found["status"], found["latest_invoice"]) == ("active", owing["latest_invoice"])


def test_giving_up_what_is_owed_makes_active(api: Any, owing: Json) -> None:
    api.post(f"/v1/invoices/{owing['latest_invoice']}/mark_uncollectible")

    assert api.get(f"/v1/subscriptions/{owing['id']}")["status"] == "active"
    assert api.get(f"/v1/customers/{owing['customer']}")["delinquent"] is False


def test_a_renewal_below_the_least_charge_becomes_a_debt(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(payer(), price(30))

    invoice = subscription["latest_invoice"]
    assert (subscription["status"], invoice["status"], invoice["amount_due"]) == ("active", "paid", 0)
    assert (invoice["attempt_count"], invoice["ending_balance"]) == (0, 30)
    until(api, FEBRUARY + HOUR)
    [latest, _] = api.get("/v1/invoices", subscription=subscription["id"])["data"]
    assert (latest["amount_due"], latest["amount_paid"], latest["ending_balance"]) == (60, 60, 0)


def test_a_discount_ends_in_mid_life(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    coupon = api.post("/v1/coupons", percent_off=50, duration="repeating", duration_in_months=2)
    subscription = subscribe(payer(), price(), discounts=[{"coupon": coupon["id"]}])
    [named] = subscription["discounts"]
    until(api, MARCH - 1)
    api.events()

    until(api, MARCH + HOUR)

    events = api.events()
    assert events[0]["type"] == "customer.discount.deleted"
    assert events[1]["type"] == "customer.subscription.updated"
    assert previous(events[1]) == {"discounts": [named]}
    totals = [invoice["total"] for invoice in api.get("/v1/invoices", subscription=subscription["id"])["data"]]
    assert totals == [2000, 1000, 1000]


def test_the_last_day_of_the_month_comes_back(
    api: Any, payer: Make, price: Any, *, subscribe: Make, frozen: Make
) -> None:
    clock = frozen(JANUARY + 30 * DAY)
    subscription = subscribe(payer(**clock), price())

    named = clock["test_clock"]
    ends = []
    for _ in range(3):
        [item] = api.get(f"/v1/subscriptions/{subscription['id']}")["items"]["data"]
        ends.append(item["current_period_end"])
        api.post(f"/v1/test_helpers/test_clocks/{named}/advance", frozen_time=ends[-1] + HOUR)
        assert api.get(f"/v1/test_helpers/test_clocks/{named}")["status"] == "ready"

    assert ends == [MARCH - DAY, MARCH + 30 * DAY, MARCH + 60 * DAY]
    assert api.engine.now() == JANUARY
    assert len(api.get("/v1/invoices", subscription=subscription["id"])["data"]) == 4


def test_a_price_is_shown_as_it_is_now(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    named = price()
    subscription = subscribe(payer(), named)

    api.post(f"/v1/prices/{named}", nickname="Old")

    found = api.get(f"/v1/subscriptions/{subscription['id']}")
    assert found["items"]["data"][0]["price"]["nickname"] == "Old"
    [listed] = api.get("/v1/subscriptions", price=named)["data"]
    assert listed["items"]["data"][0]["price"]["nickname"] == "Old"
    until(api, FEBRUARY)
    assert api.get(f"/v1/subscriptions/{subscription['id']}")["items"]["data"][0]["plan"]["nickname"] == "Old"
