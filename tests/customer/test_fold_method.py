"""Which payment method is on file, and how it is told."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.customer.fold import fold
from trueup.customer.types import CustomerState, PaymentMethod
from trueup.mirror.types import MirrorObject

CARD = {"type": "card", "card": {"brand": "visa", "last4": "4242", "exp_month": 3, "exp_year": 2030}}


def told(object_type: str, object_id: str, *, deleted: bool = False, **data: Any) -> MirrorObject:
    return MirrorObject(
        object_type=object_type,
        object_id=object_id,
        data={"id": object_id, "object": object_type, **data},
        deleted=deleted,
        created=1_700_000_000,
        event_id=f"evt_{object_id}",
        event_type=f"{object_type}.updated",
    )


def customer(**data: Any) -> MirrorObject:
    return told("customer", "cus_1", **data)


def attached(object_id: str, **data: Any) -> MirrorObject:
    return told("payment_method", object_id, **({"customer": "cus_1"} | CARD | data))


def subscribed(object_id: str = "sub_1", **data: Any) -> MirrorObject:
    return told("subscription", object_id, **({"customer": "cus_1", "status": "active"} | data))


def state_of(*objects: MirrorObject) -> CustomerState:
    return fold("cus_1", objects)


def chosen(*objects: MirrorObject) -> tuple[bool | None, str | None]:
    state = state_of(*objects)
    return state.payment_method_on_file, state.payment_method.id if state.payment_method is not None else None


FOR_INVOICES = {"default_payment_method": "pm_invoices"}


def test_the_default_of_the_leading_subscription_comes_first_then_that_of_the_others() -> None:
    every = [
        customer(invoice_settings=FOR_INVOICES, default_source="card_1"),
        attached("pm_a"),
        attached("pm_b"),
        attached("pm_invoices"),
        told("card", "card_1", customer="cus_1"),
    ]
    leading = subscribed("sub_1", created=2, default_payment_method="pm_a")
    other = subscribed("sub_2", created=1, default_payment_method="pm_b")

    assert chosen(*every, leading, other) == (True, "pm_a")
    assert chosen(*every, other) == (True, "pm_b")
    assert chosen(*every, subscribed(default_source="card_1")) == (True, "card_1")
    assert chosen(*every, subscribed(status="canceled", default_payment_method="pm_a")) == (True, "pm_invoices")


def test_without_defaults_the_newest_attached_method_counts() -> None:
    assert chosen(
        customer(), attached("pm_1", created=1), attached("pm_2", created=9), attached("pm_3", created=5)
    ) == (
        True,
        "pm_2",
    )
    assert chosen(attached("pm_1")) == (True, "pm_1")


def test_the_default_source_counts_where_no_method_is_set_for_invoices() -> None:
    card = told("card", "card_1", customer="cus_1", brand="Visa", last4="4242")

    assert chosen(customer(default_source="card_1", invoice_settings={"default_payment_method": None}), card) == (
        True,
        "card_1",
    )


@pytest.mark.parametrize(
    "_case_gone",
    [
        told("payment_method", "pm_1", customer=None),
        told("payment_method", "pm_1", customer="cus_2"),
        told("payment_method", "pm_1", customer="cus_1", deleted=True),
        told("source", "pm_1", customer="cus_1", status="consumed"),
        told("source", "pm_1", customer="cus_1", status="canceled"),
    ],
)
def test_a_method_that_is_gone_is_passed_over(_case_gone: MirrorObject) -> None:
    named = customer(invoice_settings={"default_payment_method": "pm_1"})

    assert chosen(named, _case_gone) == (False, None)
    assert chosen(named, _case_gone, attached("pm_2")) == (True, "pm_2")


def test_a_method_whose_id_alone_is_known_is_on_file_without_details() -> None:
    state = state_of(customer(invoice_settings={"default_payment_method": "pm_1"}))

    assert (state.payment_method_on_file, state.payment_method) == (True, None)
    assert "payment_method" not in state.why
    assert [ref.object_id for ref in state.why["payment_method_on_file"].facts] == ["cus_1"]


def test_an_expanded_default_tells_its_details() -> None:
    named = customer(invoice_settings={"default_payment_method": {"id": "pm_1", "object": "payment_method", **CARD}})

    assert state_of(named).payment_method == PaymentMethod(
        id="pm_1", type="card", brand="visa", last4="4242", exp_month=3, exp_year=2030
    )


def test_cards_inside_an_old_customer_are_on_file() -> None:
    card = {
        "id": "card_1",
        "object": "card",
        "brand": "American Express",
        "last4": "0005",
        "exp_month": 1,
        "exp_year": 30,
    }
    listing = {"data": [{"id": "card_2", "object": "card"}, card, {"object": "card"}, "odd"]}

    assert chosen(customer(default_source="card_1", sources=listing)) == (True, "card_1")
    assert chosen(customer(default_source=None, sources=listing)) == (True, "card_1")
    assert chosen(customer(sources=listing), told("card", "card_1", deleted=True)) == (True, "card_2")
    assert chosen(customer(sources={"data": "odd"})) == (False, None)
    assert state_of(customer(default_source="card_1", sources=listing)).payment_method == PaymentMethod(
        id="card_1", type="card", brand="amex", last4="0005", exp_month=1, exp_year=30
    )


@pytest.mark.parametrize(
    ("_case_method", "_case_told"),
    [
        (
            told(
                "payment_method",
                "pm_1",
                customer="cus_1",
                type="us_bank_account",
                us_bank_account={"bank_name": "B", "last4": "6789"},
            ),
            ("us_bank_account", "B", "6789"),
        ),
        (
            told("payment_method", "pm_1", customer="cus_1", type="paypal", paypal={"payer_email": "x"}),
            ("paypal", None, None),
        ),
        (told("payment_method", "pm_1", customer="cus_1", type="link", link="odd"), ("link", None, None)),
        (told("payment_method", "pm_1", customer="cus_1"), (None, None, None)),
        (told("bank_account", "pm_1", customer="cus_1", bank_name="B", last4="6789"), ("bank_account", "B", "6789")),
        (told("card", "pm_1", customer="cus_1", type="Visa", brand="Visa", last4="1"), ("card", "visa", "1")),
        (told("card", "pm_1", brand="JCB", last4="1"), ("card", "jcb", "1")),
        (
            told(
                "source",
                "pm_1",
                customer="cus_1",
                status="chargeable",
                type="card",
                card={"brand": "Visa", "last4": "1"},
            ),
            ("card", "visa", "1"),
        ),
        (told("source", "pm_1", customer="cus_1", status=["odd"], type="ideal"), ("ideal", None, None)),
    ],
)
def test_every_kind_of_method_tells_what_it_knows(
    _case_method: MirrorObject, _case_told: tuple[str | None, str | None, str | None]
) -> None:
    method = state_of(customer(), _case_method).payment_method

    assert method is not None
    assert (method.type, method.brand, method.last4) == _case_told
