"""Payloads of old shapes in the newest one."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.mirror.upcast import UPCAST_VERSION, upcast

CARD = {
    "id": "card_1",
    "object": "card",
    "brand": "American Express",
    "last4": "0005",
    "exp_month": 3,
    "exp_year": 2030,
}


def test_an_unknown_type_passes_through_as_it_is() -> None:
    data = {"id": "x_1", "object": "no_such_thing", "discount": {"coupon": {"id": "c"}}}

    assert upcast("no_such_thing", data) is data


def test_the_rules_have_a_version() -> None:
    assert UPCAST_VERSION >= 1


@pytest.mark.parametrize(
    ("_case_type", "_case_old", "_case_new"),
    [
        ("customer", {"account_balance": -500}, {"balance": -500}),
        ("customer", {"account_balance": -500, "balance": 7}, {"balance": 7}),
        ("customer", {"default_card": "card_1", "cards": {"data": []}}, {"default_source": "card_1"}),
        ("customer", {"cards": {"data": []}}, {"sources": {"data": []}}),
        (
            "customer",
            {"discount": {"id": "di_1", "coupon": {"id": "c_1"}}},
            {
                "discount": {
                    "id": "di_1",
                    "coupon": {"id": "c_1"},
                    "source": {"type": "coupon", "coupon": {"id": "c_1"}},
                }
            },
        ),
        ("customer", {"discount": {"id": "di_1", "source": {}}}, {"discount": {"id": "di_1", "source": {}}}),
        ("subscription", {"billing": "send_invoice"}, {"collection_method": "send_invoice"}),
        (
            "subscription",
            {"billing": "send_invoice", "collection_method": "charge_automatically"},
            {"collection_method": "charge_automatically"},
        ),
        ("subscription", {"start": 5}, {"start_date": 5}),
        ("subscription", {}, {"billing_mode": {"type": "classic"}}),
        ("subscription", {"billing_mode": {"type": "flexible"}}, {"billing_mode": {"type": "flexible"}}),
        ("subscription", {"tax_percent": None}, {"default_tax_rates": []}),
        ("subscription", {"discount": None}, {"discounts": []}),
        ("subscription", {"discounts": ["di_1"], "discount": {"id": "di_1"}}, {"discounts": ["di_1"]}),
        ("invoice", {"date": 5, "billing": "send_invoice"}, {"created": 5, "collection_method": "send_invoice"}),
        ("invoice", {"closed": True, "paid": True}, {"auto_advance": False, "status": "paid"}),
        ("invoice", {"closed": False, "forgiven": True}, {"auto_advance": True, "status": "uncollectible"}),
        ("invoice", {"paid": True, "status": "open"}, {"status": "open"}),
        ("invoice", {"finalized_at": 9}, {"status_transitions": {"finalized_at": 9}}),
        ("invoice", {"amount_due": 500, "paid": True}, {"amount_paid": 500, "amount_remaining": 0}),
        ("invoice", {"amount_due": 500, "paid": False}, {"amount_paid": 0, "amount_remaining": 500}),
        ("invoice", {"rendering_options": {"amount_tax_display": "x"}}, {"rendering": {"amount_tax_display": "x"}}),
        ("invoice", {"tax_percent": None}, {"default_tax_rates": []}),
        ("invoice", {"discount": {"id": "di_1", "coupon": None}}, {"discounts": [{"id": "di_1", "coupon": None}]}),
        ("invoice", {"paid": False, "forgiven": False, "closed": False}, {"auto_advance": True}),
        ("invoice", {"subscription": None, "quote": None}, {"parent": None}),
        (
            "invoice",
            {"quote": "qt_1", "subscription": None},
            {"parent": {"type": "quote_details", "quote_details": {"quote": "qt_1"}, "subscription_details": None}},
        ),
        (
            "invoice",
            {
                "subscription": "sub_1",
                "subscription_details": {"metadata": {"a": "b"}},
                "subscription_proration_date": 3,
            },
            {
                "parent": {
                    "type": "subscription_details",
                    "quote_details": None,
                    "subscription_details": {
                        "subscription": "sub_1",
                        "metadata": {"a": "b"},
                        "subscription_proration_date": 3,
                    },
                }
            },
        ),
        (
            "invoice",
            {"payment_intent": "pi_1", "charge": "ch_1", "paid": True},
            {
                "payments": {
                    "object": "list",
                    "has_more": False,
                    "data": [
                        {
                            "object": "invoice_payment",
                            "payment": {"type": "payment_intent", "payment_intent": "pi_1"},
                            "status": "paid",
                        }
                    ],
                }
            },
        ),
        (
            "invoice",
            {"payment_intent": None, "charge": "ch_1", "paid": False},
            {
                "payments": {
                    "object": "list",
                    "has_more": False,
                    "data": [{"object": "invoice_payment", "payment": {"type": "charge", "charge": "ch_1"}}],
                }
            },
        ),
        (
            "invoice",
            {
                "total_tax_amounts": [
                    {
                        "amount": 5,
                        "inclusive": True,
                        "tax_rate": "txr_1",
                        "taxable_amount": 9,
                        "taxability_reason": "x",
                    },
                    "odd",
                ]
            },
            {
                "total_taxes": [
                    {
                        "amount": 5,
                        "taxable_amount": 9,
                        "taxability_reason": "x",
                        "tax_behavior": "inclusive",
                        "tax_rate_details": {"tax_rate": "txr_1"},
                        "type": "tax_rate_details",
                    },
                    "odd",
                ]
            },
        ),
        (
            "line_item",
            {"tax_amounts": [{"amount": 5, "inclusive": False, "tax_rate": None}, {"amount": 1}]},
            {
                "taxes": [
                    {
                        "amount": 5,
                        "tax_behavior": "exclusive",
                        "tax_rate_details": None,
                        "type": "tax_rate_details",
                    },
                    {"amount": 1, "type": "tax_rate_details"},
                ]
            },
        ),
        (
            "line_item",
            {"id": "sub_1", "type": "subscription", "proration": True},
            {
                "parent": {
                    "type": "subscription_item_details",
                    "invoice_item_details": None,
                    "subscription_item_details": {
                        "proration": True,
                        "subscription": "sub_1",
                    },
                }
            },
        ),
        (
            "line_item",
            {
                "id": "il_1",
                "type": "subscription",
                "subscription": "sub_1",
                "subscription_item": "si_1",
                "invoice_item": None,
            },
            {
                "parent": {
                    "type": "subscription_item_details",
                    "invoice_item_details": None,
                    "subscription_item_details": {
                        "subscription": "sub_1",
                        "subscription_item": "si_1",
                        "invoice_item": None,
                    },
                }
            },
        ),
        (
            "line_item",
            {"id": "il_1", "type": "subscription"},
            {
                "parent": {
                    "type": "subscription_item_details",
                    "invoice_item_details": None,
                    "subscription_item_details": {},
                }
            },
        ),
        (
            "line_item",
            {"id": "ii_1", "type": "invoiceitem", "subscription": {"id": "sub_1"}},
            {
                "parent": {
                    "type": "invoice_item_details",
                    "invoice_item_details": {"subscription": "sub_1", "invoice_item": "ii_1"},
                    "subscription_item_details": None,
                }
            },
        ),
        (
            "line_item",
            {"id": "il_1", "type": "invoiceitem", "invoice_item": "ii_1"},
            {
                "parent": {
                    "type": "invoice_item_details",
                    "invoice_item_details": {"invoice_item": "ii_1"},
                    "subscription_item_details": None,
                }
            },
        ),
        (
            "line_item",
            {"price": {"id": "price_1", "product": {"id": "prod_1"}, "unit_amount": 100}},
            {
                "pricing": {
                    "type": "price_details",
                    "price_details": {"price": "price_1", "product": "prod_1"},
                    "unit_amount_decimal": "100",
                }
            },
        ),
        (
            "line_item",
            {"price": None, "plan": {"id": "plan_1", "product": "prod_1", "amount": None, "amount_decimal": "0.5"}},
            {
                "pricing": {
                    "type": "price_details",
                    "price_details": {"price": "plan_1", "product": "prod_1"},
                    "unit_amount_decimal": "0.5",
                }
            },
        ),
        (
            "line_item",
            {"price": {"id": "price_1"}},
            {
                "pricing": {
                    "type": "price_details",
                    "price_details": {"price": "price_1"},
                }
            },
        ),
        ("line_item", {"price": None, "plan": None}, {"pricing": None}),
        ("line_item", {"discount": None}, {"discounts": []}),
        ("payment_intent", {"status": "requires_source"}, {"status": "requires_payment_method"}),
        ("payment_intent", {"status": "requires_source_action"}, {"status": "requires_action"}),
        ("payment_intent", {"allowed_source_types": ["card"]}, {"payment_method_types": ["card"]}),
        ("payment_intent", {"next_source_action": None}, {"next_action": None}),
        ("payment_intent", {"source": "src_1"}, {"payment_method": "src_1"}),
        ("payment_intent", {"charges": {"data": [{"id": "ch_2"}, {"id": "ch_1"}]}}, {"latest_charge": "ch_2"}),
        ("payment_intent", {"charges": {"data": []}}, {"latest_charge": None}),
        ("payment_intent", {"charges": {"data": []}, "latest_charge": "ch_1"}, {"latest_charge": "ch_1"}),
        ("charge", {"dispute": None}, {"disputed": False}),
        ("charge", {"dispute": "dp_1"}, {"disputed": True}),
        ("charge", {"dispute": "dp_1", "disputed": False}, {"disputed": False}),
        (
            "charge",
            {"source": CARD},
            {
                "payment_method": "card_1",
                "payment_method_details": {
                    "type": "card",
                    "card": {"brand": "amex", "last4": "0005", "exp_month": 3, "exp_year": 2030},
                },
            },
        ),
        (
            "charge",
            {"card": {"id": "card_1", "object": "card", "type": "Visa", "last4": "4242"}},
            {"payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "4242"}}},
        ),
        (
            "charge",
            {"source": {"object": "card", "last4": "4242"}},
            {"payment_method_details": {"type": "card", "card": {"last4": "4242"}}},
        ),
        ("charge", {"source": {"id": "ba_1", "object": "bank_account"}}, {"payment_method": "ba_1"}),
        (
            "charge",
            {"source": CARD, "payment_method": "pm_1", "payment_method_details": {"type": "link"}},
            {"payment_method": "pm_1", "payment_method_details": {"type": "link"}},
        ),
        ("card", {"type": "Visa"}, {"brand": "Visa"}),
        ("card", {"type": "Visa", "brand": "MasterCard"}, {"brand": "MasterCard"}),
        ("plan", {"name": "Gold"}, {"nickname": "Gold", "usage_type": "licensed"}),
        ("plan", {"name": "Gold", "nickname": None, "usage_type": "metered"}, {"nickname": None}),
        ("plan", {"amount": 500}, {"billing_scheme": "per_unit", "amount_decimal": "500"}),
        (
            "plan",
            {"tiers": [{"amount": 5, "up_to": 3}, {"unit_amount": 4, "up_to": None}]},
            {"tiers": [{"amount": 5, "unit_amount": 5, "up_to": 3}, {"unit_amount": 4, "up_to": None}]},
        ),
        ("plan", {"tiers": [{"unit_amount": 4}]}, {"tiers": [{"unit_amount": 4}]}),
        ("product", {"features": [{"name": "Fast"}]}, {"marketing_features": [{"name": "Fast"}]}),
        ("product", {"features": [{"name": "Fast"}], "marketing_features": []}, {"marketing_features": []}),
        ("coupon", {"percent_off": 26, "percent_off_precise": 25.5}, {"percent_off": 25.5}),
        ("coupon", {"percent_off": 25.5}, {"percent_off": 25.5}),
        ("discount", {"coupon": "c_1"}, {"source": {"type": "coupon", "coupon": "c_1"}}),
        (
            "discount",
            {"coupon": {"id": "c_1", "percent_off": 26, "percent_off_precise": 25.5}},
            {
                "source": {
                    "type": "coupon",
                    "coupon": {"id": "c_1", "percent_off": 25.5, "percent_off_precise": 25.5},
                }
            },
        ),
        ("discount", {"coupon": "c_1", "source": {"coupon": "c_2"}}, {"source": {"coupon": "c_2"}}),
        ("promotion_code", {"coupon": "c_1"}, {"promotion": {"type": "coupon", "coupon": "c_1"}}),
        ("promotion_code", {"coupon": {"id": "c_1"}}, {"promotion": {"type": "coupon", "coupon": {"id": "c_1"}}}),
        ("promotion_code", {"promotion": {"coupon": "c_1"}}, {"promotion": {"coupon": "c_1"}}),
    ],
)
def test_an_old_path_is_told_by_the_new_one(
    _case_type: str, _case_old: dict[str, Any], _case_new: dict[str, Any]
) -> None:
    newest = upcast(_case_type, _case_old)

    assert {field: newest[field] for field in _case_new} == _case_new
    assert _case_old.keys() <= newest.keys(), "Nothing is taken away."


@pytest.mark.parametrize(
    ("_case_type", "_case_data", "_case_absent"),
    [
        ("customer", {"id": "cus_1"}, {"balance", "sources", "subscriptions", "tax_ids", "discounts"}),
        ("subscription", {"tax_percent": "19"}, {"default_tax_rates"}),
        ("subscription", {"id": "sub_1"}, {"items", "discounts", "currency", "collection_method", "start_date"}),
        ("subscription", {"items": {"data": []}}, {"currency"}),
        ("subscription", {"items": {"data": [{"price": "price_1"}]}}, {"currency"}),
        ("subscription", {"items": "odd"}, {"currency"}),
        ("subscription", {"items": {"data": "odd"}}, {"currency"}),
        ("invoice", {"closed": True, "paid": False}, {"status"}),
        ("invoice", {"amount_due": 500}, {"amount_paid", "amount_remaining"}),
        ("invoice", {"id": "in_1"}, {"parent", "payments", "lines", "total_taxes", "discounts", "created"}),
        ("invoice", {"payment_intent": None, "charge": None}, {"payments"}),
        ("line_item", {"id": "il_1"}, {"parent", "pricing", "taxes"}),
        ("line_item", {"id": "il_1", "type": "odd"}, {"parent"}),
        ("payment_intent", {"charges": {"data": "odd"}}, {"latest_charge"}),
        ("payment_intent", {"charges": "odd"}, {"latest_charge"}),
        ("charge", {"source": {"id": "ba_1", "object": "bank_account"}}, {"payment_method_details"}),
        ("charge", {"id": "ch_1", "source": "card_1"}, {"disputed", "payment_method", "payment_method_details"}),
        ("plan", {"amount": None}, {"billing_scheme", "amount_decimal", "nickname", "tiers", "active", "product"}),
        ("product", {"features": "odd"}, {"marketing_features"}),
        ("card", {"last4": "4242"}, {"brand"}),
        ("invoice", {"amount_due": 5, "paid": True, "amount_remaining": 5}, {"amount_paid"}),
        ("discount", {"coupon": None}, {"source"}),
        ("promotion_code", {}, {"promotion"}),
    ],
)
def test_what_is_not_known_stays_absent(_case_type: str, _case_data: dict[str, Any], _case_absent: set[str]) -> None:
    assert not _case_absent & upcast(_case_type, _case_data).keys()
