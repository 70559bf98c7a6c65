"""Coupons, promotion codes, and the discounts that they give."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from trueup.sandbox.catalog import discounts
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.wire.errors import StripeError

DAY = 86_400


@pytest.fixture
def customer(api: Any) -> str:
    made: str = api.post("/v1/customers", email="a@example.com")["id"]
    api.types()
    return made


def give(engine: Engine, customer: str, **asked: Any) -> dict[str, Any]:
    """Give a customer a discount, as a subscription would."""
    with engine.change() as world:
        owner = world.get("customer", customer)
        world.follow(owner)
        return discounts.start(world, customer=owner, param="discounts[0][coupon]", **asked)


@pytest.mark.parametrize(
    ("_case", "params", "param"),
    [
        ("nothing off", {"duration": "once"}, "percent_off"),
        ("two things off", {"percent_off": 5, "amount_off": 5, "currency": "usd"}, "percent_off"),
        ("more than all", {"percent_off": 101}, "percent_off"),
        ("no percent", {"percent_off": 0}, "percent_off"),
        ("an amount of nothing", {"amount_off": 500}, "currency"),
        ("months without repeating", {"percent_off": 5, "duration_in_months": 3}, "duration_in_months"),
        ("repeating without months", {"percent_off": 5, "duration": "repeating"}, "duration_in_months"),
        ("never redeemed", {"percent_off": 5, "max_redemptions": 0}, "max_redemptions"),
        ("ended before it began", {"percent_off": 5, "redeem_by": 1_000}, "redeem_by"),
        ("a long name", {"percent_off": 5, "name": "x" * 41}, "name"),
        (
            "for a product that is none",
            {"percent_off": 5, "applies_to": {"products": ["none"]}},
            "applies_to[products][0]",
        ),
    ],
)
def test_a_coupon_is_refused(api: Any, _case: str, params: dict[str, Any], param: str) -> None:
    assert api.post("/v1/coupons", error=True, **params)["param"] == param


def test_a_coupon_shows_what_it_applies_to_when_asked(api: Any) -> None:
    product = api.post("/v1/products", name="Pro")["id"]
    params = {"amount_off": 500, "currency": "usd", "currency_options": {"eur": {"amount_off": 400}}}

    made = api.post("/v1/coupons", id="FIVE", **params, applies_to={"products": [product]})
    shown = api.get("/v1/coupons/FIVE", expand=["applies_to", "currency_options"])

    assert "applies_to" not in made
    assert shown["applies_to"] == {"products": [product]}
    assert shown["currency_options"] == {"usd": {"amount_off": 500}, "eur": {"amount_off": 400}}
    assert made["duration"] == "once"
    assert api.post("/v1/coupons", id="FIVE", percent_off=1, error=True)["code"] == "resource_already_exists"


def test_a_percentage_is_a_number_with_a_point(api: Any) -> None:
    """Recorded: ``"percent_off": 10.0``."""
    answer = api.answer("POST", "/v1/coupons", {"percent_off": 10})

    assert b'"percent_off": 10.0,' in answer.body


def test_a_coupon_is_named_anew_and_deleted(api: Any) -> None:
    coupon = api.post("/v1/coupons", percent_off=25.5)["id"]
    code = api.post("/v1/promotion_codes", promotion={"type": "coupon", "coupon": coupon})["id"]
    api.types()

    api.post(f"/v1/coupons/{coupon}", name="New", metadata={"a": "b"})
    assert api.events()[0]["data"]["previous_attributes"] == {"metadata": {"a": None}, "name": None}
    assert api.delete(f"/v1/coupons/{coupon}") == {"id": coupon, "object": "coupon", "deleted": True}

    assert api.types() == ["promotion_code.updated", "coupon.deleted"]
    assert api.get(f"/v1/coupons/{coupon}", error=True)["status"] == 404
    assert api.get(f"/v1/promotion_codes/{code}")["active"] is False


def test_a_coupon_ends_with_its_time_and_takes_its_codes_along(api: Any, engine: Engine, customer: str) -> None:
    coupon = api.post("/v1/coupons", percent_off=20, redeem_by=engine.now() + DAY)["id"]
    code = api.post("/v1/promotion_codes", promotion={"type": "coupon", "coupon": coupon}, code="LAUNCH20")["id"]
    api.types()

    api.advance(DAY)

    assert api.types() == ["promotion_code.updated", "coupon.updated"]
    assert api.get(f"/v1/coupons/{coupon}")["valid"] is False
    assert api.get(f"/v1/promotion_codes/{code}")["active"] is False
    with pytest.raises(StripeError) as refused:
        give(engine, customer, coupon=coupon)
    assert refused.value.code == "coupon_expired"
    assert refused.value.param == "discounts[0][coupon]"


def test_the_last_redemption_ends_a_coupon(api: Any, engine: Engine, customer: str) -> None:
    coupon = api.post("/v1/coupons", percent_off=20, duration="repeating", duration_in_months=3, max_redemptions=2)[
        "id"
    ]

    give(engine, customer, coupon=coupon, subscription="sub_1")
    assert api.get(f"/v1/coupons/{coupon}")["valid"] is True
    give(engine, customer, coupon=coupon, subscription="sub_2")

    found = api.get(f"/v1/coupons/{coupon}")
    assert (found["times_redeemed"], found["valid"]) == (2, False)
    with pytest.raises(StripeError, match="Coupon expired"):
        give(engine, customer, coupon=coupon, subscription="sub_3")
    assert api.get(f"/v1/coupons/{coupon}")["times_redeemed"] == 2


def test_a_promotion_code_has_the_shape_of_the_newest_version(api: Any) -> None:
    coupon = api.post("/v1/coupons", percent_off=20)["id"]
    made = api.post(
        "/v1/promotion_codes",
        promotion={"type": "coupon", "coupon": coupon},
        code="Launch20",
        max_redemptions=50,
        restrictions={"first_time_transaction": True, "minimum_amount": 500, "minimum_amount_currency": "usd"},
    )

    assert made["promotion"] == {"coupon": coupon, "type": "coupon"}
    assert made["restrictions"] == {
        "first_time_transaction": True,
        "minimum_amount": 500,
        "minimum_amount_currency": "usd",
    }
    assert [one["id"] for one in api.get("/v1/promotion_codes", code="LAUNCH20")["data"]] == [made["id"]]
    shown = api.get("/v1/promotion_codes", expand=["data.promotion.coupon"])["data"][0]
    assert shown["promotion"]["coupon"]["percent_off"] == 20
    assert api.get("/v1/promotion_codes", coupon=coupon, active=True)["data"][0]["id"] == made["id"]


def test_a_codes_minimum_may_be_in_several_currencies(api: Any, engine: Engine, customer: str) -> None:
    restrictions = {
        "minimum_amount": 500,
        "minimum_amount_currency": "usd",
        "currency_options": {"eur": {"minimum_amount": 400}},
    }
    promotion = {"type": "coupon", "coupon": api.post("/v1/coupons", percent_off=20)["id"]}
    made = api.post("/v1/promotion_codes", promotion=promotion, restrictions=restrictions)["id"]

    api.post(f"/v1/promotion_codes/{made}", restrictions={"currency_options": {"gbp": {"minimum_amount": 300}}})

    shown = api.get("/v1/promotion_codes", expand=["data.restrictions.currency_options"])["data"][0]
    assert shown["restrictions"]["currency_options"] == {
        "usd": {"minimum_amount": 500},
        "eur": {"minimum_amount": 400},
        "gbp": {"minimum_amount": 300},
    }
    give(engine, customer, promotion_code=made, subscription="sub_1", amount=400, currency="eur")
    with pytest.raises(StripeError, match="minimum amount"):
        give(engine, customer, promotion_code=made, subscription="sub_2", amount=299, currency="gbp")


def test_an_active_code_is_one_word_for_everyone(api: Any, customer: str) -> None:
    promotion = {"type": "coupon", "coupon": api.post("/v1/coupons", percent_off=20)["id"]}
    other = api.post("/v1/customers")["id"]
    first = api.post("/v1/promotion_codes", promotion=promotion, code="SAVE", customer=customer)["id"]

    assert "already exists" in api.post("/v1/promotion_codes", promotion=promotion, code="save", error=True)["message"]
    api.post("/v1/promotion_codes", promotion=promotion, code="SAVE", customer=other)
    api.post(f"/v1/promotion_codes/{first}", active=False)
    again = api.post("/v1/promotion_codes", promotion=promotion, code="SAVE", customer=customer)["id"]
    assert api.post(f"/v1/promotion_codes/{first}", active=True, error=True)["param"] == "code"
    api.post(f"/v1/promotion_codes/{again}", active=False)
    assert api.post(f"/v1/promotion_codes/{first}", active=True)["active"] is True


def test_a_code_ends_with_its_time(api: Any, engine: Engine) -> None:
    promotion = {"type": "coupon", "coupon": api.post("/v1/coupons", percent_off=20)["id"]}
    code = api.post("/v1/promotion_codes", promotion=promotion, expires_at=engine.now() + DAY)["id"]
    api.types()

    api.advance(DAY - 1)
    assert api.types() == []
    api.advance(1)

    assert api.types() == ["promotion_code.updated"]
    assert api.post(f"/v1/promotion_codes/{code}", active=True, error=True)["param"] == "active"


@pytest.mark.parametrize(
    ("code", "asked", "message"),
    [
        ({"customer": "other"}, {}, "restricted to another customer"),
        ({"active": False}, {}, "expired or inactive"),
        (
            {"restrictions": {"minimum_amount": 500, "minimum_amount_currency": "usd"}},
            {"amount": 499, "currency": "usd"},
            "minimum amount",
        ),
    ],
)
def test_a_code_is_not_redeemed(
    api: Any, customer: str, code: dict[str, Any], asked: dict[str, Any], message: str
) -> None:
    promotion = {"type": "coupon", "coupon": api.post("/v1/coupons", percent_off=20)["id"]}
    if "customer" in code:
        code = {**code, "customer": api.post("/v1/customers")["id"]}
    made = api.post("/v1/promotion_codes", promotion=promotion, **code)["id"]

    with pytest.raises(StripeError, match=message):
        give(api.engine, customer, promotion_code=made, subscription="sub_1", **asked)
    assert api.get(f"/v1/promotion_codes/{made}")["times_redeemed"] == 0


def test_a_code_for_newcomers_is_not_for_who_has_bought(api: Any, engine: Engine, customer: str) -> None:
    promotion = {"type": "coupon", "coupon": api.post("/v1/coupons", percent_off=20)["id"]}
    made = api.post("/v1/promotion_codes", promotion=promotion, restrictions={"first_time_transaction": True})["id"]

    give(engine, customer, promotion_code=made, subscription="sub_1")
    with engine.change() as world:
        world.new("charge", {"customer": customer, "paid": True})
    with pytest.raises(StripeError, match="prior transactions"):
        give(engine, customer, promotion_code=made, subscription="sub_2")


def test_redeeming_a_code_counts_for_it_and_its_coupon(api: Any, engine: Engine, customer: str) -> None:
    coupon = api.post("/v1/coupons", percent_off=20)["id"]
    code = api.post("/v1/promotion_codes", promotion={"type": "coupon", "coupon": coupon}, max_redemptions=1)["id"]
    api.types()

    given = give(engine, customer, promotion_code=code, subscription="sub_1")

    assert api.types() == ["customer.discount.created", "coupon.updated", "promotion_code.updated"]
    assert given["promotion_code"] == code
    assert given["source"] == {"coupon": coupon, "type": "coupon"}
    found = api.get(f"/v1/promotion_codes/{code}")
    assert (found["times_redeemed"], found["active"]) == (1, False)


def test_a_customer_has_one_discount_for_so_many_months(api: Any, engine: Engine, customer: str) -> None:
    coupon = api.post("/v1/coupons", percent_off=20, duration="repeating", duration_in_months=1)["id"]
    api.advance(30 * DAY)  # To January 31.
    first = give(engine, customer, coupon=coupon)
    api.types()
    second = give(engine, customer, coupon=coupon)

    assert api.types() == [
        "customer.discount.deleted",
        "customer.discount.created",
        "coupon.updated",
        "customer.updated",
    ]
    shown = api.get(f"/v1/customers/{customer}", expand=["discount.source.coupon"])["discount"]
    assert shown["id"] == second["id"] != first["id"]
    assert shown["source"]["coupon"]["id"] == coupon
    assert shown["end"] == shown["start"] + 28 * DAY

    api.advance(28 * DAY - 1)
    assert api.types() == []
    api.advance(1)
    assert api.types() == ["customer.discount.deleted", "customer.updated"]
    assert api.get(f"/v1/customers/{customer}")["discount"] is None


def test_a_discount_leaves_its_subscription_when_it_ends(api: Any, customer: str) -> None:
    method = api.post("/v1/payment_methods/pm_card_visa/attach", customer=customer)["id"]
    price = {"currency": "usd", "unit_amount": 2500, "recurring": {"interval": "month"}}
    product = api.post("/v1/products", name="Pro", default_price_data=price)
    coupon = api.post("/v1/coupons", percent_off=20, duration="repeating", duration_in_months=2)["id"]
    code = api.post("/v1/promotion_codes", promotion={"type": "coupon", "coupon": coupon})["id"]
    subscription = api.post(
        "/v1/subscriptions",
        customer=customer,
        default_payment_method=method,
        items=[{"price": product["default_price"]}],
        discounts=[{"promotion_code": code}],
        expand=["discounts.source.coupon"],
    )
    api.types()

    api.advance(59 * DAY)  # To March 1, when two months have passed and the third begins.

    told = api.types()
    assert subscription["discounts"][0]["source"]["coupon"]["times_redeemed"] == 1
    assert told.count("customer.discount.deleted") == 1
    assert api.get(f"/v1/subscriptions/{subscription['id']}")["discounts"] == []
    api.advance(DAY)
    invoices = api.get("/v1/invoices", customer=customer, expand=["data.total_discount_amounts.discount"])["data"]
    assert [one["total"] for one in invoices] == [2500, 2000, 2000]
    assert [one["discount"]["promotion_code"] for one in invoices[-1]["total_discount_amounts"]] == [code]


def test_a_discount_outlives_its_coupon(api: Any, engine: Engine, customer: str) -> None:
    product = api.post("/v1/products", name="Pro")["id"]
    params = {"amount_off": 500, "currency": "usd", "applies_to": {"products": [product]}, "duration": "forever"}
    api.post("/v1/coupons", id="FIVE", **params)
    given = give(engine, customer, coupon="FIVE")["id"]
    api.delete("/v1/coupons/FIVE")
    api.advance(1)
    api.post("/v1/coupons", id="FIVE", percent_off=1)

    with engine.change() as world:
        coupon = discounts.coupon_of(world, given)

    assert discounts.shares([1000], coupon, "usd") == [500]
    assert discounts.applies_to(coupon, product)
    assert not discounts.applies_to(coupon, "prod_other")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"coupon": "NONE"}, "No such coupon: 'NONE'"),
        ({"promotion_code": "promo_none"}, "No such promotion code: 'promo_none'"),
        ({}, "You must pass"),
        ({"coupon": "FIVE", "currency": "eur"}, "not in `eur`"),
    ],
)
def test_a_discount_is_refused(api: Any, engine: Engine, customer: str, asked: dict[str, Any], message: str) -> None:
    api.post("/v1/coupons", id="FIVE", amount_off=500, currency="usd")

    with pytest.raises(StripeError, match=message) as refused:
        give(engine, customer, subscription="sub_1", **asked)
    assert refused.value.param == "discounts[0][coupon]"


def test_the_sdk_makes_coupons_and_codes(sdk: stripe.StripeClient) -> None:
    coupon = sdk.v1.coupons.create(
        {"percent_off": 20, "duration": "repeating", "duration_in_months": 3, "max_redemptions": 100}
    )
    code = sdk.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "LAUNCH20", "max_redemptions": 50}
    )

    assert code.active
    assert [one.id for one in sdk.v1.promotion_codes.list({"code": "LAUNCH20"}).data] == [code.id]
    assert sdk.v1.coupons.delete(coupon.id).deleted
