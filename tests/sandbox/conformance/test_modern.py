"""Requests of older versions are put in the words of the newest."""

from __future__ import annotations

import pytest

from tests.sandbox.conformance.modern import modern
from tests.sandbox.conformance.scripts import SCRIPTS, script_of

OLD, NEW = "2019-08-14", "2025-10-29.clover"
SUBSCRIPTIONS, ONE, INTENTS = "/v1/subscriptions", "/v1/subscriptions/sub_1", "/v1/payment_intents"


@pytest.mark.parametrize(
    ("_case", "version", "path", "given", "expected"),
    [
        ("nothing to do", NEW, "/v1/customers", [("email", "a")], [("email", "a")]),
        ("a plan of items", NEW, SUBSCRIPTIONS, [("items[0][plan]", "p")], [("items[0][price]", "p")]),
        (
            "a plan and a number",
            NEW,
            ONE,
            [("plan", "p"), ("quantity", "2")],
            [("items[0][price]", "p"), ("items[0][quantity]", "2"), ("items[0][id]", "{subscription_item}")],
        ),
        ("an anchor", NEW, ONE, [("billing_cycle_anchor", "now")], [("billing_cycle_anchor[type]", "now")]),
        ("prorate", NEW, ONE, [("prorate", "true")], [("proration_behavior", "create_prorations")]),
        (
            "expanding what is gone",
            NEW,
            ONE,
            [("expand[0]", "latest_invoice.charge")],
            [("expand[0]", "latest_invoice")],
        ),
        ("expanding from charges", NEW, "/v1/charges/ch_1", [("expand[]", "invoice.subscription")], []),
        (
            "a coupon in classic times",
            OLD,
            SUBSCRIPTIONS,
            [("coupon", "c")],
            [("discounts[0][coupon]", "c"), ("billing_mode[type]", "classic")],
        ),
        (
            "an intent before methods were automatic",
            OLD,
            INTENTS,
            [],
            [("capture_method", "automatic"), ("automatic_payment_methods[enabled]", "false")],
        ),
        (
            "an invoice that took in what waits",
            OLD,
            "/v1/invoices",
            [],
            [("pending_invoice_items_behavior", "include")],
        ),
    ],
)
def test_parameters_are_put_in_todays_words(
    _case: str, version: str, path: str, given: list[tuple[str, str]], expected: list[tuple[str, str]]
) -> None:
    assert modern(path, given, version) == (path, expected)


def test_subscriptions_of_a_customer_are_made_among_all() -> None:
    assert modern("/v1/customers/cus_1/subscriptions", [], NEW) == (SUBSCRIPTIONS, [("customer", "cus_1")])


def test_a_test_that_was_renamed_has_its_script_and_a_forgotten_one_the_common_one() -> None:
    renamed = script_of("test_can_swap_a_subscription", OLD)

    assert renamed == SCRIPTS["test_stripe_can_swap_a_subscription"]
    assert script_of("test_something_else", OLD)[-1].startswith("POST /v1/subscriptions ")
