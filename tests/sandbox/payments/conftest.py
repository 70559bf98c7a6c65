"""Those who pay."""

from __future__ import annotations

from typing import Any

from tests.sandbox.conftest import Api, Json


def payer(api: Api, method: str = "pm_card_visa", **more: Any) -> tuple[str, str]:
    """A customer with a payment method: their ids. What was told of it is read."""
    customer: str = api.post("/v1/customers", email="ada@example.com", name="Ada", **more)["id"]
    attached: str = api.post(f"/v1/payment_methods/{method}/attach", customer=customer)["id"]
    api.types()
    return customer, attached


def pay(api: Api, customer: str, method: str, *, amount: int = 2500, currency: str = "usd", **more: Any) -> Json:
    """A confirmed payment."""
    return api.post(
        "/v1/payment_intents",
        amount=amount,
        currency=currency,
        customer=customer,
        payment_method=method,
        confirm=True,
        **more,
    )
