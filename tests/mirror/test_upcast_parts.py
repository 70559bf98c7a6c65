"""Items, lines and discounts inside their objects, in the newest shape."""

from __future__ import annotations

from typing import Any

from trueup.mirror.upcast import upcast

PLAN = {"id": "plan_1", "object": "plan", "amount": 2900, "currency": "usd", "interval": "month", "interval_count": 1}


def test_the_period_of_an_old_subscription_moves_to_its_items_and_their_price_is_made_from_the_plan() -> None:
    old = {
        "id": "sub_1",
        "current_period_start": 100,
        "current_period_end": 200,
        "items": {"object": "list", "has_more": False, "data": [{"id": "si_1", "plan": PLAN, "quantity": 3}]},
    }

    newest = upcast("subscription", old)

    item = newest["items"]["data"][0]
    assert (item["current_period_start"], item["current_period_end"], item["quantity"]) == (100, 200, 3)
    assert item["price"] == {
        "id": "plan_1",
        "object": "price",
        "billing_scheme": "per_unit",
        "currency": "usd",
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
        "type": "recurring",
        "unit_amount": 2900,
        "unit_amount_decimal": "2900",
    }
    assert newest["items"]["has_more"] is False
    assert newest["currency"] == "usd"


def test_a_period_told_by_an_item_is_kept_over_that_of_the_subscription() -> None:
    old = {
        "current_period_end": 200,
        "items": {"data": [{"current_period_end": 150, "price": {"id": "price_1"}}, {"price": {"id": "price_2"}}]},
    }

    newest = upcast("subscription", old)

    assert [item["current_period_end"] for item in newest["items"]["data"]] == [150, 200]


def test_a_subscription_from_before_items_gets_its_one_item_without_an_id() -> None:
    newest = upcast("subscription", {"id": "sub_1", "plan": PLAN, "quantity": 2, "current_period_end": 200})

    (item,) = newest["items"]["data"]
    assert (item["subscription"], item["quantity"], item["current_period_end"]) == ("sub_1", 2, 200)
    assert item["price"]["id"] == "plan_1"
    assert "id" not in item
    assert "subscription" not in upcast("subscription", {"plan": PLAN})["items"]["data"][0]


def test_plan_and_quantity_of_a_subscription_belong_to_no_item_when_there_are_several() -> None:
    old = {"plan": PLAN, "quantity": 2, "items": {"data": [{"id": "si_1"}, {"id": "si_2"}]}}

    assert upcast("subscription", old)["items"]["data"] == [{"id": "si_1"}, {"id": "si_2"}]


def test_plan_and_quantity_of_a_subscription_are_those_of_its_only_item() -> None:
    (item,) = upcast("subscription", {"plan": PLAN, "quantity": 2, "items": {"data": [{"id": "si_1"}]}})["items"][
        "data"
    ]

    assert (item["quantity"], item["plan"]["id"], item["price"]["unit_amount"]) == (2, "plan_1", 2900)


def test_an_item_keeps_its_price_and_odd_items_pass_through() -> None:
    price = {"id": "price_1", "currency": "eur"}
    items = {"data": [{"price": price, "plan": PLAN, "quantity": 1}, "odd", {"plan": "odd"}]}

    newest = upcast("subscription", {"items": items, "currency": "eur"})

    assert newest["items"] is items


def test_a_plan_is_brought_along_and_left_alone_when_it_is_newest_or_stands_beside_a_price() -> None:
    newest_plan = PLAN | {"nickname": None, "usage_type": "licensed", "billing_scheme": "tiered", "amount_decimal": "1"}
    price = {"id": "price_1", "currency": "usd"}
    items = [{"plan": PLAN}, {"price": price, "plan": PLAN}, {"plan": newest_plan}]

    first, second, third = upcast("subscription", {"items": {"data": items}})["items"]["data"]

    assert first["plan"]["usage_type"] == "licensed"
    assert second is items[1]
    assert third["plan"] is newest_plan
    assert third["price"]["billing_scheme"] == "tiered"


def test_a_discount_of_an_item_gets_its_source() -> None:
    whole_item = {"price": {"id": "p"}, "quantity": 1, "current_period_end": 5, "discounts": [{"coupon": "c_1"}]}
    bare_item = {"discounts": [{"coupon": "c_1"}, "di_2"]}

    newest = upcast("subscription", {"items": {"data": [whole_item, bare_item]}})

    source = {"type": "coupon", "coupon": "c_1"}
    assert newest["items"]["data"][0]["discounts"] == [{"coupon": "c_1", "source": source}]
    assert newest["items"]["data"][1]["discounts"] == [{"coupon": "c_1", "source": source}, "di_2"]


def test_an_item_that_stands_alone_gets_its_price() -> None:
    newest = upcast("subscription_item", {"id": "si_1", "plan": PLAN})

    assert newest["price"]["unit_amount"] == 2900


def test_everything_that_a_plan_tells_is_told_by_its_price() -> None:
    told = {
        "active": True,
        "billing_scheme": "tiered",
        "created": 5,
        "currency": "eur",
        "id": "plan_1",
        "livemode": True,
        "metadata": {"a": "b"},
        "nickname": "Gold",
        "product": "prod_1",
        "tiers": [{"up_to": None, "unit_amount": 5}],
        "tiers_mode": "volume",
    }
    recurring = {
        "aggregate_usage": "sum",
        "interval": "year",
        "interval_count": 2,
        "meter": "mtr_1",
        "trial_period_days": 14,
        "usage_type": "metered",
    }
    renamed = {"amount": None, "amount_decimal": "0.5", "transform_usage": {"divide_by": 10, "round": "up"}}

    newest = upcast("subscription_item", {"id": "si_1", "plan": {"object": "plan", **told, **recurring, **renamed}})

    assert newest["price"] == told | {
        "object": "price",
        "type": "recurring",
        "recurring": recurring,
        "unit_amount": None,
        "unit_amount_decimal": "0.5",
        "transform_quantity": {"divide_by": 10, "round": "up"},
    }


def test_one_discount_becomes_a_list_whatever_it_holds() -> None:
    assert upcast("subscription", {"discount": "di_1"})["discounts"] == ["di_1"]
    assert upcast("subscription", {"discount": {"coupon": "c_1"}})["discounts"] == [
        {"coupon": "c_1", "source": {"type": "coupon", "coupon": "c_1"}}
    ]


def test_lines_of_an_invoice_are_brought_along() -> None:
    old = {"lines": {"object": "list", "data": [{"id": "il_1", "price": None}, "odd"]}}

    assert upcast("invoice", old)["lines"] == {
        "object": "list",
        "data": [{"id": "il_1", "price": None, "pricing": None}, "odd"],
    }


def test_newest_lines_are_not_copied() -> None:
    line: dict[str, Any] = {"id": "il_1", "pricing": None, "parent": None, "taxes": []}
    invoice = {"parent": None, "payments": None, "lines": {"data": [line]}}

    assert upcast("invoice", invoice) is invoice


def test_the_newest_shape_is_returned_as_it_is() -> None:
    newest = {
        "id": "sub_1",
        "billing_mode": {"type": "flexible"},
        "collection_method": "charge_automatically",
        "currency": "usd",
        "discounts": [],
        "start_date": 1,
        "items": {"data": [{"price": {"id": "price_1"}, "plan": PLAN, "quantity": 1, "subscription": "sub_1"}]},
        "plan": PLAN,
        "quantity": 1,
    }

    assert upcast("subscription", newest) is newest
