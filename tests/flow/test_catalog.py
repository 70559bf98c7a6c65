"""What a payload only names is taken from the catalogue, and its change reaches whoever names it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.instance import Door, customer, encoded, event
from trueup.accounts.types import Account
from trueup.customer import service as customers
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.customer.types import CustomerState
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.runtime import drains
from trueup.runtime.crypto import Sealer

Tell = Callable[[str, dict[str, Any]], CustomerState]


@pytest.fixture
def tell(connect: Callable[..., Account], database: str, sealer: Sealer) -> Tell:
    """Send one event a second later than the last, drain, and give the state of cus_1."""
    connect("acme")
    seconds = itertools.count(1_790_000_000)

    def send(kind: str, about: dict[str, Any]) -> CustomerState:
        with Door(database, sealer=sealer, path="/webhooks/stripe/acme") as door:
            assert door.post(encoded(event(kind, about, at=next(seconds)))).status == 200
        drains.empty(MIRROR)
        drains.empty(CUSTOMER)
        return customers.get("cus_1").state

    return send


def subscription(**more: Any) -> dict[str, Any]:
    price = {
        "id": "price_1",
        "object": "price",
        "currency": "usd",
        "product": "prod_1",
        "type": "recurring",
        "billing_scheme": "per_unit",
        "unit_amount": 1000,
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
    }
    item = {"id": "si_1", "object": "subscription_item", "price": price, "quantity": 1, "discounts": []}
    return {
        "id": "sub_1",
        "object": "subscription",
        "customer": "cus_1",
        "status": "active",
        "created": 1_790_000_000,
        "start_date": 1_790_000_000,
        "currency": "usd",
        "items": {"object": "list", "data": [item]},
        **more,
    }


def coupon(percent: int) -> dict[str, Any]:
    return {"id": "HALF", "object": "coupon", "percent_off": percent, "duration": "forever", "valid": True}


def test_a_coupon_that_is_only_named_counts_as_soon_as_it_is_known_and_whenever_it_changes(tell: Tell) -> None:
    tell("customer.created", customer("cus_1"))
    discount = {"id": "di_1", "object": "discount", "source": {"type": "coupon", "coupon": "HALF"}, "start": 1}

    unknown = tell("customer.subscription.created", subscription(discounts=[discount]))
    known = tell("coupon.created", coupon(50))
    changed = tell("coupon.updated", coupon(25))

    assert [mrr.minor for mrr in unknown.mrr] == [1000]
    assert unknown.mrr_unknown
    assert [mrr.minor for mrr in known.mrr] == [500]
    assert known.mrr_unknown == ()
    assert [mrr.minor for mrr in changed.mrr] == [750]


def test_a_discount_that_is_only_named_is_found_among_the_customers_own(tell: Tell) -> None:
    tell("customer.created", customer("cus_1"))
    tell("coupon.created", coupon(50))
    discount = {
        "id": "di_1",
        "object": "discount",
        "customer": "cus_1",
        "subscription": "sub_1",
        "source": {"type": "coupon", "coupon": "HALF"},
        "start": 1,
    }
    tell("customer.discount.created", discount)

    state = tell("customer.subscription.created", subscription(discounts=["di_1"]))

    assert [mrr.minor for mrr in state.mrr] == [500]


def test_a_products_new_name_reaches_whoever_has_it(tell: Tell) -> None:
    tell("customer.created", customer("cus_1"))
    tell("customer.subscription.created", subscription())
    tell("product.created", {"id": "prod_1", "object": "product", "name": "Old"})

    state = tell("product.updated", {"id": "prod_1", "object": "product", "name": "New"})

    assert [plan.product_name for plan in state.plans] == ["New"]
