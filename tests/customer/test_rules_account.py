"""What happens to the customer itself, its payment methods and its discounts, in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.customer.rules import entry
from trueup.customer.types import Entry, Kind, Tone
from trueup.mirror.types import Fact

VISA: dict[str, Any] = {"type": "card", "card": {"brand": "visa", "last4": "4242", "exp_month": 3, "exp_year": 2030}}


def told(event_type: str, object_type: str, previous: dict[str, Any] | None = None, **data: Any) -> Entry | None:
    fact = Fact(
        object_type=object_type,
        object_id="x_1",
        created=1_700_000_000,
        event_id="evt_1",
        event_type=event_type,
        deleted=False,
        data=data,
        previous=previous,
        customer="cus_1",
    )
    return entry(fact, product_names={})


def said(event_type: str, object_type: str, previous: dict[str, Any] | None = None, **data: Any) -> object:
    found = told(event_type, object_type, previous, **data)
    return None if found is None else (found.title, found.detail, found.tone)


def test_a_customer_comes_and_goes() -> None:
    who: dict[str, Any] = {"name": "Acme", "email": "ap@acme.example"}

    assert said("customer.created", "customer", **who) == ("Became a customer", "Acme · ap@acme.example", Tone.GOOD)
    assert said("customer.created", "customer") == ("Became a customer", "", Tone.GOOD)
    assert said("customer.deleted", "customer", **who) == ("Customer deleted", "Acme · ap@acme.example", Tone.BAD)


@pytest.mark.parametrize(
    ("_case_previous", "_case_now", "_case_said"),
    [
        ({"name": "A"}, {"name": "B"}, ("Name changed from A to B", "", Tone.PLAIN)),
        ({"name": None}, {"name": "B"}, ("Name set to B", "", Tone.PLAIN)),
        ({"name": "A"}, {"name": None}, ("Name removed", "", Tone.PLAIN)),
        (
            {"email": "a@x.example"},
            {"email": "b@x.example"},
            ("Email changed from a@x.example to b@x.example", "", Tone.PLAIN),
        ),
        ({"phone": "1"}, {"phone": "2"}, ("Phone changed", "", Tone.PLAIN)),
        ({"phone": "1"}, {"phone": None}, ("Phone removed", "", Tone.PLAIN)),
        (
            {"name": "A", "email": "a@x.example"},
            {"name": "B", "email": "b@x.example"},
            ("Name changed from A to B", "Email changed from a@x.example to b@x.example", Tone.PLAIN),
        ),
        (
            {"address": {"city": "Bonn"}},
            {"address": {"city": "Berlin", "country": "DE"}},
            ("Address changed", "", Tone.PLAIN),
        ),
        (
            {"address": {"country": "FR"}},
            {"address": {"country": "DE"}},
            ("Address changed", "From FR to DE", Tone.PLAIN),
        ),
        ({"address": None}, {"address": {"country": "DE"}}, ("Address changed", "", Tone.PLAIN)),
        (
            {"invoice_settings": {"default_payment_method": "pm_1"}},
            {"invoice_settings": {"default_payment_method": "pm_2", "footer": None}},
            ("Default payment method changed", "", Tone.PLAIN),
        ),
        (
            {"invoice_settings": {"default_payment_method": "pm_1"}},
            {"invoice_settings": {"default_payment_method": None}},
            ("No default payment method any more", "", Tone.WARN),
        ),
        (
            {"invoice_settings": {"default_payment_method": None}},
            {"invoice_settings": {"default_payment_method": "pm_1"}},
            None,
        ),
        (
            {"default_source": "card_1"},
            {"default_source": "card_2"},
            ("Default payment method changed", "", Tone.PLAIN),
        ),
        ({"balance": 0}, {"balance": -2000, "currency": "usd"}, ("Credit balance is now $20.00", "", Tone.PLAIN)),
        ({"balance": 0}, {"balance": 150, "currency": "usd"}, ("Balance due is now $1.50", "", Tone.PLAIN)),
        ({"account_balance": -5}, {"account_balance": 0, "currency": "usd"}, ("Balance settled", "", Tone.PLAIN)),
        ({"balance": 0}, {"balance": 150, "currency": None}, None),
        ({"balance": 0}, {"balance": None, "currency": "usd"}, None),
        ({"metadata": {"a": None}}, {"metadata": {"a": "b"}}, None),
        ({"currency": None}, {"currency": "usd"}, None),
        (None, {"name": "A"}, None),
    ],
)
def test_a_customer_changes(
    _case_previous: dict[str, Any] | None, _case_now: dict[str, Any], _case_said: object
) -> None:
    assert said("customer.updated", "customer", _case_previous, **_case_now) == _case_said


def test_payment_methods_come_and_go() -> None:
    found = told("payment_method.attached", "payment_method", **VISA)

    assert found is not None
    assert (found.title, found.detail, found.kind) == (
        "Payment method added: Visa ending 4242",
        "Expires 3/2030",
        Kind.METHOD,
    )
    assert said("payment_method.detached", "payment_method", {"customer": "cus_1"}, **VISA) == (
        "Payment method removed: Visa ending 4242",
        "",
        Tone.WARN,
    )
    assert said("payment_method.automatically_updated", "payment_method", **VISA) == (
        "Payment method renewed by the bank: Visa ending 4242",
        "Expires 3/2030",
        Tone.GOOD,
    )


@pytest.mark.parametrize(
    ("_case_type", "_case_data", "_case_title"),
    [
        ("payment_method", {"type": "sepa_debit", "sepa_debit": {"last4": "3000"}}, "SEPA debit ending 3000"),
        ("payment_method", {"type": "paypal"}, "PayPal"),
        ("payment_method", {"type": "a_new_one"}, "a new one"),
        ("payment_method", {}, "Payment method"),
        ("card", {"object": "card", "type": "American Express", "last4": "0005"}, "American Express ending 0005"),
        ("card", {"object": "card", "brand": "Unknown", "last4": "0005"}, "Card ending 0005"),
        ("bank_account", {"object": "bank_account", "bank_name": "B", "last4": "6789"}, "Bank account ending 6789"),
        ("source", {"last4": "1"}, "Payment method ending 1"),
    ],
)
def test_every_kind_of_method_has_words(_case_type: str, _case_data: dict[str, Any], _case_title: str) -> None:
    assert said("customer.source.created", _case_type, **_case_data) == (
        f"Payment method added: {_case_title}",
        "",
        Tone.GOOD,
    )


@pytest.mark.parametrize(
    ("_case_previous", "_case_told"),
    [
        ({"card": {"exp_year": 2027}}, True),
        ({"card": {"last4": "1111"}}, True),
        ({"exp_month": 2}, True),
        ({"billing_details": {"name": "A"}}, False),
        ({"metadata": {"exp_year": "1"}}, False),
        (None, False),
    ],
)
def test_a_method_is_updated_when_it_is_a_new_card(_case_previous: dict[str, Any] | None, _case_told: bool) -> None:
    expected = ("Payment method updated: Visa ending 4242", "Expires 3/2030", Tone.GOOD)

    found = said("payment_method.updated", "payment_method", _case_previous, **VISA)

    assert found == (expected if _case_told else None)


def test_an_expiring_card_and_a_failed_setup_are_told() -> None:
    card: dict[str, Any] = {"object": "card", "brand": "Visa", "last4": "4242", "exp_month": 5, "exp_year": 2026}
    failed: dict[str, Any] = {"last_setup_error": {"code": "card_declined", "decline_code": "do_not_honor"}}

    assert said("customer.source.expiring", "card", **card) == (
        "Payment method expires soon: Visa ending 4242",
        "Expires 5/2026",
        Tone.WARN,
    )
    assert said("setup_intent.setup_failed", "setup_intent", **failed) == (
        "Payment method could not be set up: declined by the bank",
        "",
        Tone.BAD,
    )
    assert said("setup_intent.setup_failed", "setup_intent") == ("Payment method could not be set up", "", Tone.BAD)


@pytest.mark.parametrize(
    ("_case_discount", "_case_words"),
    [
        ({"source": {"coupon": {"id": "c", "name": "Launch", "percent_off": 20}}}, "Launch · 20% off"),
        ({"source": {"coupon": {"id": "c", "name": "20% off", "percent_off": 20.0}}}, "20% off"),
        ({"coupon": {"id": "c", "percent_off": 26, "percent_off_precise": 25.5}}, "25.5% off"),
        ({"coupon": {"id": "c", "amount_off": 1000, "currency": "eur"}}, "€10.00 off"),
        ({"coupon": {"id": "c"}}, "c"),
        ({"source": {"type": "coupon", "coupon": "LAUNCH20"}}, "LAUNCH20"),
        ({}, "a coupon"),
    ],
)
def test_a_discount_is_told_by_what_it_takes_off(_case_discount: dict[str, Any], _case_words: str) -> None:
    assert [
        said(f"customer.discount.{verb}", "discount", **_case_discount) for verb in ("created", "updated", "deleted")
    ] == [
        (f"Discount added: {_case_words}", "", Tone.GOOD),
        (f"Discount changed: {_case_words}", "", Tone.PLAIN),
        (f"Discount ended: {_case_words}", "", Tone.PLAIN),
    ]


def test_a_tax_id_is_told_without_its_number() -> None:
    found = said("customer.tax_id.created", "tax_id", type="eu_vat", value="DE123456789")

    assert found == ("Tax ID added", "EU VAT", Tone.PLAIN)
    assert said("customer.tax_id.created", "tax_id") == ("Tax ID added", "", Tone.PLAIN)
