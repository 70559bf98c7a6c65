"""What is on an invoice: items, lines, discounts, tiers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from trueup.sandbox.catalog import discounts
from trueup.sandbox.invoices import drafts, items, lines
from trueup.sandbox.server.engine import Engine

Json = dict[str, Any]
Make = Callable[..., Json]

MONTH = (1_767_225_600, 1_769_904_000)


@pytest.fixture
def product(api: Any) -> str:
    found: str = api.post("/v1/products", name="Pro")["id"]
    return found


def test_an_item_waits_until_it_is_asked_for(api: Any, payer: Make) -> None:
    customer = payer()["id"]
    item = api.post("/v1/invoiceitems", customer=customer, amount=500, currency="usd")

    without = api.post("/v1/invoices", customer=customer)
    assert without["lines"]["data"] == []
    assert [i["id"] for i in api.get("/v1/invoiceitems", customer=customer, pending=True)["data"]] == [item["id"]]
    held = api.post("/v1/invoices", customer=customer, pending_invoice_items_behavior="include")

    [line] = held["lines"]["data"]
    assert line["parent"]["invoice_item_details"]["invoice_item"] == item["id"]
    assert line["invoice"] == held["id"]
    assert api.get(f"/v1/invoiceitems/{item['id']}")["invoice"] == held["id"]
    assert api.get("/v1/invoiceitems", pending=True)["data"] == []


def test_lines_come_newest_first(api: Any, payer: Make) -> None:
    customer = payer()["id"]
    for amount in (100, 200, 300):
        api.post("/v1/invoiceitems", customer=customer, amount=amount, currency="usd")
        api.advance(60)

    held = api.post("/v1/invoices", customer=customer, pending_invoice_items_behavior="include")
    more = api.post(f"/v1/invoices/{held['id']}/add_lines", lines=[{"amount": 400, "description": "More"}])

    assert [line["amount"] for line in more["lines"]["data"]] == [400, 300, 200, 100]
    assert (more["subtotal"], more["amount_due"]) == (1000, 1000)


def test_ten_lines_are_shown_and_all_are_billed(api: Any, payer: Make) -> None:
    customer = payer()["id"]
    for _ in range(12):
        api.post("/v1/invoiceitems", customer=customer, amount=100, currency="usd")

    held = api.post("/v1/invoices", customer=customer, pending_invoice_items_behavior="include")

    assert (len(held["lines"]["data"]), held["lines"]["has_more"], held["lines"]["total_count"]) == (10, True, 12)
    assert held["total"] == 1200
    listed = api.get(f"/v1/invoices/{held['id']}/lines", limit=100)["data"]
    assert len(listed) == 12
    assert len(api.get(f"/v1/invoices/{held['id']}/lines", starting_after=listed[9]["id"])["data"]) == 2


def test_an_item_may_have_a_price_and_a_quantity(api: Any, payer: Make, product: str) -> None:
    price = api.post("/v1/prices", product=product, currency="usd", unit_amount=250)
    customer = payer()["id"]

    item = api.post("/v1/invoiceitems", customer=customer, pricing={"price": price["id"]}, quantity=3)

    assert (item["amount"], item["quantity"], item["description"]) == (750, 3, "Pro")
    assert item["pricing"]["price_details"] == {"price": price["id"], "product": product}
    changed = api.post(f"/v1/invoiceitems/{item['id']}", quantity=4)
    assert changed["amount"] == 1000
    monthly = api.post("/v1/prices", product=product, currency="usd", unit_amount=250, recurring={"interval": "month"})
    refused = api.post("/v1/invoiceitems", customer=customer, pricing={"price": monthly["id"]}, error=True)
    assert refused["param"] == "pricing[price]"


def test_the_same_amount_has_the_same_price(api: Any, payer: Make) -> None:
    customer = payer()["id"]
    made = [
        api.post("/v1/invoiceitems", customer=customer, amount=1000, currency="usd", description="Fee")
        for _ in range(2)
    ]

    first, second = (item["pricing"]["price_details"]["price"] for item in made)
    assert first == second
    assert api.get(f"/v1/prices/{first}")["active"] is False


def test_lines_of_drafts_change(api: Any, payer: Make, bill: Make) -> None:
    draft = bill(payer())
    line = draft["lines"]["data"][0]
    api.events()

    changed = api.post(f"/v1/invoices/{draft['id']}/lines/{line['id']}", amount=700, description="Less")
    assert (changed["object"], changed["id"], changed["amount"]) == ("line_item", line["id"], 700)
    assert api.types() == ["invoice.updated"]
    assert api.get(f"/v1/invoices/{draft['id']}")["total"] == 700
    both = api.post(
        f"/v1/invoices/{draft['id']}/update_lines",
        lines=[{"id": line["id"], "metadata": {"a": "b"}}],
        invoice_metadata={"c": "d"},
    )
    assert (both["lines"]["data"][0]["metadata"], both["metadata"]) == ({"a": "b"}, {"c": "d"})
    loose = api.post(f"/v1/invoices/{draft['id']}/remove_lines", lines=[{"id": line["id"], "behavior": "unassign"}])

    assert (loose["lines"]["data"], loose["total"]) == ([], 0)
    [waiting] = api.get("/v1/invoiceitems", pending=True, customer=draft["customer"])["data"]
    added = api.post(f"/v1/invoices/{draft['id']}/add_lines", lines=[{"invoice_item": waiting["id"]}])
    assert added["total"] == 700
    gone = api.post(
        f"/v1/invoices/{draft['id']}/remove_lines",
        lines=[{"id": added["lines"]["data"][0]["id"], "behavior": "delete"}],
    )
    assert gone["total"] == 0
    assert api.get("/v1/invoiceitems")["data"] == []


def test_a_coupon_takes_its_share_of_each_line(api: Any, payer: Make) -> None:
    customer = payer()["id"]
    coupon = api.post("/v1/coupons", amount_off=500, currency="usd", duration="once")["id"]
    for amount in (1000, 2000):
        api.post("/v1/invoiceitems", customer=customer, amount=amount, currency="usd", description=str(amount))
        api.advance(1)

    held = api.post(
        "/v1/invoices",
        customer=customer,
        pending_invoice_items_behavior="include",
        discounts=[{"coupon": coupon}],
    )

    assert (held["subtotal"], held["total"]) == (3000, 2500)
    [name] = held["discounts"]
    assert held["total_discount_amounts"] == [{"amount": 500, "discount": name}]
    assert [line["discount_amounts"][0]["amount"] for line in held["lines"]["data"]] == [333, 167]
    assert [line["discounts"] for line in held["lines"]["data"]] == [[], []]
    assert held["total_pretax_credit_amounts"] == [{"amount": 500, "discount": name, "type": "discount"}]


def test_a_lines_own_discount_comes_before_the_invoices(api: Any, payer: Make) -> None:
    customer = payer()["id"]
    half = api.post("/v1/coupons", percent_off=50, duration="once")["id"]
    tenth = api.post("/v1/coupons", percent_off=10, duration="once")["id"]
    api.post("/v1/invoiceitems", customer=customer, amount=1000, currency="usd", discounts=[{"coupon": half}])

    held = api.post(
        "/v1/invoices",
        customer=customer,
        pending_invoice_items_behavior="include",
        discounts=[{"coupon": tenth}],
    )

    assert [one["amount"] for one in held["total_discount_amounts"]] == [500, 50]
    assert held["total"] == 450


def test_the_customers_discount_is_taken_over(api: Any, engine: Engine, payer: Make, bill: Make) -> None:
    customer = payer()
    coupon = api.post("/v1/coupons", percent_off=25, duration="forever")["id"]
    with engine.change() as world:
        discounts.start(world, customer=world.get("customer", customer["id"]), coupon=coupon, param="coupon")

    draft = bill(customer)

    assert (draft["subtotal"], draft["total"]) == (1000, 750)
    assert api.post(f"/v1/invoices/{draft['id']}", discounts="")["total"] == 1000


def test_credits_are_not_discounted(api: Any, payer: Make) -> None:
    customer = payer()["id"]
    half = api.post("/v1/coupons", percent_off=50, duration="once")["id"]
    for amount in (1000, -400):
        api.post("/v1/invoiceitems", customer=customer, amount=amount, currency="usd")

    held = api.post(
        "/v1/invoices",
        customer=customer,
        pending_invoice_items_behavior="include",
        discounts=[{"coupon": half}],
    )

    assert (held["subtotal"], held["total"]) == (600, 100)
    assert {line["amount"]: line["discount_amounts"][0]["amount"] for line in held["lines"]["data"]} == {
        1000: 500,
        -400: 0,
    }


def _subscription() -> Json:
    return {"id": "sub_1", "object": "subscription", "metadata": {"team": "a"}, "currency": "usd"}


def _drafted(engine: Engine, customer: str, price: str, quantity: int, *, trial: bool = False) -> list[Json]:
    """The lines of a subscription's draft."""
    with engine.change() as world:
        line = lines.of_price(
            world,
            price=world.get("price", price),
            quantity=quantity,
            period=MONTH,
            subscription=_subscription(),
            item="si_1",
            trial=trial,
        )
        invoice = drafts.create(
            world,
            customer=world.get("customer", customer),
            subscription=_subscription(),
            billing_reason="subscription_cycle",
            lines=[line],
            period_start=MONTH[0],
            period_end=MONTH[0],
            auto_advance=True,
            collection_method="charge_automatically",
        )
        assert invoice["parent"]["subscription_details"] == {"metadata": {"team": "a"}, "subscription": "sub_1"}
        assert invoice["rendering"] is None
        found: list[Json] = invoice["lines"]["data"]
        return found


