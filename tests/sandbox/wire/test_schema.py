"""What can be looked up about kinds of object and of event."""

from __future__ import annotations

import pytest

from trueup.sandbox.wire.schema import (
    enum,
    event_object,
    event_objects,
    event_types,
    expandable,
    fields,
    kinds,
    list_of,
)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("customer.subscription.updated", ("subscription",)),
        ("charge.dispute.created", ("dispute",)),
        ("invoice_payment.paid", ("invoice_payment",)),
        ("test_helpers.test_clock.ready", ("test_helpers.test_clock",)),
        ("application_fee.refund.updated", ("fee_refund",)),
        ("customer.source.created", ("bank_account", "card", "source")),
        ("v1.customer.subscription.updated", ("subscription",)),
        ("v1.billing.meter.error_report_triggered", ("billing.meter",)),
        ("v1.invoice.upcoming", ()),
        ("v2.core.account.updated", ("v2.core.account",)),
        ("nothing.happened", ()),
    ],
)
def test_an_event_is_about_a_kind(type_: str, expected: tuple[str, ...]) -> None:
    assert event_objects(type_) == expected
    assert event_object(type_) == (expected[0] if len(expected) == 1 else None)


def test_every_event_is_about_kinds_that_there_are() -> None:
    snapshot, thin = event_types(), event_types(thin=True)

    assert {kind for name in (*snapshot, *thin) for kind in event_objects(name)} <= kinds()
    assert all(event_objects(name) for name in snapshot)
    assert set(enum("event", "type")) == set(snapshot)
    assert (len(snapshot), len(thin)) == (275, 326)


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        ("subscription", "customer", ("customer",)),
        ("subscription", "latest_invoice", ("invoice",)),
        ("subscription", "discounts", ("discount",)),
        ("subscription", "default_source", ("account", "bank_account", "card", "source")),
        ("invoice", "parent.subscription_details.subscription", ("subscription",)),
        ("invoice", "lines.data.discounts", ("discount",)),
        ("invoice", "customer.default_source", ("account", "bank_account", "card", "source")),
        ("subscription", "items.data.price.product", ("product",)),
        ("balance_transaction", "source.customer", ("customer",)),
        ("subscription", "status", ()),
        ("subscription", "items", ()),
        ("subscription", "nothing", ()),
        ("subscription", "status.nothing", ()),
        ("subscription", "items.data", ()),
        ("subscription", "nothing.at.all", ()),
        ("unicorn", "horn", ()),
        ("", "subscription", ()),
    ],
)
def test_it_is_told_what_an_id_expands_to(kind: str, path: str, expected: tuple[str, ...]) -> None:
    assert expandable(kind, path) == expected


def test_values_of_enums_are_told() -> None:
    assert enum("invoice", "status") == ("draft", "open", "paid", "uncollectible", "void")
    assert enum("subscription", "items.data.price.recurring.interval") == ("day", "month", "week", "year")
    assert enum("invoiceitem", "frozen_fields") == ("discounts", "pricing", "quantity")
    assert enum("invoice", "number") == ()
    assert enum("unicorn", "colour") == ()


def test_it_is_told_what_a_list_holds() -> None:
    assert list_of("subscription", "items") == ("subscription_item",)
    assert list_of("invoice", "lines") == ("line_item",)
    assert list_of("customer", "sources") == ("account", "bank_account", "card", "source")
    assert list_of("invoice", "discounts") == ()
    assert list_of("invoice", "nothing") == ()


def test_fields_are_told_with_their_types() -> None:
    told = fields("coupon")

    assert list(told) == sorted(told)
    assert (told["percent_off"].kind, told["percent_off"].optional) == ("number", True)
    assert fields("v2.money_management.outbound_payment")["from"].kind == "object"
    with pytest.raises(KeyError):
        fields("unicorn")


def test_the_kinds_are_stripes_own_words() -> None:
    assert {"customer", "billing.meter", "v2.core.account", "item"} <= kinds()
    assert not {name for name in kinds() if "@" in name or ":" in name}
    assert len(kinds()) == 180
