"""Customers and prices, and what has to hold of every subscription and invoice told or stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from trueup.sandbox.invoices.invariants import broken
from trueup.sandbox.server.engine import Engine

Json = dict[str, Any]

HALF: Final = 31 * 86_400 // 2
_FINAL: Final = frozenset({"canceled", "incomplete_expired"})


@pytest.fixture(autouse=True)
def _invariants(engine: Engine, api: Any) -> Iterator[None]:
    """After each test every invoice adds up, and no subscription that ended was ever told otherwise again."""
    yield
    with engine.change() as world:
        faults = [fault for invoice in world.select("invoice") for fault in broken(invoice)]
    ended: dict[str, str] = {}
    for event in api.told:
        found = event["data"]["object"]
        if found["object"] == "invoice" and not found["lines"]["has_more"]:
            faults += [f"{event['type']}: {fault}" for fault in broken(found)]
        if found["object"] == "subscription":
            if ended.setdefault(found["id"], found["status"]) in _FINAL and found["status"] != ended[found["id"]]:
                faults.append(f"{event['type']}: {ended[found['id']]} became {found['status']}")
            ended[found["id"]] = found["status"]
    assert faults == []


@pytest.fixture
def payer(api: Any) -> Callable[..., Json]:
    """Makes a customer whose default payment method is one of Stripe's test cards, or none."""

    def make(card: str | None = "pm_card_visa", **fields: Any) -> Json:
        customer: Json = api.post("/v1/customers", email="stripe@example.org", name="Stripe User", **fields)
        if card:
            customer = give(api, customer["id"], card)
        api.events()
        return customer

    return make


def give(api: Any, customer: str, card: str) -> Json:
    """Attach a test card and let the customer's invoices be paid with it."""
    method = api.post(f"/v1/payment_methods/{card}/attach", customer=customer)
    found: Json = api.post(f"/v1/customers/{customer}", invoice_settings={"default_payment_method": method["id"]})
    return found


@pytest.fixture
def price(api: Any) -> Callable[..., str]:
    """Makes a price, of 20 dollars a month unless told otherwise, and gives its id."""

    def make(amount: int = 2000, interval: str | None = "month", count: int = 1, **fields: Any) -> str:
        recurring = {"recurring": {"interval": interval, "interval_count": count}} if interval else {}
        name = fields.pop("name", "Pro")
        product = fields.pop("product", None) or api.post("/v1/products", name=name)["id"]
        scheme = {} if "billing_scheme" in fields else {"unit_amount": amount}
        made = api.post("/v1/prices", product=product, **{"currency": "usd", **scheme, **recurring, **fields})
        api.events()
        return str(made["id"])

    return make


@pytest.fixture
def subscribe(api: Any) -> Callable[..., Json]:
    """Makes a subscription of a customer to a price, with its latest invoice expanded."""

    def make(customer: Json, price: str, **fields: Any) -> Json:
        items = fields.pop("items", [{"price": price}])
        found: Json = api.post(
            "/v1/subscriptions", customer=customer["id"], items=items, expand=["latest_invoice.payments"], **fields
        )
        return found

    return make


@pytest.fixture
def frozen(api: Any) -> Callable[..., Json]:
    """Makes a test clock that shows the sandbox's own time, and gives a customer's field for it."""

    def make(at: int | None = None) -> Json:
        clock = api.post("/v1/test_helpers/test_clocks", frozen_time=at or api.engine.now())
        return {"test_clock": clock["id"]}

    return make


@pytest.fixture
def begun(api: Any, payer: Callable[..., Json], price: Callable[..., str], subscribe: Callable[..., Json]) -> Json:
    """A subscription to a price of 20 dollars a month, half of whose first month, January 2026, is over."""
    subscription = subscribe(payer(), price())
    api.advance(HALF)
    api.events()
    return subscription


def change(api: Any, subscription: Json, price: str, **fields: Any) -> Json:
    """Exchange the price of a subscription's only item."""
    item = subscription["items"]["data"][0]["id"]
    found: Json = api.post(f"/v1/subscriptions/{subscription['id']}", items=[{"id": item, "price": price}], **fields)
    return found


def waiting(api: Any, subscription: Json) -> list[int]:
    """The amounts that wait for the customer's next invoice, oldest first."""
    found = api.get("/v1/invoiceitems", customer=subscription["customer"], pending=True)["data"]
    return [item["amount"] for item in found][::-1]


def previous(event: Json) -> Json:
    """What was before an event."""
    found: Json = event["data"]["previous_attributes"]
    return found
