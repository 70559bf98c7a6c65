"""Previews say to the cent what the change then bills, and leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.conftest import Api
from tests.sandbox.subscriptions.conftest import give
from trueup.sandbox.invoices.invariants import broken
from trueup.sandbox.server.engine import Engine

Json = dict[str, Any]
Make = Callable[..., Json]

DAY = 86_400
JANUARY, FEBRUARY = 1_767_225_600, 1_769_904_000


@contextmanager
def living() -> Iterator[Api]:
    """A sandbox of its own, whose invoices all add up in the end."""
    engine = Engine()
    api = Api(engine)
    yield api
    with engine.change() as world:
        assert [fault for invoice in world.select("invoice") for fault in broken(invoice)] == []
    engine.close()


def made_price(api: Api, amount: int, interval: str = "month", **fields: Any) -> str:
    product = api.post("/v1/products", name="Pro")["id"]
    recurring = {"interval": interval}
    scheme: Json = {} if "billing_scheme" in fields else {"unit_amount": amount}
    price = api.post("/v1/prices", product=product, currency="usd", recurring=recurring, **scheme, **fields)
    return str(price["id"])


def amounts(invoice: Json) -> list[tuple[str, int, int, int]]:
    """What an invoice bills, line by line."""
    return sorted(
        (
            line["description"],
            line["amount"],
            sum(one["amount"] for one in line["discount_amounts"]),
            line["period"]["end"],
        )
        for line in invoice["lines"]["data"]
    )


def agree(preview: Json, billed: Json) -> None:
    assert amounts(preview) == amounts(billed)
    assert (preview["total"], preview["subtotal"], preview["amount_due"]) == (
        billed["total"],
        billed["subtotal"],
        billed["amount_due"],
    )


amount = st.integers(0, 2_000_000)
quantity = st.integers(0, 50)
percent = st.sampled_from([None, 7.5, 33, 50, 100])
TIERS = {
    "billing_scheme": "tiered",
    "tiers_mode": "graduated",
    "tiers": [{"up_to": 3, "unit_amount": 999}, {"up_to": "inf", "unit_amount": 333, "flat_amount": 77}],
}


@settings(max_examples=60, deadline=None)
@given(
    prices=st.tuples(amount, amount),
    quantities=st.tuples(quantity, quantity),
    elapsed=st.integers(0, FEBRUARY - JANUARY - 1),
    off=percent,
    mode=st.sampled_from(["flexible", "classic"]),
    interval=st.sampled_from(["month", "year"]),
    behavior=st.sampled_from(["create_prorations", "always_invoice", "none"]),
    tiered=st.booleans(),
    anew=st.booleans(),
)
def test_an_update_bills_what_its_preview_said(
    *,
    prices: tuple[int, int],
    quantities: tuple[int, int],
    elapsed: int,
    off: float | None,
    mode: str,
    interval: str,
    behavior: str,
    tiered: bool,
    anew: bool,
) -> None:
    with living() as api:
        customer = api.post("/v1/customers")["id"]
        give(api, customer, "pm_card_visa")
        old = made_price(api, prices[0])
        new = made_price(api, prices[1], interval, **(TIERS if tiered else {}))
        discounts = [{"coupon": api.post("/v1/coupons", percent_off=off, duration="forever")["id"]}] if off else []
        subscription = api.post(
            "/v1/subscriptions",
            customer=customer,
            items=[{"price": old, "quantity": quantities[0]}],
            discounts=discounts,
            billing_mode={"type": mode},
        )
        api.advance(elapsed)
        before = api.get(f"/v1/subscriptions/{subscription['id']}")
        change: Json = {
            "items": [{"id": subscription["items"]["data"][0]["id"], "price": new, "quantity": quantities[1]}],
            "proration_behavior": behavior,
            **({"billing_cycle_anchor": {"type": "now"}} if anew else {}),
        }
        api.events()

        preview = api.post("/v1/invoices/create_preview", subscription=subscription["id"], subscription_details=change)

        assert api.types() == []
        assert preview["status"] == "draft"
        assert api.get(f"/v1/subscriptions/{subscription['id']}") == before
        after = api.post(f"/v1/subscriptions/{subscription['id']}", expand=["latest_invoice"], **change)
        if after["latest_invoice"]["id"] == before["latest_invoice"]:
            api.engine.advance(min(item["current_period_end"] for item in after["items"]["data"]))
            after = api.get(f"/v1/subscriptions/{subscription['id']}", expand=["latest_invoice"])
        agree(preview, after["latest_invoice"])


@settings(max_examples=25, deadline=None)
@given(unit=amount, count=quantity, elapsed=st.integers(0, FEBRUARY - JANUARY - 1), off=percent)
def test_an_end_bills_what_its_preview_said(*, unit: int, count: int, elapsed: int, off: float | None) -> None:
    with living() as api:
        customer = api.post("/v1/customers")["id"]
        give(api, customer, "pm_card_visa")
        discounts = [{"coupon": api.post("/v1/coupons", percent_off=off, duration="once")["id"]}] if off else []
        subscription = api.post(
            "/v1/subscriptions",
            customer=customer,
            items=[{"price": made_price(api, unit), "quantity": count}],
            discounts=discounts,
        )
        api.advance(elapsed)

        preview = api.post(
            "/v1/invoices/create_preview",
            subscription=subscription["id"],
            subscription_details={"cancel_now": True, "proration_behavior": "always_invoice"},
        )

        api.delete(f"/v1/subscriptions/{subscription['id']}", prorate=True, invoice_now=True)
        [final, _] = api.get("/v1/invoices", subscription=subscription["id"])["data"]
        assert amounts(preview) == amounts(final)
        assert preview["total"] == final["total"]


def test_a_new_subscription_is_previewed(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    customer, named = payer(), price()
    details = {"items": [{"price": named, "quantity": 3}], "trial_end": JANUARY + 7 * DAY}

    preview = api.post(
        "/v1/invoices/create_preview", customer=customer["id"], subscription_details={"items": details["items"]}
    )
    free = api.post("/v1/invoices/create_preview", customer=customer["id"], subscription_details=details)

    assert (preview["total"], preview["status"], free["total"]) == (6000, "draft", 0)
    assert api.types() == []
    subscription = subscribe(customer, named, items=details["items"])
    agree(preview, subscription["latest_invoice"])


def test_the_next_renewal_is_previewed_without_discounts_that_end_before(
    api: Any, payer: Make, price: Any, subscribe: Make
) -> None:
    coupon = api.post("/v1/coupons", percent_off=50, duration="repeating", duration_in_months=1)
    subscription = subscribe(payer(), price(), discounts=[{"coupon": coupon["id"]}])

    preview = api.post("/v1/invoices/create_preview", subscription=subscription["id"])

    assert (preview["total"], preview["period_start"], preview["period_end"]) == (2000, JANUARY, FEBRUARY)
    api.engine.advance(FEBRUARY)
    [latest, _] = api.get("/v1/invoices", subscription=subscription["id"])["data"]
    agree(preview, latest)


def test_other_discounts_can_be_tried(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    coupon = api.post("/v1/coupons", percent_off=25, duration="once")
    subscription = subscribe(payer(), price())

    preview = api.post(
        "/v1/invoices/create_preview", subscription=subscription["id"], discounts=[{"coupon": coupon["id"]}]
    )

    assert preview["total"] == 1500
    assert api.get(f"/v1/coupons/{coupon['id']}")["times_redeemed"] == 0


def test_a_pause_and_its_end_are_previewed(api: Any, payer: Make, price: Any, subscribe: Make) -> None:
    subscription = subscribe(payer(), price())
    api.advance((FEBRUARY - JANUARY) // 2)
    path = "/v1/invoices/create_preview"

    preview = api.post(
        path, subscription=subscription["id"], subscription_details={"pause": {"invoicing_behavior": "invoice"}}
    )
    assert preview["total"] == -1000
    error = api.post(
        path, subscription=subscription["id"], subscription_details={"pause": {"type": "subscription"}}, error=True
    )
    assert error["status"] == 404

    api.post(f"/v1/subscriptions/{subscription['id']}/pause")
    assert api.post(path, subscription=subscription["id"], error=True)["code"] == "invoice_upcoming_none"
    preview = api.post(path, subscription=subscription["id"], subscription_details={"resume_at": "now"})
    resumed = api.post(f"/v1/subscriptions/{subscription['id']}/resume", expand=["latest_invoice"])
    agree(preview, resumed["latest_invoice"])


@pytest.mark.parametrize("ends", [True, False])
def test_what_ends_has_no_next_invoice(api: Any, payer: Make, price: Any, *, subscribe: Make, ends: bool) -> None:
    subscription = subscribe(payer(), price())
    if ends:
        api.post(f"/v1/subscriptions/{subscription['id']}", cancel_at_period_end=True)
    else:
        api.delete(f"/v1/subscriptions/{subscription['id']}")

    error = api.post("/v1/invoices/create_preview", subscription=subscription["id"], error=True)

    assert (error["status"], error["code"]) == (404, "invoice_upcoming_none")
