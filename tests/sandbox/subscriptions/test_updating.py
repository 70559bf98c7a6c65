"""Updates: where their payment fails or waits, and terms that cost nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.subscriptions.conftest import change, give, previous, waiting

Json = dict[str, Any]
Make = Callable[..., Json]

HOUR, DAY = 3_600, 86_400
JANUARY, FEBRUARY, MARCH = 1_767_225_600, 1_769_904_000, 1_772_323_200
HALF = (FEBRUARY - JANUARY) // 2


@pytest.fixture
def broke(api: Any, begun: Json) -> Json:
    """The same, whose customer's card has no money any more."""
    give(api, begun["customer"], "pm_card_chargeCustomerFail")
    api.events()
    return begun


def test_an_update_that_is_not_paid_makes_past_due(api: Any, broke: Json, price: Any) -> None:
    dear = price(5000)

    found = change(api, broke, dear, proration_behavior="always_invoice")

    assert (found["status"], found["items"]["data"][0]["price"]["id"]) == ("past_due", dear)
    [updated] = [event for event in api.events() if event["type"] == "customer.subscription.updated"]
    assert previous(updated)["status"] == "active"


def test_error_if_incomplete_undoes_an_update(api: Any, broke: Json, price: Any) -> None:
    dear, item = price(5000), broke["items"]["data"][0]["id"]

    error = api.post(
        f"/v1/subscriptions/{broke['id']}",
        items=[{"id": item, "price": dear}],
        proration_behavior="always_invoice",
        payment_behavior="error_if_incomplete",
        error=True,
    )

    assert (error["status"], error["code"]) == (402, "card_declined")
    assert api.types() == []
    assert waiting(api, broke) == []
    found = api.get(f"/v1/subscriptions/{broke['id']}")
    assert (found["status"], found["items"]["data"][0]["price"]["unit_amount"]) == ("active", 2000)


def test_a_pending_update_is_applied_when_it_is_paid(api: Any, broke: Json, price: Any) -> None:
    dear = price(5000)

    found = change(api, broke, dear, proration_behavior="always_invoice", payment_behavior="pending_if_incomplete")

    assert (found["status"], found["items"]["data"][0]["price"]["unit_amount"]) == ("active", 2000)
    pending = found["pending_update"]
    assert pending["expires_at"] == JANUARY + HALF + 23 * HOUR
    assert pending["subscription_items"][0]["price"]["id"] == dear
    api.events()
    give(api, broke["customer"], "pm_card_visa")
    api.post(f"/v1/invoices/{found['latest_invoice']}/pay")

    types = api.types()
    assert "customer.subscription.pending_update_applied" in types
    assert types.count("customer.subscription.updated") == 1
    found = api.get(f"/v1/subscriptions/{broke['id']}")
    assert (found["pending_update"], found["items"]["data"][0]["price"]["id"]) == (None, dear)
    api.advance(DAY)
    assert "customer.subscription.pending_update_expired" not in api.types()


def test_a_pending_update_expires_after_23_hours(api: Any, broke: Json, price: Any) -> None:
    found = change(
        api, broke, price(5000), proration_behavior="always_invoice", payment_behavior="pending_if_incomplete"
    )
    api.events()

    api.advance(23 * HOUR - 1)
    assert api.types() == []
    api.advance(1)

    types = api.types()
    assert {"customer.subscription.updated", "customer.subscription.pending_update_expired", "invoice.voided"} <= set(
        types
    )
    after = api.get(f"/v1/subscriptions/{broke['id']}")
    assert (after["status"], after["pending_update"]) == ("active", None)
    assert after["items"]["data"][0]["price"]["unit_amount"] == 2000
    assert api.get(f"/v1/invoices/{found['latest_invoice']}")["status"] == "void"
    assert waiting(api, broke) == []


def test_an_update_may_wait_for_its_intent_to_be_confirmed(api: Any, begun: Json, price: Any) -> None:
    found = change(
        api,
        begun,
        price(5000),
        proration_behavior="always_invoice",
        payment_behavior="default_incomplete",
        expand=["latest_invoice.payments"],
    )

    invoice = found["latest_invoice"]
    assert (found["status"], invoice["status"], invoice["attempted"]) == ("past_due", "open", False)
    [payment] = invoice["payments"]["data"]
    api.post(f"/v1/payment_intents/{payment['payment']['payment_intent']}/confirm", payment_method="pm_card_visa")
    assert api.get(f"/v1/subscriptions/{begun['id']}")["status"] == "active"