def test_a_subscriptions_line_is_worded_as_recorded(api: Any, engine: Engine, payer: Make) -> None:
    seats = api.post("/v1/products", name="Test Subscription", unit_label="user")["id"]
    price = api.post("/v1/prices", product=seats, currency="usd", unit_amount=2500, recurring={"interval": "month"})[
        "id"
    ]
    customer = payer()["id"]

    [line] = _drafted(engine, customer, price, 10)
    [trial] = _drafted(engine, customer, price, 1, trial=True)

    assert (line["description"], line["amount"]) == ("10 user × Test Subscription (at $25.00 / month)", 25_000)  # noqa: RUF001
    assert line["period"] == {"start": MONTH[0], "end": MONTH[1]}
    assert line["parent"]["subscription_item_details"]["subscription_item"] == "si_1"
    assert (trial["description"], trial["amount"]) == ("Free trial for 1 user × Test Subscription", 0)  # noqa: RUF001
    assert trial["pricing"]["unit_amount_decimal"] == "0"


def test_each_tier_has_its_line(api: Any, engine: Engine, payer: Make, product: str) -> None:
    price = api.post(
        "/v1/prices",
        product=product,
        currency="usd",
        billing_scheme="tiered",
        tiers_mode="graduated",
        recurring={"interval": "month"},
        tiers=[{"up_to": 5, "unit_amount": 700, "flat_amount": 100}, {"up_to": "inf", "unit_amount": 650}],
    )["id"]

    found = _drafted(engine, payer()["id"], price, 7)

    assert [(line["description"], line["quantity"], line["amount"]) for line in found] == [
        ("5 × Pro (Tier 1 at $7.00 / month)", 5, 3500),  # noqa: RUF001
        ("Pro (Tier 1 flat fee at $1.00 / month)", 0, 100),
        ("2 × Pro (Tier 2 at $6.50 / month)", 2, 1300),  # noqa: RUF001
    ]


