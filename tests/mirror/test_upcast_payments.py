"""Credit notes, payments, checkout, events and alerts: what exactly is made of an old payload."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.mirror.upcast import upcast

Json = dict[str, Any]

CARD = {
    "id": "card_1",
    "object": "card",
    "address_city": "Bern",
    "address_zip": "3000",
    "brand": "Visa",
    "name": "Ada",
}


@pytest.mark.parametrize(
    ("_case_type", "_case_old", "_case_added"),
    [
        # Credit notes
        (
            "credit_note",
            {"type": "pre_payment", "amount": 500, "refund": None, "tax_amounts": [{"amount": 5}]},
            {
                "pre_payment_amount": 500,
                "post_payment_amount": 0,
                "refunds": [],
                "total_taxes": [{"amount": 5, "type": "tax_rate_details"}],
            },
        ),
        (
            "credit_note",
            {"type": "post_payment", "amount": 500, "refund": "re_1", "out_of_band_amount": None}
            | {"customer_balance_transaction": None},
            {
                "pre_payment_amount": 0,
                "post_payment_amount": 500,
                "refunds": [{"refund": "re_1", "amount_refunded": 500}],
            },
        ),
        (
            "credit_note",
            {"type": "post_payment", "amount": 500, "refund": "re_1", "out_of_band_amount": 200},
            {"pre_payment_amount": 0, "post_payment_amount": 500, "refunds": [{"refund": "re_1"}]},
        ),
        (
            "credit_note",
            {"refund": {"id": "re_1", "amount": 300}, "type": "mixed", "amount": 500},
            {"refunds": [{"refund": {"id": "re_1", "amount": 300}, "amount_refunded": 300}]},
        ),
        ("credit_note", {"refund": "re_1", "refunds": [], "amount": 5, "type": ["odd"]}, {}),
        ("credit_note", {"pre_payment_amount": 5, "type": "pre_payment", "amount": 5, "lines": {"data": [{}]}}, {}),
        (
            "credit_note",
            {"lines": {"data": [{"tax_amounts": []}]}},
            {"lines": {"data": [{"tax_amounts": [], "taxes": []}]}},
        ),
        # Payments
        ("charge", {"amount": 500, "amount_refunded": 0, "captured": False}, {"amount_captured": 0}),
        ("charge", {"amount": 500, "amount_refunded": 0, "captured": True, "paid": True}, {"amount_captured": 500}),
        ("charge", {"amount": 500, "amount_refunded": 0, "captured": True, "paid": False}, {}),
        ("charge", {"amount": 500, "amount_refunded": 100, "captured": True, "paid": True}, {}),
        ("charge", {"amount_captured": None, "amount_refunded": 0, "captured": False}, {}),
        (
            "charge",
            {"source": CARD},
            {
                "payment_method": "card_1",
                "payment_method_details": {"type": "card", "card": {"brand": "visa"}},
                "billing_details": {"address": {"city": "Bern", "postal_code": "3000"}, "name": "Ada"},
            },
        ),
        ("charge", {"source": CARD, "payment_method": None, "payment_method_details": None, "billing_details": {}}, {}),
        (
            "charge",
            {"payment_method_details": {"type": "card", "card": {"three_d_secure": {"authenticated": True}}}},
            {},
        ),
        (
            "charge",
            {"payment_method_details": {"card": {"three_d_secure": {"authenticated": True, "succeeded": True}}}},
            {
                "payment_method_details": {
                    "card": {"three_d_secure": {"authenticated": True, "succeeded": True, "result": "authenticated"}}
                }
            },
        ),
        ("charge", {"payment_method_details": {"card": {"three_d_secure": {"result": "failed"}}}}, {}),
        (
            "payment_intent",
            {"next_source_action": {"type": "authorize_with_url", "authorize_with_url": {"url": "https://a.test"}}},
            {
                "next_action": {
                    "type": "redirect_to_url",
                    "authorize_with_url": {"url": "https://a.test"},
                    "redirect_to_url": {"url": "https://a.test"},
                }
            },
        ),
        (
            "payment_intent",
            {"next_source_action": {"type": "authorize_with_url", "value": {"url": "https://a.test"}}},
            {
                "next_action": {
                    "type": "redirect_to_url",
                    "value": {"url": "https://a.test"},
                    "redirect_to_url": {"url": "https://a.test"},
                }
            },
        ),
        (
            "payment_intent",
            {"next_source_action": {"type": "use_stripe_sdk"}},
            {"next_action": {"type": "use_stripe_sdk"}},
        ),
        (
            "payment_intent",
            {"latest_charge": "ch_1", "charges": {"data": [{"id": "ch_1", "dispute": None}]}},
            {"charges": {"data": [{"id": "ch_1", "dispute": None, "disputed": False}]}},
        ),
        # Checkout
        ("checkout.session", {"ui_mode": "hosted"}, {"ui_mode": "hosted_page"}),
        ("checkout.session", {"ui_mode": "embedded"}, {"ui_mode": "embedded_page"}),
        ("checkout.session", {"ui_mode": "custom"}, {"ui_mode": "elements"}),
        ("checkout.session", {"ui_mode": "form"}, {}),
        (
            "checkout.session",
            {"shipping": {"name": "A"}},
            {"collected_information": {"shipping_details": {"name": "A"}}},
        ),
        (
            "checkout.session",
            {
                "shipping_details": {"name": "A"},
                "collected_information": {"business_name": "B", "shipping_details": None},
            },
            {"collected_information": {"business_name": "B", "shipping_details": {"name": "A"}}},
        ),
        (
            "checkout.session",
            {"shipping_details": {"name": "A"}, "collected_information": {"shipping_details": {"name": "B"}}},
            {},
        ),
        ("checkout.session", {"shipping_details": None, "shipping": None}, {}),
        ("checkout.session", {"shipping_rate": "shr_1"}, {"shipping_cost": {"shipping_rate": "shr_1"}}),
        ("checkout.session", {"shipping_rate": "shr_1", "shipping_cost": {"amount_total": 5}}, {}),
        (
            "checkout.session",
            {
                "display_items": [
                    {"amount": 5, "currency": "usd", "quantity": 2, "custom": {"name": "Hat"}},
                    {"plan": {"id": "plan_1", "usage_type": "licensed"}},
                    "odd",
                ]
            },
            {
                "line_items": {
                    "object": "list",
                    "data": [
                        {"object": "item", "currency": "usd", "quantity": 2, "description": "Hat"},
                        {
                            "object": "item",
                            "price": {
                                "id": "plan_1",
                                "object": "price",
                                "recurring": {"usage_type": "licensed"},
                                "type": "recurring",
                            },
                        },
                        "odd",
                    ],
                }
            },
        ),
        # Events and alerts
        ("event", {"request": "req_1", "user_id": "acct_1"}, {"request": {"id": "req_1"}, "account": "acct_1"}),
        ("event", {"request": {"id": "req_1"}, "account": "acct_2", "user_id": "acct_1", "type": "plan.created"}, {}),
        (
            "event",
            {"type": "payment_method.card_automatically_updated"},
            {"type": "payment_method.automatically_updated"},
        ),
        (
            "billing.alert",
            {"filter": {"customer": "cus_1"}, "usage_threshold_config": {"gte": 5, "meter": "mtr_1"}},
            {
                "usage_threshold": {
                    "gte": 5,
                    "meter": "mtr_1",
                    "filters": [{"type": "customer", "customer": "cus_1"}],
                }
            },
        ),
        (
            "billing.alert",
            {"filter": None, "usage_threshold_config": {"gte": 5}},
            {"usage_threshold": {"gte": 5, "filters": []}},
        ),
        ("billing.alert", {"usage_threshold_config": {"gte": 5}}, {"usage_threshold": {"gte": 5}}),
        ("billing.alert", {"usage_threshold": {"gte": 6}, "usage_threshold_config": {"gte": 5}}, {}),
        ("billing.alert", {"filter": {"customer": "cus_1"}}, {}),
    ],
)
def test_what_an_old_payload_becomes_is_what_it_was_and_exactly_this(
    _case_type: str, _case_old: Json, _case_added: Json
) -> None:
    newest = upcast(_case_type, _case_old)

    assert newest == _case_old | _case_added
    assert (newest is _case_old) is (not _case_added)
