"""Customers who pay, and what has to hold of every invoice told or stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from trueup.sandbox.invoices.invariants import broken
from trueup.sandbox.server.engine import Engine

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def _invariants(engine: Engine, api: Any) -> Iterator[None]:
    """After each test every invoice, as it is stored and as it was ever told, adds up."""
    yield
    with engine.change() as world:
        stored = [broken(invoice) for invoice in world.select("invoice")]
    told = [
        broken(event["data"]["object"])
        for event in api.told
        if event["data"]["object"]["object"] == "invoice" and not event["data"]["object"]["lines"]["has_more"]
    ]
    assert [found for found in stored + told if found] == []


@pytest.fixture
def payer(api: Any) -> Callable[..., Json]:
    """Makes a customer whose default payment method is one of Stripe's test cards, or none."""

    def make(card: str | None = "pm_card_visa", **fields: Any) -> Json:
        customer: Json = api.post("/v1/customers", email="stripe@example.org", name="Stripe User", **fields)
        if card:
            method = api.post(f"/v1/payment_methods/{card}/attach", customer=customer["id"])
            settings = {"default_payment_method": method["id"]}
            customer = api.post(f"/v1/customers/{customer['id']}", invoice_settings=settings)
        api.events()
        return customer

    return make


@pytest.fixture
def bill(api: Any) -> Callable[..., Json]:
    """Makes a draft of one invoice item for a customer."""

    def make(customer: Json, amount: int = 1000, **fields: Any) -> Json:
        api.post("/v1/invoiceitems", customer=customer["id"], amount=amount, currency="usd", description="Set-up")
        found: Json = api.post(
            "/v1/invoices", customer=customer["id"], pending_invoice_items_behavior="include", **fields
        )
        return found

    return make
