"""Bank debits, which settle later, and kinds of payment with a page of their own."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import Api
from tests.sandbox.payments.conftest import pay, payer
from trueup.sandbox.payments import intents


@pytest.mark.parametrize(
    ("bank", "status", "told"),
    [
        ("success", "succeeded", ["charge.succeeded", "payment_intent.succeeded"]),
        ("insufficientFunds", "requires_payment_method", ["charge.failed", "payment_intent.payment_failed"]),
        ("processing", "processing", []),
        (
            "dispute",
            "succeeded",
            [
                "charge.succeeded",
                "charge.dispute.created",
                "charge.dispute.funds_withdrawn",
                "payment_intent.succeeded",
                "charge.updated",
            ],
        ),
    ],
)
def test_a_bank_debit_settles_later(api: Api, bank: str, status: str, told: list[str]) -> None:
    customer, method = payer(api, f"pm_usBankAccount_{bank}")
    mandate = {"customer_acceptance": {"type": "online", "online": {"ip_address": "127.0.0.1", "user_agent": "test"}}}

    intent = pay(api, customer, method, mandate_data=mandate, expand=["latest_charge"])

    charge = intent["latest_charge"]
    assert (intent["status"], charge["status"], charge["id"][:3]) == ("processing", "pending", "py_")
    assert (
        api.get("/v1/mandates/" + charge["payment_method_details"]["us_bank_account"]["mandate"])["type"] == "multi_use"
    )
    assert api.types() == ["payment_intent.created", "charge.pending", "payment_intent.processing"]
    api.advance(300)
    assert api.get("/v1/payment_intents/" + intent["id"])["status"] == status
    assert api.types() == told


def test_a_debit_can_be_stopped_while_it_is_under_way(api: Api) -> None:
    customer, method = payer(api, "pm_usBankAccount_processing")
    intent = pay(api, customer, method)
    api.types()

    canceled = api.post(f"/v1/payment_intents/{intent['id']}/cancel", expand=["latest_charge"])

    assert (canceled["status"], canceled["latest_charge"]["status"]) == ("canceled", "failed")
    assert api.types() == ["charge.failed", "payment_intent.canceled"]


def test_a_debit_in_euro(api: Api) -> None:
    customer, method = payer(api, "pm_sepaDebit_success_de")
    intent = pay(api, customer, method, currency="eur", mandate_data={"customer_acceptance": {"type": "offline"}})
    assert intent["status"] == "processing"

    api.advance(300)

    charge = api.get("/v1/charges/" + intent["latest_charge"], expand=["balance_transaction"])
    assert (charge["status"], charge["balance_transaction"]["type"]) == ("succeeded", "payment")
    assert charge["payment_method_details"]["sepa_debit"]["last4"] == "3000"


def test_a_kind_with_a_page_of_its_own_is_paid_there(api: Api) -> None:
    intent = api.post(
        "/v1/payment_intents",
        amount=1000,
        currency="eur",
        payment_method_data={"type": "ideal", "ideal": {"bank": "ing"}},
        allowed_payment_method_types=["ideal"],
        confirm=True,
        return_url="https://example.com",
    )
    assert intent["next_action"]["type"] == "redirect_to_url"

    with api.engine.change() as world:
        intents.authenticate(world, world.get("payment_intent", intent["id"]), succeed=True)

    assert api.get("/v1/payment_intents/" + intent["id"])["status"] == "succeeded"
