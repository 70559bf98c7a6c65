"""Changes in mid-period: what they cost, when they are billed, and what becomes of them where payment fails."""

# ruff: noqa: RUF001 - Stripe writes the multiplication sign

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.subscriptions.conftest import give

Json = dict[str, Any]
Make = Callable[..., Json]

HOUR, DAY = 3_600, 86_400
JANUARY, FEBRUARY, MARCH = 1_767_225_600, 1_769_904_000, 1_772_323_200
HALF = (FEBRUARY - JANUARY) // 2


def previous(event: Json) -> Json:
    found: Json = event["data"]["previous_attributes"]
    return found


def change(api: Any, subscription: Json, price: str, **fields: Any) -> Json:
    """Exchange the price of a subscription's only item."""
    item = subscription["items"]["data"][0]["id"]
    quantity = {"quantity": fields.pop("quantity")} if "quantity" in fields else {}
    found: Json = api.post(
        f"/v1/subscriptions/{subscription['id']}", items=[{"id": item, "price": price, **quantity}], **fields
    )
    return found


def waiting(api: Any, subscription: Json) -> list[int]:
    found = api.get("/v1/invoiceitems", customer=subscription["customer"], pending=True)["data"]
    return [item["amount"] for item in found][::-1]


@pytest.fixture
def begun(api: Any, payer: Make, price: Any, subscribe: Make) -> Json:
    """A subscription to a price of 20 dollars a month, half of whose first month is over."""
    subscription = subscribe(payer(), price())
    api.advance(HALF)
    api.events()
    return subscription


# --- B.4: prorations --------------------------------------------------------------------------------------------------


def test_a_change_leaves_a_credit_and_a_debit_for_the_next_invoice(api: Any, begun: Json, price: Any) -> None:
    dear = price(5000, name="Team")

    found = change(api, begun, dear)

    events = api.events()
    assert [event["type"] for event in events] == [
        "invoiceitem.created",
        "invoiceitem.created",
        "customer.subscription.updated",
    ]
    assert set(previous(events[2])) == {"items"}
    assert previous(events[2])["items"]["data"][0]["price"]["unit_amount"] == 2000
    credit, debit = (event["data"]["object"] for event in events[:2])
    assert (credit["amount"], debit["amount"]) == (-1000, 2500)
    assert credit["description"] == "Unused time on Pro after 16 Jan 2026"
    assert debit["description"] == "Remaining time on Team after 16 Jan 2026"
    for item in (credit, debit):
        assert item["proration"] is True
        assert item["discountable"] is False
        assert item["period"] == {"start": JANUARY + HALF, "end": FEBRUARY}
        assert item["frozen_fields"] == ["pricing", "quantity", "discounts"]
        assert item["parent"]["type"] == "subscription_details"
    assert found["latest_invoice"] == begun["latest_invoice"]["id"]
    assert found["items"]["data"][0]["current_period_end"] == FEBRUARY

    api.engine.advance(FEBRUARY + HOUR)
    [latest, _] = api.get("/v1/invoices", subscription=begun["id"])["data"]
    assert [line["amount"] for line in latest["lines"]["data"]] == [-1000, 2500, 5000]
    assert (latest["status"], latest["total"]) == ("paid", 6500)
    assert waiting(api, begun) == []


def test_a_change_of_quantity_credits_the_whole_and_debits_the_whole(api: Any, begun: Json) -> None:
    item = begun["items"]["data"][0]["id"]

    api.post(f"/v1/subscription_items/{item}", quantity=3)

    assert waiting(api, begun) == [-1000, 3000]
    texts = [e["data"]["object"].get("description") for e in api.events()]
    assert texts[1] == "Remaining time on 3 × Pro after 16 Jan 2026"


def test_another_price_begins_with_one_unless_told_how_many(api: Any, begun: Json, price: Any) -> None:
    item, dear = begun["items"]["data"][0]["id"], price(5000)
    api.post(f"/v1/subscription_items/{item}", quantity=3)

    assert api.post(f"/v1/subscription_items/{item}", price=dear)["quantity"] == 1
    assert api.post(f"/v1/subscription_items/{item}", price=price(6000), quantity=2)["quantity"] == 2


def test_without_prorations_a_change_costs_nothing_before_the_renewal(api: Any, begun: Json, price: Any) -> None:
    change(api, begun, price(5000), proration_behavior="none")

    assert api.types() == ["customer.subscription.updated"]
    api.engine.advance(FEBRUARY + HOUR)
    [latest, _] = api.get("/v1/invoices", subscription=begun["id"])["data"]
    assert latest["total"] == 5000


def test_always_invoice_is_paid_within_the_request(api: Any, begun: Json, price: Any) -> None:
    found = change(api, begun, price(5000), proration_behavior="always_invoice", expand=["latest_invoice"])

    invoice = found["latest_invoice"]
    assert (invoice["billing_reason"], invoice["status"], invoice["total"]) == ("subscription_update", "paid", 1500)
    assert invoice["attempt_count"] == 1
    types = api.types()
    assert types[:3] == ["invoiceitem.created", "invoiceitem.created", "invoice.created"]
    assert types[-2:] == ["customer.subscription.updated", "customer.updated"]
    assert "invoice.paid" in types


def test_a_credit_that_is_larger_goes_to_the_customers_balance(api: Any, begun: Json, price: Any) -> None:
    found = change(api, begun, price(500), proration_behavior="always_invoice", expand=["latest_invoice"])

    invoice = found["latest_invoice"]
    assert (invoice["total"], invoice["amount_due"], invoice["status"]) == (-750, 0, "paid")
    assert api.get(f"/v1/customers/{begun['customer']}")["balance"] == -750
    api.engine.advance(FEBRUARY + HOUR)
    [latest, *_] = api.get("/v1/invoices", subscription=begun["id"])["data"]
    assert (latest["total"], latest["amount_due"], latest["ending_balance"]) == (500, 0, -250)