def test_a_pending_update_does_not_outlive_its_period(api: Any, broke: Json, price: Any) -> None:
    api.engine.advance(FEBRUARY - HOUR)

    found = change(
        api, broke, price(900_000), proration_behavior="always_invoice", payment_behavior="pending_if_incomplete"
    )

    assert found["pending_update"]["expires_at"] == FEBRUARY
    api.engine.advance(FEBRUARY)
    after = api.get(f"/v1/subscriptions/{broke['id']}")
    assert (after["pending_update"], after["items"]["data"][0]["current_period_start"]) == (None, FEBRUARY)
    assert api.get(f"/v1/invoices/{found['latest_invoice']}")["status"] == "void"


def test_a_pending_update_waits_for_the_holder(api: Any, begun: Json, price: Any) -> None:
    give(api, begun["customer"], "pm_card_authenticationRequired")

    found = change(
        api, begun, price(5000), proration_behavior="always_invoice", payment_behavior="pending_if_incomplete"
    )

    assert (found["status"], found["pending_update"] is None) == ("active", False)
    assert "invoice.payment_action_required" in api.types()


def test_a_pending_update_takes_few_parameters(api: Any, broke: Json) -> None:
    error = api.post(
        f"/v1/subscriptions/{broke['id']}",
        description="Other",
        payment_behavior="pending_if_incomplete",
        error=True,
    )

    assert (error["status"], error["param"]) == (400, "payment_behavior")


def test_an_incomplete_subscription_keeps_its_items(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(payer(None), price(), payment_behavior="default_incomplete")

    error = api.post(
        f"/v1/subscriptions/{subscription['id']}",
        items=[{"id": subscription["items"]["data"][0]["id"], "quantity": 2}],
        error=True,
    )

    assert error["status"] == 400
    found = api.post(f"/v1/subscriptions/{subscription['id']}", metadata={"seen": "yes"})
    assert found["metadata"] == {"seen": "yes"}


# --- terms ------------------------------------------------------------------------------------------------------------


def test_a_new_key_of_metadata_was_null_before(api: Any, begun: Json) -> None:
    api.post(f"/v1/subscriptions/{begun['id']}", metadata={"seat": "7"})

    [updated] = api.events()
    assert previous(updated) == {"metadata": {"seat": None}}


def test_a_discount_is_given_and_taken_back(api: Any, begun: Json) -> None:
    coupon = api.post("/v1/coupons", percent_off=50, duration="forever")
    api.events()

    found = api.post(f"/v1/subscriptions/{begun['id']}", discounts=[{"coupon": coupon["id"]}])

    events = {event["type"]: event for event in api.events()}
    assert list(events) == ["customer.discount.created", "coupon.updated", "customer.subscription.updated"]
    assert previous(events["customer.subscription.updated"]) == {"discounts": []}
    assert len(found["discounts"]) == 1
    api.delete(f"/v1/subscriptions/{begun['id']}/discount")
    assert "customer.discount.deleted" in api.types()
    assert api.get(f"/v1/subscriptions/{begun['id']}")["discounts"] == []


def test_a_discount_for_one_invoice_waits_for_the_next_and_is_used_up(api: Any, begun: Json) -> None:
    coupon = api.post("/v1/coupons", amount_off=500, currency="usd", duration="once")

    found = api.post(f"/v1/subscriptions/{begun['id']}", discounts=[{"coupon": coupon["id"]}])

    assert len(found["discounts"]) == 1
    api.engine.advance(MARCH + HOUR)
    totals = [invoice["total"] for invoice in api.get("/v1/invoices", subscription=begun["id"])["data"]]
    assert totals == [2000, 1500, 2000]
    assert api.get(f"/v1/subscriptions/{begun['id']}")["discounts"] == []


def test_a_free_trial_does_not_use_up_a_discount(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    coupon = api.post("/v1/coupons", percent_off=25, duration="once")

    subscription = subscribe(payer(), price(), trial_period_days=7, discounts=[{"coupon": coupon["id"]}])

    assert len(subscription["discounts"]) == 1
    api.advance(8 * DAY)
    [latest, *_] = api.get("/v1/invoices", subscription=subscription["id"])["data"]
    assert latest["total"] == 1500


def test_lists_are_filtered(api: Any, begun: Json, payer: Make, price: Any, subscribe: Make) -> None:
    other = subscribe(payer(), price(), trial_period_days=7)
    api.delete(f"/v1/subscriptions/{begun['id']}")

    def ids(**where: Any) -> set[str]:
        return {found["id"] for found in api.get("/v1/subscriptions", **where)["data"]}

    assert ids() == {other["id"]}
    assert ids(status="all") == {begun["id"], other["id"]}
    assert ids(status="canceled") == ids(status="ended") == {begun["id"]}
    assert ids(status="trialing") == ids(customer=other["customer"]) == {other["id"]}
    assert ids(price=other["items"]["data"][0]["price"]["id"]) == {other["id"]}
    assert ids(collection_method="send_invoice") == set()
    assert ids(status="all", current_period_end={"gt": FEBRUARY}) == set()
    assert ids(created={"gt": JANUARY}) == {other["id"]}
