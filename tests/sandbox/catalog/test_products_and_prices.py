"""Products and prices as the API makes, changes and shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import stripe


@pytest.fixture
def product(api: Any) -> str:
    made: str = api.post("/v1/products", name="Pro")["id"]
    api.types()
    return made


def test_a_product_comes_with_its_default_price(api: Any) -> None:
    made = api.post(
        "/v1/products",
        name="Pro",
        default_price_data={"currency": "usd", "unit_amount": 7900, "recurring": {"interval": "month"}},
        expand=["default_price"],
    )

    assert made["default_price"]["product"] == made["id"]
    assert made["default_price"]["recurring"]["interval"] == "month"
    assert api.types() == ["product.created", "price.created", "plan.created", "product.updated"]


def test_a_product_tells_when_it_changed(api: Any, product: str) -> None:
    api.advance(60)
    api.post(f"/v1/products/{product}", description="All of it", metadata={"tier": "2"})

    (event,) = api.events()
    assert event["type"] == "product.updated"
    assert event["data"]["previous_attributes"] == {
        "description": None,
        "metadata": {"tier": None},
        "updated": event["created"] - 60,
    }


def test_a_product_with_prices_stays(api: Any, product: str) -> None:
    api.post("/v1/prices", product=product, currency="usd", unit_amount=100)

    error = api.delete(f"/v1/products/{product}", error=True)
    assert error["message"] == "This product cannot be deleted because it has one or more user-created prices."


def test_a_product_without_prices_goes_and_is_remembered_as_gone(api: Any, product: str) -> None:
    api.delete(f"/v1/products/{product}")

    assert api.get(f"/v1/products/{product}") == {"id": product, "object": "product", "deleted": True}
    assert api.types() == ["product.deleted"]
    assert api.get("/v1/products")["data"] == []


def test_a_chosen_product_id_is_given_once(api: Any) -> None:
    api.post("/v1/products", id="gold", name="Gold")

    assert api.post("/v1/products", id="gold", name="Gold", error=True)["code"] == "resource_already_exists"


def test_products_are_listed_by_what_they_are(api: Any, product: str) -> None:
    other = api.post("/v1/products", name="Old", active=False, url="https://example.com/old")["id"]

    def ids(**asked: Any) -> list[str]:
        return [one["id"] for one in api.get("/v1/products", **asked)["data"]]

    assert ids() == [other, product]
    assert ids(active=True) == [product]
    assert ids(active=False) == [other]
    assert ids(url="https://example.com/old") == [other]
    assert ids(ids=[product]) == [product]
    assert ids(limit=1, starting_after=other) == [product]


def test_a_fresh_price_has_every_field_that_recorded_ones_have(api: Any, product: str, shared: Path) -> None:
    folder = shared / "stripe" / "corpus" / "pay-rails__pay" / "test" / "vcr_cassettes"
    told = json.loads((folder / "test_connect_direct_subscription" / "006.subscription.json").read_text())
    item = told["items"]["data"][0]

    price = api.post("/v1/prices", product=product, currency="usd", unit_amount=1000, recurring={"interval": "month"})
    plan = api.events()[-1]["data"]["object"]

    changing = {"id": None, "created": None, "product": None}
    assert {**price, **changing} == {**item["price"], **changing}
    assert {**plan, **changing} == {**item["plan"], **changing}


@pytest.mark.parametrize(
    ("_case", "params", "param", "message"),
    [
        ("no amount", {}, "unit_amount", "Missing required param: unit_amount."),
        ("two amounts", {"unit_amount": 1, "unit_amount_decimal": "1.5"}, "unit_amount", "You may only specify one"),
        ("debt", {"unit_amount": -1}, "unit_amount", "Invalid non-negative integer"),
        ("13 decimals", {"unit_amount_decimal": "0.0000000000001"}, "unit_amount_decimal", "at maximum 12 decimal"),
        (
            "tiers of a flat price",
            {"unit_amount": 1, "tiers": [{"up_to": "inf", "unit_amount": 1}]},
            "tiers",
            "only specify",
        ),
        ("no tiers", {"billing_scheme": "tiered", "tiers_mode": "volume"}, "tiers", "Missing required param"),
        (
            "tiers without end",
            {"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": [{"up_to": 5, "unit_amount": 1}]},
            "tiers[0][up_to]",
            "must have `up_to` set to `inf`",
        ),
        (
            "tiers that fall",
            {
                "billing_scheme": "tiered",
                "tiers_mode": "volume",
                "tiers": [
                    {"up_to": 5, "unit_amount": 1},
                    {"up_to": 5, "unit_amount": 1},
                    {"up_to": "inf", "unit_amount": 1},
                ],
            },
            "tiers[1][up_to]",
            "ascending",
        ),
        (
            "an empty tier",
            {"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": [{"up_to": "inf"}]},
            "tiers[0]",
            "at least one of",
        ),
        (
            "no interval",
            {"unit_amount": 1, "recurring": {"interval": "month", "interval_count": 0}},
            "recurring[interval_count]",
            "positive",
        ),
        (
            "four years",
            {"unit_amount": 1, "recurring": {"interval": "year", "interval_count": 4}},
            "recurring[interval_count]",
            "at most 3",
        ),
        (
            "usage without a meter",
            {"unit_amount": 1, "recurring": {"interval": "month", "usage_type": "metered"}},
            "recurring[meter]",
            "`meter`",
        ),
        ("a currency that is none", {"unit_amount": 1, "currency": "xyz"}, "currency", "Invalid currency: xyz"),
        (
            "a product that is none",
            {"unit_amount": 1, "product": "prod_none"},
            "product",
            "No such product: 'prod_none'",
        ),
        ("two products", {"unit_amount": 1, "product_data": {"name": "x"}}, "product", "You may only specify one"),
        (
            "nothing in a package",
            {"unit_amount": 1, "transform_quantity": {"divide_by": 0, "round": "up"}},
            "transform_quantity[divide_by]",
            "positive",
        ),
    ],
)
def test_a_price_is_refused(
    api: Any, product: str, _case: str, params: dict[str, Any], param: str, message: str
) -> None:
    error = api.post("/v1/prices", error=True, **{"product": product, "currency": "usd", **params})

    assert error["status"] == 400
    assert error["param"] == param
    assert message in error["message"]
    assert api.types() == []


def test_tiers_and_currencies_are_shown_when_asked_for(api: Any, product: str) -> None:
    params = {
        "product": product,
        "currency": "USD",
        "billing_scheme": "tiered",
        "tiers_mode": "graduated",
        "recurring": {"interval": "week", "interval_count": 2},
        "tiers": [{"up_to": 5, "unit_amount_decimal": "10.50"}, {"up_to": "inf", "unit_amount": 3, "flat_amount": 9}],
        "currency_options": {"eur": {"tiers": [{"up_to": "inf", "unit_amount": 4}]}},
    }

    plain = api.post("/v1/prices", **params)
    shown = api.get(f"/v1/prices/{plain['id']}", expand=["tiers", "currency_options.eur.tiers"])

    assert "tiers" not in plain
    assert "currency_options" not in plain
    assert plain["unit_amount"] is None
    assert shown["tiers"] == [
        {
            "flat_amount": None,
            "flat_amount_decimal": None,
            "unit_amount": None,
            "unit_amount_decimal": "10.5",
            "up_to": 5,
        },
        {"flat_amount": 9, "flat_amount_decimal": "9", "unit_amount": 3, "unit_amount_decimal": "3", "up_to": None},
    ]
    assert list(shown["currency_options"]) == ["usd", "eur"]
    assert shown["currency_options"]["eur"]["tiers"][0]["unit_amount"] == 4


def test_a_lookup_key_is_of_one_price_and_moves_when_told_to(api: Any, product: str) -> None:
    base = {"product": product, "currency": "usd", "unit_amount": 1}
    old = api.post("/v1/prices", **base, lookup_key="pro")["id"]

    refused = api.post("/v1/prices", **base, lookup_key="pro", error=True)
    assert refused["message"] == f"A price (`{old}`) already uses that lookup key."
    api.types()
    new = api.post("/v1/prices", **base, lookup_key="pro", transfer_lookup_key=True)["id"]

    assert api.types() == ["price.updated", "price.created"]
    assert api.get(f"/v1/prices/{old}")["lookup_key"] is None
    assert [one["id"] for one in api.get("/v1/prices", lookup_keys=["pro"])["data"]] == [new]
    assert api.post(f"/v1/prices/{new}", lookup_key="pro")["lookup_key"] == "pro"


def test_a_changed_price_tells_its_plan_too(api: Any, product: str) -> None:
    price = api.post("/v1/prices", product=product, currency="usd", unit_amount=1, recurring={"interval": "day"})
    api.types()

    api.post(f"/v1/prices/{price['id']}", active=False, nickname="Old", tax_behavior="inclusive")

    changed, plan = api.events()
    assert changed["data"]["previous_attributes"] == {"active": True, "nickname": None, "tax_behavior": "unspecified"}
    assert plan["type"] == "plan.updated"
    assert plan["data"]["previous_attributes"] == {"active": True, "nickname": None}
    assert api.post(f"/v1/prices/{price['id']}", tax_behavior="exclusive", error=True)["param"] == "tax_behavior"


def test_a_default_price_cannot_be_archived(api: Any) -> None:
    made = api.post("/v1/products", name="Pro", default_price_data={"currency": "usd", "unit_amount": 7900})

    error = api.post(f"/v1/prices/{made['default_price']}", active=False, error=True)
    assert error["message"] == "This price cannot be archived because it is the default price of its product."


def test_the_default_price_is_one_of_the_product(api: Any, product: str) -> None:
    other = api.post("/v1/products", name="Other", default_price_data={"currency": "usd", "unit_amount": 1})
    own = api.post("/v1/prices", product=product, currency="usd", unit_amount=1)["id"]

    assert (
        api.post(f"/v1/products/{product}", default_price=other["default_price"], error=True)["param"]
        == "default_price"
    )
    assert api.post(f"/v1/products/{product}", default_price=own)["default_price"] == own


def test_prices_are_listed_by_what_they_are(api: Any, product: str) -> None:
    once = api.post("/v1/prices", product=product, currency="eur", unit_amount=1)["id"]
    monthly = api.post(
        "/v1/prices", product_data={"name": "New"}, currency="usd", unit_amount=1, recurring={"interval": "month"}
    )["id"]

    def ids(**asked: Any) -> list[str]:
        return [one["id"] for one in api.get("/v1/prices", **asked)["data"]]

    assert ids() == [monthly, once]
    assert ids(type="one_time") == [once]
    assert ids(recurring={"interval": "month"}) == [monthly]
    assert ids(recurring={"interval": "year"}) == []
    assert ids(product=product) == [once]
    assert ids(currency="usd") == [monthly]


def test_the_payer_names_the_amount(api: Any, product: str) -> None:
    made = api.post("/v1/prices", product=product, currency="usd", custom_unit_amount={"enabled": True, "preset": 500})

    assert made["custom_unit_amount"] == {"maximum": None, "minimum": None, "preset": 500}
    assert made["unit_amount"] is None


def test_the_sdk_makes_products_and_prices(sdk: stripe.StripeClient) -> None:
    product = sdk.v1.products.create({"name": "Pro", "marketing_features": [{"name": "All"}], "metadata": {"a": "b"}})
    price = sdk.v1.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "billing_scheme": "tiered",
            "tiers_mode": "volume",
            "tiers": [{"up_to": 10, "unit_amount": 500}, {"up_to": "inf", "unit_amount": 400}],
            "recurring": {"interval": "month"},
            "expand": ["tiers", "product"],
        }
    )

    assert isinstance(price.product, stripe.Product)
    assert price.product.name == "Pro"
    assert price.tiers is not None
    assert [tier.up_to for tier in price.tiers] == [10, None]
    assert [one.id for one in sdk.v1.prices.list({"product": product.id}).auto_paging_iter()] == [price.id]


def test_a_plan_is_a_price_under_a_chosen_id(api: Any, product: str) -> None:
    plan = api.post(
        "/v1/plans",
        id="small-monthly",
        product=product,
        currency="usd",
        amount=2500,
        interval="month",
        nickname="Small",
    )
    price = api.get("/v1/prices/small-monthly")

    assert plan["object"] == "plan"
    assert (price["unit_amount"], price["nickname"], price["recurring"]["interval"]) == (2500, "Small", "month")
    assert api.types() == ["price.created", "plan.created"]
    again = {"id": "small-monthly", "product": product, "currency": "usd", "amount": 1, "interval": "day"}
    assert api.post("/v1/plans", error=True, **again)["code"] == "resource_already_exists"

    changed = api.post("/v1/plans/small-monthly", trial_period_days=7, active=False)
    assert (changed["trial_period_days"], changed["active"]) == (7, False)
    told = {event["type"]: event["data"]["previous_attributes"] for event in api.events()}
    assert told == {
        "price.updated": {"active": True, "recurring": {"trial_period_days": None}},
        "plan.updated": {"active": True, "trial_period_days": None},
    }
    assert [one["id"] for one in api.get("/v1/plans", product=product)["data"]] == ["small-monthly"]

    assert api.delete("/v1/plans/small-monthly") == {"id": "small-monthly", "object": "plan", "deleted": True}
    assert api.types() == ["price.deleted", "plan.deleted"]
    assert api.get("/v1/plans/small-monthly", error=True)["message"] == "No such plan: 'small-monthly'"


def test_a_plan_may_bring_its_product_and_tiers(api: Any) -> None:
    tiers = [{"up_to": 5, "unit_amount": 700}, {"up_to": "inf", "unit_amount": 600}]
    base = {
        "currency": "usd",
        "interval": "year",
        "billing_scheme": "tiered",
        "tiers_mode": "graduated",
        "tiers": tiers,
    }

    made = api.post("/v1/plans", product={"name": "Pro"}, expand=["tiers", "product"], **base)

    assert made["product"]["name"] == "Pro"
    assert [tier["up_to"] for tier in made["tiers"]] == [5, None]
    once = api.post("/v1/prices", product=made["product"]["id"], currency="usd", unit_amount=1)["id"]
    assert api.get(f"/v1/plans/{once}", error=True)["status"] == 404
    assert api.post("/v1/plans", error=True, **base)["param"] == "product"


def test_a_deleted_plan_is_no_default_price(api: Any) -> None:
    made = api.post(
        "/v1/products",
        name="Pro",
        default_price_data={"currency": "usd", "unit_amount": 1, "recurring": {"interval": "month"}},
    )
    price = made["default_price"]

    api.delete(f"/v1/plans/{price}")

    assert api.get(f"/v1/products/{made['id']}")["default_price"] is None
    assert api.post(f"/v1/products/{made['id']}", default_price=price, error=True)["code"] == "resource_missing"


@pytest.mark.parametrize("amount", [10**12, 2**63 - 1])
def test_amounts_have_at_most_twelve_digits(api: Any, product: str, amount: int) -> None:
    customer = api.post("/v1/customers", balance=999_999_999_999)["id"]

    error = api.post("/v1/prices", product=product, currency="usd", unit_amount=amount, error=True)
    assert error["code"] == "amount_too_large"
    assert api.post("/v1/coupons", amount_off=amount, currency="usd", error=True)["param"] == "amount_off"
    path = f"/v1/customers/{customer}/balance_transactions"
    assert api.post(path, amount=-amount, currency="usd", error=True)["code"] == "amount_too_large"
    assert api.post(path, amount=1, currency="usd", error=True)["code"] == "amount_too_large"


@pytest.mark.parametrize("kind", ["products", "coupons", "plans"])
def test_a_chosen_id_can_stand_in_a_path(api: Any, product: str, kind: str) -> None:
    params = {"name": "x", "percent_off": 5, "product": product, "currency": "usd", "amount": 1, "interval": "day"}
    wanted = {"products": ["name"], "coupons": ["percent_off"], "plans": ["product", "currency", "amount", "interval"]}

    error = api.post(f"/v1/{kind}", error=True, id="a/b", **{name: params[name] for name in wanted[kind]})
    assert error["param"] == "id"
