"""Customers, subscriptions, schedules, invoices and their lines: what exactly is made of an old payload."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.mirror.upcast import upcast

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("_case_type", "_case_old", "_case_added"),
    [
        # Customers
        (
            "customer",
            {"id": "cus_1", "business_vat_id": "DE1"},
            {"tax_ids": {"object": "list", "data": [{"object": "tax_id", "customer": "cus_1", "value": "DE1"}]}},
        ),
        (
            "customer",
            {"tax_info": {"tax_id": "DE1", "type": "vat"}, "tax_info_verification": {"status": "verified"}},
            {
                "tax_ids": {
                    "object": "list",
                    "data": [{"object": "tax_id", "value": "DE1", "verification": {"status": "verified"}}],
                }
            },
        ),
        ("customer", {"tax_info": None, "tax_info_verification": None}, {}),
        ("customer", {"tax_info": {"tax_id": "DE1"}, "tax_ids": {"data": []}}, {}),
        (
            "customer",
            {"active_card": {"object": "card", "type": "Visa"}},
            {"sources": {"object": "list", "data": [{"object": "card", "type": "Visa", "brand": "Visa"}]}},
        ),
        ("customer", {"active_card": None, "cards": None, "next_recurring_charge": None}, {}),
        (
            "customer",
            {"cards": {"data": [{"object": "card", "type": "Visa"}, {"object": "bank_account", "type": "x"}]}},
            {
                "sources": {
                    "data": [
                        {"object": "card", "type": "Visa", "brand": "Visa"},
                        {"object": "bank_account", "type": "x"},
                    ]
                }
            },
        ),
        (
            "customer",
            {"subscription": {"billing_mode": {"type": "classic"}, "start": 5}},
            {
                "subscriptions": {
                    "object": "list",
                    "data": [{"billing_mode": {"type": "classic"}, "start": 5, "start_date": 5}],
                }
            },
        ),
        ("customer", {"subscription": None}, {}),
        ("customer", {"subscription": {"id": "sub_1"}, "subscriptions": None}, {}),
        ("customer", {"subscriptions": {"data": [{"billing_mode": {}, "currency": "usd"}]}}, {}),
        (
            "customer",
            {"subscriptions": {"data": [{"billing_mode": {}}, {"billing_mode": {}, "start": 5}]}},
            {"subscriptions": {"data": [{"billing_mode": {}}, {"billing_mode": {}, "start": 5, "start_date": 5}]}},
        ),
        # Subscriptions and schedules
        (
            "subscription",
            {"billing_mode": "flexible", "billing_mode_details": {"updated_at": 5}},
            {"billing_mode": {"type": "flexible", "updated_at": 5}},
        ),
        (
            "subscription",
            {"billing_mode": {}, "tax_percent": 7.7},
            {"default_tax_rates": [{"object": "tax_rate", "inclusive": False, "percentage": 7.7}]},
        ),
        ("subscription", {"billing_mode": {}, "tax_percent": 7.7, "default_tax_rates": []}, {}),
        (
            "subscription_item",
            {
                "price": {
                    "id": "price_1",
                    "currency": "usd",
                    "recurring": {"interval": "month", "interval_count": 1},
                    "unit_amount": 5,
                }
            },
            {
                "plan": {
                    "id": "price_1",
                    "object": "plan",
                    "amount": 5,
                    "currency": "usd",
                    "interval": "month",
                    "interval_count": 1,
                }
            },
        ),
        ("subscription_item", {"price": {"id": "price_1", "recurring": None}}, {}),
        ("subscription_schedule", {"billing_mode": {"type": "flexible"}, "phases": "odd"}, {}),
        (
            "subscription_schedule",
            {"renewal_behavior": "release"},
            {"end_behavior": "release", "billing_mode": {"type": "classic"}},
        ),
        (
            "subscription_schedule",
            {"billing_mode": {}, "billing": "send_invoice", "default_payment_method": "pm_1"},
            {"default_settings": {"collection_method": "send_invoice", "default_payment_method": "pm_1"}},
        ),
        (
            "subscription_schedule",
            {
                "billing_mode": {},
                "collection_method": "send_invoice",
                "invoice_settings": {"days_until_due": 5},
                "default_settings": {"invoice_settings": None},
            },
            {"default_settings": {"collection_method": "send_invoice", "invoice_settings": None}},
        ),
        (
            "subscription_schedule",
            {
                "billing_mode": {},
                "phases": [
                    {
                        "plans": [{"plan": "plan_1", "quantity": 2}, {"plan": {"id": "plan_2", "usage_type": "x"}}],
                        "coupon": "c_1",
                        "tax_percent": 19,
                        "prorate": True,
                    },
                    {"items": [{"price": "price_1"}, {"plan": "p", "price": "p"}], "coupon": None, "prorate": False},
                    {"plans": [{"plan": "p", "price": "p"}], "discounts": [], "proration_behavior": "none"},
                    {"items": [{"quantity": 1}]},
                    {"description": "no items"},
                    "odd",
                ],
            },
            {
                "phases": [
                    {
                        "plans": [{"plan": "plan_1", "quantity": 2}, {"plan": {"id": "plan_2", "usage_type": "x"}}],
                        "coupon": "c_1",
                        "tax_percent": 19,
                        "prorate": True,
                        "items": [
                            {"plan": "plan_1", "quantity": 2, "price": "plan_1"},
                            {
                                "plan": {"id": "plan_2", "usage_type": "x"},
                                "price": {
                                    "id": "plan_2",
                                    "object": "price",
                                    "recurring": {"usage_type": "x"},
                                    "type": "recurring",
                                },
                            },
                        ],
                        "discounts": [{"coupon": "c_1", "discount": None, "promotion_code": None}],
                        "default_tax_rates": [{"object": "tax_rate", "inclusive": False, "percentage": 19}],
                        "proration_behavior": "create_prorations",
                    },
                    {
                        "items": [{"price": "price_1", "plan": "price_1"}, {"plan": "p", "price": "p"}],
                        "coupon": None,
                        "prorate": False,
                        "discounts": [],
                        "proration_behavior": "none",
                    },
                    {
                        "plans": [{"plan": "p", "price": "p"}],
                        "items": [{"plan": "p", "price": "p"}],
                        "discounts": [],
                        "proration_behavior": "none",
                    },
                    {"items": [{"quantity": 1}]},
                    {"description": "no items"},
                    "odd",
                ]
            },
        ),
        # Invoices and what stands in them
        ("invoice", {"status": "deleted"}, {"deleted": True}),
        ("invoice", {"status": "deleted", "deleted": False}, {}),
        ("invoice", {"paid_out_of_band": True, "amount_paid": 900}, {"amount_paid_off_stripe": 900}),
        ("invoice", {"paid_out_of_band": False, "amount_paid": 900}, {"amount_paid_off_stripe": 0}),
        ("invoice", {"paid_out_of_band": True}, {}),
        (
            "invoice",
            {"paid_out_of_band": True, "paid": True, "amount_due": 900, "status": "paid"},
            {"amount_paid": 900, "amount_remaining": 0, "amount_paid_off_stripe": 900},
        ),
        (
            "invoice",
            {"id": "in_1", "currency": "eur", "livemode": True, "charge": "ch_1", "paid": True, "status": "paid"}
            | {"paid_out_of_band": True},
            {
                "payments": {
                    "object": "list",
                    "data": [
                        {
                            "object": "invoice_payment",
                            "invoice": "in_1",
                            "currency": "eur",
                            "livemode": True,
                            "payment": {"type": "charge", "charge": "ch_1"},
                        }
                    ],
                    "has_more": False,
                }
            },
        ),
        (
            "invoice",
            {"tax": 190, "tax_percent": 19},
            {
                "total_taxes": [{"amount": 190, "tax_behavior": "exclusive", "type": "tax_rate_details"}],
                "default_tax_rates": [{"object": "tax_rate", "inclusive": False, "percentage": 19}],
            },
        ),
        ("invoice", {"tax": None}, {"total_taxes": []}),
        ("invoice", {"tax": "odd"}, {}),
        ("invoice", {"tax": 190, "total_taxes": None, "lines": {"data": "odd"}}, {}),
        ("invoice", {"tax": 190, "total_tax_amounts": None}, {}),
        (
            "invoice",
            {"id": "in_1", "lines": {"data": [{"quantity": 2}, {"invoice": "in_2", "quantity": None}]}},
            {
                "lines": {
                    "data": [
                        {"quantity": 2, "quantity_decimal": "2", "invoice": "in_1"},
                        {"invoice": "in_2", "quantity": None},
                    ]
                }
            },
        ),
        (
            "line_item",
            {"price": "price_1"},
            {"pricing": {"type": "price_details", "price_details": {"price": "price_1"}}},
        ),
        ("line_item", {"plan": "plan_1"}, {"pricing": {"type": "price_details", "price_details": {"price": "plan_1"}}}),
        (
            "line_item",
            {"price": {"id": "price_1", "unit_amount": None}},
            {
                "pricing": {
                    "type": "price_details",
                    "price_details": {"price": "price_1"},
                    "unit_amount_decimal": None,
                }
            },
        ),
        (
            "line_item",
            {"type": "invoiceitem", "subscription": None},
            {
                "parent": {
                    "type": "invoice_item_details",
                    "invoice_item_details": {"subscription": None},
                    "subscription_item_details": None,
                }
            },
        ),
        (
            "line_item",
            {"type": "subscription", "invoice_item": "ii_1"},
            {
                "parent": {
                    "type": "subscription_item_details",
                    "invoice_item_details": None,
                    "subscription_item_details": {"invoice_item": "ii_1"},
                }
            },
        ),
        ("line_item", {"discounts": [{"coupon": None}]}, {}),
        (
            "invoiceitem",
            {
                "plan": {"id": "plan_1", "amount": 6000, "product": "prod_1"},
                "quantity": 5,
                "subscription": {"id": "sub_1"},
                "subscription_item": "si_1",
                "unit_amount": -21075,
            },
            {
                "parent": {
                    "type": "subscription_details",
                    "subscription_details": {"subscription": "sub_1", "subscription_item": "si_1"},
                },
                "pricing": {
                    "type": "price_details",
                    "price_details": {"price": "plan_1", "product": "prod_1"},
                    "unit_amount_decimal": "-21075",
                },
                "quantity_decimal": "5",
            },
        ),
        (
            "invoiceitem",
            {"price": {"id": "price_1", "unit_amount_decimal": "0.5"}, "subscription": "sub_1"},
            {
                "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}},
                "pricing": {
                    "type": "price_details",
                    "price_details": {"price": "price_1"},
                    "unit_amount_decimal": "0.5",
                },
            },
        ),
        (
            "invoiceitem",
            {"price": None, "plan": None, "unit_amount_decimal": "5", "subscription": None, "discount": None},
            {"parent": None, "pricing": None, "discounts": []},
        ),
        ("invoiceitem", {"pricing": None, "parent": None, "quantity": None, "quantity_decimal": "1"}, {}),
    ],
)
def test_what_an_old_payload_becomes_is_what_it_was_and_exactly_this(
    _case_type: str, _case_old: Json, _case_added: Json
) -> None:
    newest = upcast(_case_type, _case_old)

    assert newest == _case_old | _case_added
    assert (newest is _case_old) is (not _case_added)


def test_a_prorated_invoice_item_of_a_subscription_item_is_the_subscription_items() -> None:
    line = {
        "id": "il_1",
        "object": "line_item",
        "amount": -2500,
        "type": "invoiceitem",
        "invoice_item": "ii_1",
        "subscription": "sub_1",
        "subscription_item": "si_1",
        "proration": True,
        "proration_details": {"credited_items": None},
        "price": {"id": "price_1", "object": "price", "product": "prod_1", "unit_amount_decimal": "2500"},
    }

    told = upcast("line_item", line)

    assert told["parent"]["type"] == "subscription_item_details"
    assert told["parent"]["invoice_item_details"] is None
    assert told["parent"]["subscription_item_details"] == {
        "invoice_item": "ii_1",
        "proration": True,
        "proration_details": {"credited_items": None},
        "subscription": "sub_1",
        "subscription_item": "si_1",
    }
    assert told["pricing"]["unit_amount_decimal"] is None
