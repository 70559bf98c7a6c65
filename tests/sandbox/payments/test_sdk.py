"""The official SDK pays, refunds and is refused, unmodified."""

from __future__ import annotations

import pytest
import stripe


def test_a_payment_and_its_refund(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({"email": "ada@example.com"})
    method = sdk.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})

    intent = sdk.v1.payment_intents.create(
        {
            "amount": 2500,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": method.id,
            "confirm": True,
            "expand": ["latest_charge"],
        }
    )

    assert isinstance(intent.latest_charge, stripe.Charge)
    refund = sdk.v1.refunds.create({"charge": intent.latest_charge.id, "amount": 1000})
    assert refund.status == "succeeded"
    assert sdk.v1.charges.retrieve(intent.latest_charge.id).amount_refunded == 1000
    assert [one.id for one in sdk.v1.customers.payment_methods.list(customer.id).data] == [method.id]


def test_a_decline_is_a_card_error_with_its_intent(sdk: stripe.StripeClient) -> None:
    method = sdk.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa_chargeDeclined"}})

    with pytest.raises(stripe.CardError) as raised:
        sdk.v1.payment_intents.create({"amount": 2500, "currency": "usd", "payment_method": method.id, "confirm": True})

    error = raised.value.error
    assert error is not None
    assert (error.code, error.decline_code) == ("card_declined", "generic_decline")
    assert error.payment_intent is not None
    assert sdk.v1.payment_intents.retrieve(error.payment_intent.id).status == "requires_payment_method"


def test_a_setup(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create()

    setup = sdk.v1.setup_intents.create({"customer": customer.id, "payment_method": "pm_card_visa", "confirm": True})

    assert setup.status == "succeeded"
    assert sdk.v1.balance.retrieve().pending[0].amount == 0
