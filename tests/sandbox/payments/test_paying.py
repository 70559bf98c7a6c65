"""Payments from the first call to the last event."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import Api


def _customer(api: Api, method: str = "pm_card_visa", **more: object) -> tuple[str, str]:
    customer = api.post("/v1/customers", email="ada@example.com", **more)["id"]
    attached = api.post(f"/v1/payment_methods/{method}/attach", customer=customer)["id"]
    api.types()
    return customer, attached


def test_a_good_card_pays_at_once_and_is_settled_a_little_later(api: Api) -> None:
    customer, method = _customer(api)

    intent = api.post(
        "/v1/payment_intents",
        amount=2500,
        currency="usd",
        customer=customer,
        payment_method=method,
        confirm=True,
        expand=["latest_charge"],
    )

    assert intent["status"] == "succeeded"
    assert intent["amount_received"] == 2500
    assert intent["latest_charge"]["paid"]
    assert intent["latest_charge"]["id"][3:19] == intent["id"][3:19]
    assert api.types() == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]

    api.advance(5)

    (event,) = api.events()
    assert event["type"] == "charge.updated"
    assert event["data"]["previous_attributes"] == {"balance_transaction": None}
    transaction = api.get("/v1/balance_transactions/" + event["data"]["object"]["balance_transaction"])
    assert (transaction["amount"], transaction["fee"], transaction["net"]) == (2500, 103, 2397)


def test_a_declined_card_is_a_402_and_what_happened_stays(api: Api) -> None:
    method = api.post("/v1/payment_methods", type="card", card={"token": "tok_visa_chargeDeclined"})["id"]

    error = api.post(
        "/v1/payment_intents", amount=1000, currency="usd", payment_method=method, confirm=True, error=True
    )

    assert error["status"] == 402
    assert error["code"] == "card_declined"
    assert error["decline_code"] == "generic_decline"
    assert error["payment_intent"]["status"] == "requires_payment_method"
    kept = api.get("/v1/payment_intents/" + error["payment_intent"]["id"])
    assert kept == error["payment_intent"]
    charge = api.get("/v1/charges/" + kept["latest_charge"])
    assert (charge["status"], charge["failure_code"]) == ("failed", "card_declined")
    assert api.types() == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]


@pytest.mark.parametrize("method", ["pm_card_visa_chargeDeclined", "pm_card_chargeDeclined"])
def test_a_card_that_is_declined_is_not_attached(api: Api, method: str) -> None:
    customer = api.post("/v1/customers")["id"]
    api.types()

    error = api.post(f"/v1/payment_methods/{method}/attach", customer=customer, error=True)

    assert (error["status"], error["code"], error["decline_code"]) == (402, "card_declined", "generic_decline")
    assert api.get(f"/v1/customers/{customer}/payment_methods")["data"] == []
    assert api.types() == []


def test_part_of_a_payment_goes_back_and_then_the_rest(api: Api) -> None:
    customer, method = _customer(api)
    charge = api.post(
        "/v1/payment_intents", amount=5000, currency="usd", customer=customer, payment_method=method, confirm=True
    )["latest_charge"]
    api.advance(60)
    api.types()

    api.post("/v1/refunds", charge=charge, amount=2000)

    assert api.types() == ["refund.created", "charge.refunded"]
    error = api.post("/v1/refunds", charge=charge, amount=4000, error=True)
    assert error["message"] == "Refund amount ($40.00) is greater than unrefunded amount on charge ($30.00)"
    api.post("/v1/refunds", charge=charge)
    assert api.get("/v1/charges/" + charge)["refunded"]
    error = api.post("/v1/refunds", charge=charge, error=True)
    assert error["code"] == "charge_already_refunded"
