"""Where each type of object is read: its path, its lists, and what has to be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from trueup.connectors.stripe.resources import BACKFILL, RESOURCES, Inner, Parent, endpoint
from trueup.kernel.errors import Refused
from trueup.sandbox import start

NOT_IN_THE_SANDBOX = {"tax_rate", "quote", "checkout.session"}


def test_one_object_has_a_path() -> None:
    assert RESOURCES["customer"].one("cus_1") == "/v1/customers/cus_1"
    assert RESOURCES["customer_balance_transaction"].one("cbtxn_1") is None
    assert (
        RESOURCES["customer_balance_transaction"].one("cbtxn_1", parent="cus_1")
        == "/v1/customers/cus_1/balance_transactions/cbtxn_1"
    )
    assert RESOURCES["setup_attempt"].one("setatt_1") is None


def test_a_list_is_asked_for_so_that_it_is_whole() -> None:
    assert RESOURCES["subscription"].many() == (("/v1/subscriptions", {"status": "all"}),)
    assert RESOURCES["price"].many() == (("/v1/prices", {"active": "true"}), ("/v1/prices", {"active": "false"}))
    assert RESOURCES["mandate"].many() == ()


def test_a_list_within_something_is_asked_for_each_of_these() -> None:
    assert RESOURCES["payment_method"].parent == Parent("customer", "customer")
    assert RESOURCES["payment_method"].many() == ()
    assert RESOURCES["payment_method"].many(parent="cus_1") == (("/v1/payment_methods", {"customer": "cus_1"}),)
    assert RESOURCES["tax_id"].many(parent="cus_1") == (("/v1/customers/cus_1/tax_ids", {}),)


def test_lists_inside_an_object_say_where_the_whole_of_them_is() -> None:
    [lines, payments] = RESOURCES["invoice"].lists
    assert lines.whole("in_1") == ("/v1/invoices/in_1/lines", {})
    assert payments.whole("in_1") == ("/v1/invoice_payments", {"invoice": "in_1"})
    assert RESOURCES["subscription"].lists == (Inner("items", "/v1/subscription_items", "subscription"),)


def test_filters_are_those_that_the_list_takes() -> None:
    filters = {
        name: (found.created_filter, found.by_clock, found.by_customer)
        for name, found in RESOURCES.items()
        if name in {"customer", "subscription", "invoice", "subscription_item", "quote"}
    }

    assert filters == {
        "customer": (True, True, False),
        "subscription": (True, True, True),
        "invoice": (True, False, True),
        "subscription_item": (False, False, False),
        "quote": (False, True, True),
    }


def test_whatever_is_within_something_comes_after_it() -> None:
    for place, name in enumerate(BACKFILL):
        parent = RESOURCES[name].parent
        assert RESOURCES[name].list is not None, name
        assert parent is None or parent.object_type in BACKFILL[:place], name


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/v1/invoices", "GET /v1/invoices"),
        ("/v1/invoices/in_1", "GET /v1/invoices/{id}"),
        ("/v1/invoices/in_1/lines", "GET /v1/invoices/{id}/lines"),
        ("/v1/coupons/SUMMER", "GET /v1/coupons/{id}"),
        ("/v1/checkout/sessions", "GET /v1/checkout/sessions"),
        ("/v1/test_helpers/test_clocks/clock_1", "GET /v1/test_helpers/test_clocks/{id}"),
        ("/v1/customers/cus_1/tax_ids", "GET /v1/customers/{id}/tax_ids"),
        ("/v1/account", "GET /v1/account"),
        ("/v1/events/evt_1", "GET /v1/events/{id}"),
        ("/v3/what/ever/it/is", "GET /v3/what"),
    ],
)
def test_paths_are_told_by_the_operation_that_they_are(path: str, operation: str) -> None:
    assert endpoint(path) == operation


def test_the_sandbox_takes_every_list_of_a_backfill() -> None:
    refused = set()
    with start(seed="lists") as sandbox:
        customer = sandbox.request("POST", "/v1/customers")["id"]
        for name in BACKFILL:
            for path, params in RESOURCES[name].many(parent=customer if RESOURCES[name].parent else ""):
                created: dict[str, Any] = {"created": {"gte": 0, "lt": 5}} if RESOURCES[name].created_filter else {}
                try:
                    page = sandbox.request("GET", path, {**params, **created, "limit": 1})
                except Refused:
                    refused.add(name)
                else:
                    assert page["object"] == "list"

    assert refused == NOT_IN_THE_SANDBOX