def test_a_proration_date_of_the_past_counts_from_there(api: Any, begun: Json, price: Any) -> None:
    change(api, begun, price(5000), proration_date=JANUARY)

    assert waiting(api, begun) == [-2000, 5000]
    error = api.post(
        f"/v1/subscriptions/{begun['id']}",
        items=[{"id": begun["items"]["data"][0]["id"], "quantity": 2}],
        proration_date=JANUARY - DAY,
        error=True,
    )
    assert error["param"] == "proration_date"


def test_an_item_more_and_an_item_less(api: Any, begun: Json, price: Any) -> None:
    seat = price(1000, name="Seat")
    added = api.post("/v1/subscription_items", subscription=begun["id"], price=seat, quantity=2)
    assert waiting(api, begun) == [1000]

    api.delete(f"/v1/subscription_items/{added['id']}")

    assert waiting(api, begun) == [1000, -1000]
    error = api.delete(f"/v1/subscription_items/{begun['items']['data'][0]['id']}", error=True)
    assert error["status"] == 400


def test_the_cycle_can_begin_anew(api: Any, begun: Json) -> None:
    found = api.post(
        f"/v1/subscriptions/{begun['id']}", billing_cycle_anchor={"type": "now"}, expand=["latest_invoice"]
    )

    now = JANUARY + HALF
    [item] = found["items"]["data"]
    assert (found["billing_cycle_anchor"], item["current_period_start"]) == (now, now)
    assert sorted(line["amount"] for line in found["latest_invoice"]["lines"]["data"]) == [-1000, 2000]
    assert (found["latest_invoice"]["total"], found["latest_invoice"]["status"]) == (1000, "paid")


@pytest.mark.parametrize(("mode", "anchor"), [("flexible", JANUARY), ("classic", JANUARY + HALF)])
def test_another_interval_begins_anew_in_classic_mode_only(
    api: Any, payer: Make, price: Any, *, subscribe: Make, mode: str, anchor: int
) -> None:
    subscription = subscribe(payer(), price(), billing_mode={"type": mode})
    api.advance(HALF)
    api.events()

    found = change(api, subscription, price(24_000, "year"))

    [item] = found["items"]["data"]
    assert found["billing_cycle_anchor"] == anchor
    assert (item["current_period_start"], item["current_period_end"]) == (anchor, anchor + 365 * DAY)
    [latest, *_] = api.get("/v1/invoices", subscription=subscription["id"])["data"]
    if_flexible = [-1000, round(24_000 * (365 * DAY - HALF) / (365 * DAY))]
    amounts = {"flexible": if_flexible, "classic": []}
    assert waiting(api, subscription) == amounts[mode]
    assert latest["total"] == {"flexible": 2000, "classic": 23_000}[mode]


@pytest.mark.parametrize(("mode", "credit"), [("flexible", -1000), ("classic", -2000)])
def test_flexible_credits_are_of_what_was_debited_classic_ones_of_what_it_costs_now(
    api: Any, payer: Make, price: Any, *, subscribe: Make, mode: str, credit: int
) -> None:
    subscription = subscribe(payer(), price(), billing_mode={"type": mode})
    api.advance(HALF)
    change(api, subscription, price(4000), proration_behavior="none")

    change(api, subscription, price(5000))

    assert waiting(api, subscription) == [credit, 2500]


@pytest.mark.parametrize(("mode", "amounts"), [("flexible", [-417, 1111]), ("classic", [-375, 1125])])
def test_prorations_include_discounts_by_cost_or_evenly(
    api: Any, payer: Make, price: Any, *, subscribe: Make, mode: str, amounts: list[int]
) -> None:
    coupon = api.post("/v1/coupons", amount_off=500, currency="usd", duration="forever")
    cheap, dear = price(1000, name="Seat"), price(2000)
    subscription = subscribe(
        payer(),
        dear,
        items=[{"price": cheap}, {"price": dear}],
        discounts=[{"coupon": coupon["id"]}],
        billing_mode={"type": mode},
    )
    api.advance(HALF)
    items = {item["price"]["id"]: item["id"] for item in subscription["items"]["data"]}

    api.post(f"/v1/subscription_items/{items[cheap]}", price=price(2500, name="Desk"))

    assert waiting(api, subscription) == amounts


def test_what_was_debited_with_a_discount_is_credited_with_it(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    coupon = api.post("/v1/coupons", percent_off=50, duration="forever")
    subscription = subscribe(payer(), price(), discounts=[{"coupon": coupon["id"]}])
    api.advance(HALF)
    dear, dearest = price(5000), price(8000)

    change(api, subscription, dear)
    change(api, subscription, dearest)

    assert waiting(api, subscription) == [-500, 1250, -1250, 2000]


def test_what_was_never_debited_is_not_credited_in_flexible_mode(api: Any, begun: Json, price: Any) -> None:
    added = api.post("/v1/subscription_items", subscription=begun["id"], price=price(9000), proration_behavior="none")

    api.delete(f"/v1/subscription_items/{added['id']}")

    assert waiting(api, begun) == [0]


def test_the_part_before_an_anchor_is_credited_as_it_was_billed(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    anchor = JANUARY + HALF
    subscription = subscribe(payer(), price(3100), billing_cycle_anchor=anchor)
    assert subscription["latest_invoice"]["total"] == 1550
    api.advance(HALF // 2)

    change(api, subscription, price(6200))

    assert waiting(api, subscription) == [-775, 1550]


# --- failures of payment ----------------------------------------------------------------------------------------------


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
