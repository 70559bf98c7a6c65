"""Customers: what they say of themselves, what they owe or have left, their tax ids and their end."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import stripe

from trueup.sandbox.catalog import discounts
from trueup.sandbox.customers import balance
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.wire.errors import StripeError

OWN = {"id", "created", "invoice_prefix"}
"""What differs from one customer to the next."""


def test_a_fresh_customer_is_as_recorded(api: Any, shared: Path) -> None:
    folder, seen = shared / "stripe" / "corpus", 0

    with (folder / "INDEX.csv").open() as index:
        for row in csv.DictReader(index):
            if row["request"].startswith("POST /v1/customers ") and row["api_version"] >= "2025-10-29":
                asked = dict(parse_qsl(row["request"].split(" ")[2], keep_blank_values=True))
                told = json.loads((folder / row["file"]).read_text())
                made = api.post("/v1/customers", **asked)
                # The oldest of these do not show the field of the newest version yet.
                assert {**made, **dict.fromkeys(OWN)} == {"customer_account": None, **told, **dict.fromkeys(OWN)}
                seen += 1
    assert seen > 30


def test_a_change_is_told_with_what_was_before(api: Any) -> None:
    customer = api.post("/v1/customers", email="before@example.com", name="Before", metadata={"a": "1", "b": "2"})["id"]
    api.types()

    changed = api.post(
        f"/v1/customers/{customer}",
        name="After",
        email="",
        metadata={"a": "", "c": "3"},
        address={"country": "DE", "line1": "Hof 1"},
        shipping={"name": "Hof", "address": {"country": "DE"}},
        preferred_locales=["de"],
        tax_exempt="reverse",
        invoice_settings={"footer": "Danke", "custom_fields": [{"name": "PO", "value": "7"}]},
        expand=["tax"],
    )

    (event,) = api.events()
    assert event["type"] == "customer.updated"
    assert event["data"]["previous_attributes"] == {
        "address": None,
        "email": "before@example.com",
        "invoice_settings": {"custom_fields": None, "footer": None},
        "metadata": {"a": "1", "c": None},
        "name": "Before",
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
    }
    assert changed["metadata"] == {"b": "2", "c": "3"}
    assert changed["email"] is None
    assert changed["tax"]["location"] == {"country": "DE", "source": "billing_address", "state": None}


def test_nothing_changed_is_not_told(api: Any) -> None:
    customer = api.post("/v1/customers", name="Same")["id"]
    api.types()

    api.post(f"/v1/customers/{customer}", name="Same")

    assert api.types() == []


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"email": "nobody"}, "email"),
        ({"invoice_prefix": "no"}, "invoice_prefix"),
        ({"test_clock": "clock_none"}, "test_clock"),
        ({"source": "tok_visa"}, "source"),
        ({"tax": {"validate_location": "immediately"}}, "tax[validate_location]"),
        ({"invoice_settings": {"default_payment_method": "pm_none"}}, "invoice_settings[default_payment_method]"),
        ({"metadata": {"k" * 41: "v"}}, f"metadata[{'k' * 41}]"),
        ({"tax_id_data": [{"type": "eu_vat", "value": "nonsense"}]}, "tax_id_data[0][value]"),
    ],
)
def test_a_customer_is_refused_whole(api: Any, params: dict[str, Any], param: str) -> None:
    error = api.post("/v1/customers", error=True, **params)

    assert (error["status"], error["param"]) == (400, param)
    assert api.types() == []
    assert api.get("/v1/customers")["data"] == []


def test_an_invoice_prefix_is_one_customers(api: Any) -> None:
    first = api.post("/v1/customers", invoice_prefix="HOF")["id"]

    assert api.post("/v1/customers", invoice_prefix="HOF", error=True)["param"] == "invoice_prefix"
    assert api.post(f"/v1/customers/{first}", invoice_prefix="HOF")["invoice_prefix"] == "HOF"


def test_customers_are_listed_by_email(api: Any) -> None:
    for email in ("a@example.com", "b@example.com", "a@example.com"):
        api.post("/v1/customers", email=email)

    assert len(api.get("/v1/customers")["data"]) == 3
    assert [one["email"] for one in api.get("/v1/customers", email="a@example.com")["data"]] == ["a@example.com"] * 2


# --- the balance ----------------------------------------------------------------------------------------------------


def test_a_balance_is_the_sum_of_its_transactions(api: Any) -> None:
    customer = api.post("/v1/customers", balance=-500, expand=["invoice_credit_balance"])
    path = f"/v1/customers/{customer['id']}/balance_transactions"

    made = api.post(path, amount=200, currency="usd", description="Correction", metadata={"a": "b"})
    api.post(f"/v1/customers/{customer['id']}", balance=50)

    assert customer["invoice_credit_balance"] == {"usd": -500}
    assert customer["currency"] == "usd"
    assert made["ending_balance"] == -300
    found = api.get(path)["data"]
    assert [(one["type"], one["amount"], one["ending_balance"]) for one in found] == [
        ("adjustment", 350, 50),
        ("adjustment", 200, -300),
        ("initial", -500, -500),
    ]
    assert api.get(f"/v1/customers/{customer['id']}")["balance"] == 50
    assert api.types() == ["customer.created", "customer.updated", "customer.updated", "customer.updated"]


def test_a_balance_transaction_is_read_and_described_anew(api: Any) -> None:
    customer, other = api.post("/v1/customers", balance=5)["id"], api.post("/v1/customers")["id"]
    transaction = api.get(f"/v1/customers/{customer}/balance_transactions")["data"][0]["id"]
    path = f"/v1/customers/{customer}/balance_transactions/{transaction}"

    api.post(path, description="New", metadata={"a": "b"})

    assert api.get(path)["description"] == "New"
    assert api.get(path)["metadata"] == {"a": "b"}
    wrong = api.get(f"/v1/customers/{other}/balance_transactions/{transaction}", error=True)
    assert wrong["message"] == f"No such customer balance transaction: '{transaction}'"


def test_a_customer_has_one_currency(api: Any, engine: Engine) -> None:
    customer = api.post("/v1/customers", balance=5)["id"]

    error = api.post(f"/v1/customers/{customer}/balance_transactions", amount=1, currency="eur", error=True)
    assert error["param"] == "currency"
    with pytest.raises(StripeError, match="combine currencies"), engine.change() as world:
        balance.adjust(world, world.get("customer", customer), 1, type="applied_to_invoice", currency="eur")
    assert api.get(f"/v1/customers/{customer}")["balance"] == 5


def test_a_transaction_names_the_invoice_it_is_of(api: Any, engine: Engine) -> None:
    customer = api.post("/v1/customers")["id"]
    with engine.change() as world:
        owner = world.get("customer", customer)
        made = balance.adjust(world, owner, -5, type="applied_to_invoice", currency="usd", invoice="in_1")["id"]
        balance.adjust(world, owner, -6, type="credit_note", currency="usd", credit_note="cn_1")

    found = api.get(f"/v1/customers/{customer}/balance_transactions", invoice="in_1")["data"]
    assert [one["id"] for one in found] == [made]


# --- tax ids --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("_case", "value", "told", "status"),
    [
        ("good", "DE000000000", ["customer.tax_id.updated"], "verified"),
        ("bad", "DE111111111", ["customer.tax_id.updated"], "unverified"),
        ("never answered", "DE222222222", [], "pending"),
        ("any other", "DE123456789", [], "pending"),
    ],
)
def test_a_vat_number_is_verified_later(api: Any, _case: str, value: str, told: list[str], status: str) -> None:
    customer = api.post("/v1/customers")["id"]
    made = api.post(f"/v1/customers/{customer}/tax_ids", type="eu_vat", value=value)
    assert api.types() == ["customer.created", "customer.tax_id.created"]
    assert (made["country"], made["verification"]["status"]) == ("DE", "pending")

    api.advance(60)

    assert api.types() == told
    assert api.get(f"/v1/tax_ids/{made['id']}")["verification"]["status"] == status


def test_tax_ids_come_with_a_customer_and_go(api: Any) -> None:
    customer = api.post(
        "/v1/customers",
        tax_id_data=[{"type": "us_ein", "value": "12-3456789"}, {"type": "gb_vat", "value": "GB123456789"}],
        expand=["tax_ids"],
    )
    newer, older = customer["tax_ids"]["data"]
    api.types()

    path = f"/v1/customers/{customer['id']}/tax_ids"
    assert (newer["country"], older["country"], older["verification"]["status"]) == ("GB", "US", "unavailable")
    assert api.get(f"{path}/{older['id']}")["owner"]["customer"] == customer["id"]
    assert api.delete(f"{path}/{newer['id']}") == {"id": newer["id"], "object": "tax_id", "deleted": True}
    assert api.types() == ["customer.tax_id.deleted"]
    assert [one["id"] for one in api.get(path)["data"]] == [older["id"]]
    other = api.post("/v1/customers")["id"]
    assert api.get(f"/v1/customers/{other}/tax_ids/{older['id']}", error=True)["status"] == 404


def test_the_account_has_tax_ids_of_its_own(api: Any) -> None:
    customer = api.post("/v1/customers")["id"]
    own = api.post("/v1/tax_ids", type="us_ein", value="12-3456789")
    theirs = api.post(
        "/v1/tax_ids", type="us_ein", value="12-3456789", owner={"type": "customer", "customer": customer}
    )

    assert own["owner"]["type"] == "self"
    assert api.types() == ["customer.created", "customer.tax_id.created"]
    assert [one["id"] for one in api.get("/v1/tax_ids")["data"]] == [own["id"]]
    asked = api.get("/v1/tax_ids", owner={"type": "customer", "customer": customer})["data"]
    assert [one["id"] for one in asked] == [theirs["id"]]
    api.delete(f"/v1/tax_ids/{own['id']}")
    api.delete(f"/v1/tax_ids/{theirs['id']}")
    assert api.types() == ["customer.tax_id.deleted"]


# --- the discount and the end ---------------------------------------------------------------------------------------


def test_a_customers_discount_is_taken_back(api: Any, engine: Engine) -> None:
    customer = api.post("/v1/customers")["id"]
    coupon = api.post("/v1/coupons", percent_off=20, duration="forever")["id"]
    with engine.change() as world:
        discounts.start(world, customer=world.get("customer", customer), coupon=coupon, param="coupon")
    api.types()

    gone = api.delete(f"/v1/customers/{customer}/discount")

    assert gone["deleted"] is True
    assert gone["source"]["coupon"] == coupon
    assert api.types() == ["customer.discount.deleted", "customer.updated"]
    error = api.delete(f"/v1/customers/{customer}/discount", error=True)
    assert (error["status"], error["message"]) == (404, f"No active discount for customer: {customer}")


def test_a_deletion_takes_everything_along_and_tells_the_whole_customer(api: Any, engine: Engine) -> None:
    customer = api.post("/v1/customers", name="Gone", tax_id_data=[{"type": "eu_vat", "value": "DE000000000"}])["id"]
    api.post("/v1/payment_methods/pm_card_visa/attach", customer=customer)
    coupon = api.post("/v1/coupons", percent_off=20, duration="repeating", duration_in_months=1)["id"]
    with engine.change() as world:
        discounts.start(world, customer=world.get("customer", customer), coupon=coupon, param="coupon")
    api.types()

    assert api.delete(f"/v1/customers/{customer}") == {"id": customer, "object": "customer", "deleted": True}

    told = api.events()
    assert told[-2]["type"] == "customer.discount.deleted"
    assert told[-1]["type"] == "customer.deleted"
    assert told[-1]["data"]["object"]["name"] == "Gone"
    assert told[-1]["data"]["object"]["discount"] is None
    assert api.get(f"/v1/customers/{customer}") == {"id": customer, "object": "customer", "deleted": True}
    assert api.get("/v1/customers")["data"] == []
    assert api.post(f"/v1/customers/{customer}", name="Back", error=True)["code"] == "resource_missing"
    api.advance(40 * 86_400)
    assert api.types() == []


def test_a_customer_of_a_test_clock_lives_in_its_time(api: Any) -> None:
    clock = api.post("/v1/test_helpers/test_clocks", frozen_time=1_800_000_000)["id"]
    customer = api.post("/v1/customers", test_clock=clock)

    assert customer["created"] == 1_800_000_000
    transaction = api.post(f"/v1/customers/{customer['id']}/balance_transactions", amount=1, currency="usd")
    assert transaction["created"] == 1_800_000_000
    assert api.get("/v1/customers")["data"] == []
    assert [one["id"] for one in api.get("/v1/customers", test_clock=clock)["data"]] == [customer["id"]]


def test_the_sdk_runs_a_customers_life(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({"email": "a@example.com", "metadata": {"user_id": "7"}})
    sdk.v1.customers.update(customer.id, {"invoice_settings": {"footer": "Thanks"}})
    transaction = sdk.v1.customers.balance_transactions.create(customer.id, {"amount": -500, "currency": "usd"})
    tax_id = sdk.v1.customers.tax_ids.create(customer.id, {"type": "eu_vat", "value": "DE000000000"})

    found = sdk.v1.customers.retrieve(customer.id, {"expand": ["tax_ids", "invoice_credit_balance"]})
    assert found.balance == transaction.ending_balance == -500
    assert found.tax_ids is not None
    assert [one.id for one in found.tax_ids.data] == [tax_id.id]
    assert sdk.v1.customers.delete(customer.id).deleted
    assert sdk.v1.customers.retrieve(customer.id).deleted
