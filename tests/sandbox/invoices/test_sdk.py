"""The official SDK, unchanged, drives invoices."""

from __future__ import annotations

from typing import cast

import pytest
import stripe


def _payer(sdk: stripe.StripeClient, card: str = "pm_card_visa") -> stripe.Customer:
    customer = sdk.v1.customers.create({"email": "stripe@example.org"})
    method = sdk.v1.payment_methods.attach(card, {"customer": customer.id})
    return sdk.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})


def test_an_invoice_is_made_paid_and_credited(sdk: stripe.StripeClient) -> None:
    customer = _payer(sdk)
    for amount in (1000, 2000):
        sdk.v1.invoice_items.create({"customer": customer.id, "amount": amount, "currency": "usd"})
    draft = sdk.v1.invoices.create({"customer": customer.id, "pending_invoice_items_behavior": "include"})

    more = sdk.v1.invoices.add_lines(
        draft.id, {"lines": [{"amount": 500, "description": "More"}], "expand": ["customer"]}
    )
    paid = sdk.v1.invoices.pay(draft.id, {"expand": ["payments.data.payment.payment_intent"]})
    note = sdk.v1.credit_notes.create({"invoice": paid.id, "amount": 500, "refund_amount": 500})

    assert cast("stripe.Customer", more.customer).email == "stripe@example.org"
    assert (paid.status, paid.amount_paid) == ("paid", 3500)
    assert paid.payments is not None
    intent = paid.payments.data[0].payment.payment_intent
    assert cast("stripe.PaymentIntent", intent).status == "succeeded"
    assert note.refunds[0].amount_refunded == 500
    assert [line.amount for line in sdk.v1.invoices.line_items.list(paid.id).auto_paging_iter()] == [
        500,
        1000,
        2000,
    ]


def test_a_decline_is_a_card_error(sdk: stripe.StripeClient) -> None:
    customer = _payer(sdk, "pm_card_chargeCustomerFail")
    sdk.v1.invoice_items.create({"customer": customer.id, "amount": 1000, "currency": "usd"})
    draft = sdk.v1.invoices.create({"customer": customer.id, "pending_invoice_items_behavior": "include"})

    with pytest.raises(stripe.CardError) as refused:
        sdk.v1.invoices.pay(draft.id)

    assert refused.value.code == "card_declined"
    assert sdk.v1.invoices.retrieve(draft.id).attempt_count == 1