def test_the_tier_of_a_volume_is_named(api: Any, engine: Engine, payer: Make, product: str) -> None:
    price = api.post(
        "/v1/prices",
        product=product,
        currency="usd",
        billing_scheme="tiered",
        tiers_mode="volume",
        recurring={"interval": "month"},
        tiers=[{"up_to": 5, "unit_amount": 700}, {"up_to": "inf", "unit_amount": 650}],
    )["id"]

    [line] = _drafted(engine, payer()["id"], price, 7)

    assert (line["description"], line["amount"]) == ("7 × Pro (Tier 2 at $6.50 / month)", 4550)  # noqa: RUF001


def test_prorations_wait_for_their_subscriptions_invoice(api: Any, engine: Engine, payer: Make, product: str) -> None:
    price = api.post("/v1/prices", product=product, currency="usd", unit_amount=1000, recurring={"interval": "month"})[
        "id"
    ]
    customer = payer()["id"]
    with engine.change() as world:
        for amount in (-500, 1000):
            items.create(
                world,
                customer=world.get("customer", customer),
                currency="usd",
                amount=amount,
                price=world.get("price", price),
                period=MONTH,
                proration=True,
                subscription="sub_1",
                subscription_item="si_1",
                description=f"Proration of {amount}",
            )

    other = api.post("/v1/invoices", customer=customer, pending_invoice_items_behavior="include")
    assert other["lines"]["data"] == []
    credit, debit, regular = _drafted(engine, customer, price, 1)

    assert [line["amount"] for line in (credit, debit, regular)] == [-500, 1000, 1000]
    details = credit["parent"]["subscription_item_details"]
    assert (details["proration"], details["subscription"], credit["discountable"]) == (True, "sub_1", False)
    assert credit["pricing"]["unit_amount_decimal"] is None


def test_a_prorations_price_is_frozen(api: Any, engine: Engine, payer: Make, product: str) -> None:
    customer = payer()["id"]
    price = api.post("/v1/prices", product=product, currency="usd", unit_amount=100)["id"]
    with engine.change() as world:
        item = items.create(
            world,
            customer=world.get("customer", customer),
            currency="usd",
            amount=-500,
            price=world.get("price", price),
            period=MONTH,
            proration=True,
            subscription="sub_1",
            subscription_item="si_1",
        )["id"]

    assert api.post(f"/v1/invoiceitems/{item}", quantity=2, error=True)["param"] == "quantity"
    assert api.post(f"/v1/invoiceitems/{item}", description="Sorry")["description"] == "Sorry"
    assert api.get(f"/v1/invoiceitems/{item}")["frozen_fields"] == ["pricing", "quantity", "discounts"]


def test_a_preview_leaves_nothing(api: Any, payer: Make) -> None:
    customer = payer()["id"]
    api.post("/v1/invoiceitems", customer=customer, amount=300, currency="usd")
    api.events()

    shown = api.post(
        "/v1/invoices/create_preview",
        customer=customer,
        invoice_items=[{"amount": 200, "currency": "usd", "description": "More"}],
    )

    assert shown["id"].startswith("upcoming_in_")
    assert (shown["billing_reason"], shown["status"], shown["total"]) == ("upcoming", "draft", 500)
    assert api.types() == []
    assert len(api.get("/v1/invoiceitems", pending=True)["data"]) == 1
    assert api.get("/v1/invoices")["data"] == []


def test_nothing_pending_is_no_preview(api: Any, payer: Make) -> None:
    refused = api.post("/v1/invoices/create_preview", customer=payer()["id"], error=True)

    assert (refused["status"], refused["code"]) == (404, "invoice_upcoming_none")
