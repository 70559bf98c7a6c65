"""Renewals, payments that fail, and what becomes of subscriptions then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.subscriptions.conftest import give, previous
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


def until(api: Any, at: int) -> None:
    api.engine.advance(at)


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
