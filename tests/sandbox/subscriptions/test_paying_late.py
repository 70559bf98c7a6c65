"""Payments that take their time: bank debits, holders who have to authenticate, methods that come later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Make = Callable[..., Json]

HOUR, DAY = 3_600, 86_400
FEBRUARY = 1_769_904_000


def bank(api: Any, customer: str, name: str) -> str:
    """A bank account of the test world that is the customer's default."""
    method = api.post(f"/v1/payment_methods/{name}/attach", customer=customer)["id"]
    api.post(f"/v1/customers/{customer}", invoice_settings={"default_payment_method": method})
    return str(method)


def test_a_debit_on_its_way_leaves_a_subscription_incomplete(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    customer = payer(None)
    bank(api, customer["id"], "pm_usBankAccount_success")

    subscription = subscribe(customer, price())

    assert (subscription["status"], subscription["latest_invoice"]["status"]) == ("incomplete", "open")
    api.advance(10 * 60)
    found = api.get(f"/v1/subscriptions/{subscription['id']}", expand=["latest_invoice"])
    assert (found["status"], found["latest_invoice"]["status"]) == ("active", "paid")


def test_a_debit_of_a_renewal_fails_later(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    customer = payer()
    subscription = subscribe(customer, price())
    bank(api, customer["id"], "pm_usBankAccount_insufficientFunds")
    api.engine.advance(FEBRUARY + HOUR)
    assert api.get(f"/v1/subscriptions/{subscription['id']}")["status"] == "active"

    api.advance(10 * 60)

    assert api.get(f"/v1/subscriptions/{subscription['id']}")["status"] == "past_due"
    assert api.get(f"/v1/customers/{customer['id']}")["delinquent"] is True


def test_another_card_completes_what_its_holder_did_not_authenticate(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    subscription = subscribe(payer("pm_card_authenticationRequired"), price())
    [payment] = subscription["latest_invoice"]["payments"]["data"]
    api.events()

    api.post(f"/v1/payment_intents/{payment['payment']['payment_intent']}/confirm", payment_method="pm_card_mastercard")

    [updated] = [event for event in api.events() if event["type"] == "customer.subscription.updated"]
    assert updated["data"]["previous_attributes"] == {"status": "incomplete"}
    assert updated["data"]["object"]["status"] == "active"


def test_an_incomplete_subscription_is_completed_by_paying_its_invoice(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    customer = payer("pm_card_chargeCustomerFail")
    subscription = subscribe(customer, price())
    good = api.post("/v1/payment_methods/pm_card_visa/attach", customer=customer["id"])["id"]

    paid = api.post(f"/v1/invoices/{subscription['latest_invoice']['id']}/pay", payment_method=good)

    assert (paid["status"], paid["attempt_count"]) == ("paid", 1)
    found = api.get(f"/v1/subscriptions/{subscription['id']}")
    assert found["status"] == "active"
    api.advance(DAY)
    assert api.get(f"/v1/subscriptions/{subscription['id']}")["status"] == "active"


def test_voiding_the_first_invoice_ends_what_never_began(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(payer(None), price(), payment_behavior="default_incomplete")

    api.post(f"/v1/invoices/{subscription['latest_invoice']['id']}/void")

    assert api.get(f"/v1/subscriptions/{subscription['id']}")["status"] == "incomplete_expired"


def test_paying_another_invoice_makes_nobody_delinquent_any_more_and_leaves_the_status(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    customer = payer()
    subscription = subscribe(customer, price())
    api.post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=customer["id"])
    bank(api, customer["id"], "pm_card_chargeCustomerFail")
    api.engine.advance(FEBRUARY + HOUR)
    assert api.get(f"/v1/customers/{customer['id']}")["delinquent"] is True

    api.post("/v1/invoiceitems", customer=customer["id"], amount=900, currency="usd")
    other = api.post("/v1/invoices", customer=customer["id"], pending_invoice_items_behavior="include")
    api.post(f"/v1/invoices/{other['id']}/pay", paid_out_of_band=True)

    assert api.get(f"/v1/customers/{customer['id']}")["delinquent"] is False
    assert api.get(f"/v1/subscriptions/{subscription['id']}")["status"] == "past_due"


def test_a_payment_that_a_request_attempts_makes_nobody_delinquent(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    customer = payer("pm_card_chargeCustomerFail")

    subscription = subscribe(customer, price())

    assert subscription["status"] == "incomplete"
    assert api.get(f"/v1/customers/{customer['id']}")["delinquent"] is False


def test_a_year_of_renewals_is_paid(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(payer(), price())

    api.advance(365 * DAY + HOUR)

    invoices = api.get("/v1/invoices", subscription=subscription["id"], limit=100)["data"]
    assert len(invoices) == 13
    assert {invoice["status"] for invoice in invoices} == {"paid"}
    starts = [invoice["lines"]["data"][0]["period"]["start"] for invoice in invoices]
    ends = [invoice["lines"]["data"][0]["period"]["end"] for invoice in invoices]
    assert starts[:-1] == ends[1:]
