"""What is told about objects: nothing about good ones, and everything that is wrong about others."""

from __future__ import annotations

import copy
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.sandbox.wire.schema import (
    enum,
    event_object,
    event_objects,
    event_types,
    expandable,
    fields,
    kinds,
    list_of,
    violations,
)

Json = dict[str, Any]

CLOCK: Final[Json] = {
    "id": "clock_1",
    "object": "test_helpers.test_clock",
    "created": 1,
    "deletes_after": 2,
    "frozen_time": 1,
    "livemode": False,
    "name": None,
    "status": "ready",
    "status_details": {},
}
COUPON: Final[Json] = {
    "id": "gold",
    "object": "coupon",
    "created": 1,
    "duration": "once",
    "livemode": False,
    "metadata": {"a": "b"},
    "percent_off": 12.5,
    "times_redeemed": 0,
    "valid": True,
}
CUSTOMER: Final[Json] = {"id": "cus_1", "object": "customer", "created": 1, "livemode": False}
TAX_ID: Final[Json] = {
    "id": "txi_1",
    "object": "tax_id",
    "country": None,
    "created": 1,
    "customer": "cus_1",
    "livemode": False,
    "owner": None,
    "type": "eu_vat",
    "value": "1",
    "verification": None,
}


def page(*entries: object, **more: object) -> Json:
    """A list object."""
    return {"object": "list", "data": list(entries), "has_more": False, "url": "/v1/things"} | more


def event(type_: str, obj: Json) -> Json:
    """A snapshot event."""
    return {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1,
        "data": {"object": obj},
        "livemode": False,
        "pending_webhooks": 0,
        "request": None,
        "type": type_,
    }


def recorded(shared: Path) -> Iterator[tuple[str, Json]]:
    """Every recorded object and event with the API version it came in."""
    corpus = shared / "stripe" / "corpus"
    with (corpus / "INDEX.csv").open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            if row["kind"] != "error":
                yield row["api_version"], json.loads((corpus / row["file"]).read_bytes())


# --- one object ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("obj", [CLOCK, COUPON, CUSTOMER, TAX_ID])
def test_nothing_is_wrong_with_what_is_as_the_schema_says(obj: Json) -> None:
    assert violations(obj) == []
    assert violations(obj, obj["object"]) == []


@pytest.mark.parametrize(
    ("_case", "changed", "expected"),
    [
        ("unknown field", {"colour": "red"}, ["colour: unknown field of coupon"]),
        ("null where there is none", {"valid": None}, ["valid: None is not a boolean"]),
        ("text for a number", {"created": "1"}, ["created: '1' is not an integer"]),
        ("a truth for a number", {"created": True}, ["created: True is not an integer"]),
        ("a fraction for an integer", {"times_redeemed": 1.0}, ["times_redeemed: 1.0 is not an integer"]),
        ("a number for a truth", {"livemode": 0}, ["livemode: 0 is not a boolean"]),
        ("text for a fraction", {"percent_off": "12.5"}, ["percent_off: '12.5' is not a number"]),
        ("a number for text", {"name": 5}, ["name: 5 is not a string"]),
        ("outside an enum", {"duration": "never"}, ["duration: 'never' is not one of forever, once, repeating"]),
        ("not even text", {"duration": ["once"]}, ["duration: ['once'] is not one of forever, once, repeating"]),
        ("a map's value", {"metadata": {"a": 1, "b": "2"}}, ["metadata[a]: 1 is not a string"]),
        ("no map", {"metadata": []}, ["metadata: [] is not a map"]),
        ("no object", {"applies_to": "prod_1"}, ["applies_to: 'prod_1' is not an object"]),
        ("inside", {"applies_to": {"products": [1]}}, ["applies_to.products[0]: 1 is not a string"]),
        ("no array", {"applies_to": {"products": "p"}}, ["applies_to.products: 'p' is not an array"]),
        ("missing inside", {"applies_to": {}}, ["applies_to.products: missing"]),
        ("deleted is true or not there", {"deleted": False}, ["deleted: False is not true"]),
        (
            "all of it is told",
            {"valid": 1, "x": 1},
            ["valid: 1 is not a boolean", "x: unknown field of coupon"],
        ),
    ],
)
def test_what_is_not_as_the_schema_says_is_told_with_its_place(_case: str, changed: Json, expected: list[str]) -> None:
    assert violations(COUPON | changed) == expected


def test_what_is_missing_is_told_unless_it_may_be_null() -> None:
    bare = {key: value for key, value in COUPON.items() if key not in {"valid", "created", "metadata", "percent_off"}}

    assert violations(bare) == ["created: missing", "valid: missing"]


def test_an_object_has_to_be_of_the_kind_that_was_expected() -> None:
    assert "object: 'coupon' is not one of customer" in violations(COUPON, "customer")
    assert violations({"id": "x", "object": "unicorn"}) == ["object: 'unicorn' is not a kind of object"]
    assert violations({"id": "x"}) == ["object: None is not a kind of object"]
    assert violations({"object": ["coupon"]}) == ["object: ['coupon'] is not a kind of object"]
    assert violations({"id": "x"}, "unicorn") == ["object: 'unicorn' is not a kind of object"]


def test_what_was_deleted_needs_no_more_than_its_id() -> None:
    assert violations({"id": "gold", "object": "coupon", "deleted": True}) == []
    assert violations({"object": "coupon", "deleted": True}) == ["id: missing"]
    assert violations(CLOCK | {"deleted": True}) == []
    assert "deleted: unknown field of subscription" in violations(
        {"id": "sub_1", "object": "subscription", "deleted": True}
    )


# --- ids, lists, several kinds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("customer", "expected"),
    [
        ("cus_1", []),
        (CUSTOMER, []),
        ({"id": "cus_1", "object": "customer", "deleted": True}, []),
        (CUSTOMER | {"test_clock": CLOCK}, []),
        (
            CUSTOMER | {"test_clock": CLOCK | {"status": "odd"}},
            ["customer.test_clock.status: 'odd' is not one of advancing, internal_failure, ready"],
        ),
        (5, ["customer: 5 is neither an id nor an object"]),
    ],
)
def test_an_id_may_stand_expanded(customer: object, expected: list[str]) -> None:
    assert violations(TAX_ID | {"customer": customer}) == expected


def test_of_several_kinds_an_object_is_what_it_says() -> None:
    assert violations(CUSTOMER | {"default_source": "card_1"}) == []
    assert violations(CUSTOMER | {"default_source": COUPON}) == [
        "default_source.object: 'coupon' is not one of account, bank_account, card, source"
    ]
    told = violations(CUSTOMER | {"default_source": {"id": "card_1", "object": "card"}})
    assert "default_source.exp_year: missing" in told


@pytest.mark.parametrize(
    ("_case", "listed", "expected"),
    [
        ("good", page(TAX_ID), []),
        ("told how many", page(TAX_ID, total_count=1), []),
        ("bare", [TAX_ID], [f"tax_ids: {[TAX_ID]!r} is not a list object"]),
        (
            "halves",
            {"object": "list", "data": []},
            ["tax_ids.has_more: missing", "tax_ids.url: missing"],
        ),
        ("something more", page(count=1), ["tax_ids.count: unknown field of a list"]),
        ("named otherwise", page(object="array"), ["tax_ids.object: 'array' is not one of list"]),
        ("others inside", page(TAX_ID, TAX_ID | {"value": 1}), ["tax_ids.data[1].value: 1 is not a string"]),
    ],
)
def test_a_list_inside_an_object_is_a_whole_list(_case: str, listed: object, expected: list[str]) -> None:
    assert violations(CUSTOMER | {"tax_ids": listed}) == expected


def test_the_entries_of_a_page_say_themselves_what_they_are() -> None:
    assert violations(page(COUPON, CLOCK)) == []
    assert violations(page(COUPON | {"valid": 1}, 5)) == [
        "data[0].valid: 1 is not a boolean",
        "data[1]: 5 is not an object",
    ]
    assert violations(page(page(COUPON | {"valid": 1}))) == ["data[0].data[0].valid: 1 is not a boolean"]


def test_a_search_result_says_where_it_goes_on() -> None:
    found = page(COUPON, object="search_result", next_page=None, total_count=1)

    assert violations(found) == []
    assert violations(found | {"next_page": 5}) == ["next_page: 5 is not a string"]
    assert violations(page(COUPON, next_page=None)) == ["next_page: unknown field of a list"]


def test_a_page_of_the_newer_api_has_addresses() -> None:
    assert violations({"data": [], "next_page_url": None, "previous_page_url": "/v2/x"}) == []
    assert violations({"data": [COUPON | {"valid": 1}], "next_page_url": 1}) == [
        "data[0].valid: 1 is not a boolean",
        "next_page_url: 1 is not a string",
    ]


def test_a_rule_may_be_an_id_or_told_in_full() -> None:
    outcome = {"type": "blocked", "rule": "rule_1"}

    assert violations(outcome, "charge:outcome") == []
    assert violations(outcome | {"rule": {"action": "block", "id": "r", "predicate": "p"}}, "charge:outcome") == []
    assert violations(outcome | {"rule": 5}, "charge:outcome") == ["rule: 5 is not a string"]


def test_some_integers_of_the_newer_api_are_text_and_amounts_are_not() -> None:
    assert violations({"currency": "usd", "value": 100}, "v2:amount") == []
    assert violations({"currency": "usd", "value": "100"}, "v2:amount") == ["value: '100' is not an integer"]
    succeeded = "v2.commerce.product_catalog_import:status_details.succeeded"
    assert violations({"success_count": "100"}, succeeded) == []
    assert violations({"success_count": 100}, succeeded) == ["success_count: 100 is not a string of an integer"]


# --- events ----------------------------------------------------------------------------------------------------------


def test_an_event_is_about_a_whole_object_of_its_kind() -> None:
    assert violations(event("coupon.created", COUPON)) == []
    assert violations(event("coupon.created", COUPON | {"valid": 1})) == ["data.object.valid: 1 is not a boolean"]
    assert violations(event("coupon.created", CLOCK)) == [
        "data.object.object: 'test_helpers.test_clock' is not one of coupon"
    ]
    assert violations(page(event("coupon.created", COUPON | {"valid": 1}))) == [
        "data[0].data.object.valid: 1 is not a boolean"
    ]
    assert violations(event("coupon.created", COUPON) | {"data": 5})[-1] == "data.object: None is not an object"
    assert violations(event("coupon.eaten", COUPON))[0].startswith("type: 'coupon.eaten' is not one of ")


def test_only_an_invoice_that_is_to_come_may_lack_an_id(shared: Path) -> None:
    invoice = json.loads((shared / "stripe" / "fixtures3.json").read_bytes())["resources"]["invoice"]
    del invoice["id"], invoice["subscription"]

    assert violations(event("invoice.upcoming", invoice)) == []
    assert violations(event("invoice.created", invoice)) == ["data.object.id: missing"]


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


# --- looking things up -----------------------------------------------------------------------------------------------


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


# --- recordings ------------------------------------------------------------------------------------------------------

OLD_FIXTURES: Final = {
    # Stripe's published fixtures are of an API version before the schema's: these came or went in between.
    "account_session": {
        *("components.payment_method_settings: missing", "components.reporting_chart: missing"),
        *("components.terminal_hardware_orders: missing", "components.terminal_hardware_shop: missing"),
    },
    "billing_portal.configuration": {"features.subscription_pause: missing"},
    "customer_session": {"components.active_entitlements: missing", "components.customer_portal: missing"},
    "dispute": {"evidence_details.submission_method: missing"},
    "event": {"data.object.aggregate_usage: unknown field of plan"},
    "invoice": {"subscription: unknown field of invoice"},
    "reserve.hold": {"destination: missing"},
    "reserve.plan": {"destination: missing"},
    "reserve.release": {
        "destination: missing",
        "reason: 'bulk_hold_expiry' is not one of hold_expired, hold_released_early, hold_reversed, plan_disabled",
    },
    "subscription_schedule": {"pause_schedules: missing"},
    # Kinds that the SDK does not have.
    "issuing.settlement": {"object: 'issuing.settlement' is not a kind of object"},
    "sigma.sigma_api_query": {"object: 'sigma.sigma_api_query' is not a kind of object"},
    "terminal.refund": {"object: 'terminal.refund' is not a kind of object"},
}


def test_stripes_own_fixtures_differ_where_their_version_does(shared: Path) -> None:
    fixtures = json.loads((shared / "stripe" / "fixtures3.json").read_bytes())["resources"]

    found = {name: set(lines) for name, obj in fixtures.items() if (lines := violations(obj))}

    assert found == OLD_FIXTURES
    assert len(fixtures) > 150


LATE: Final = {
    # What the API still sends though it is not documented, and what came after these versions.
    "2025-10-29.clover": {
        *("plan: unknown field of subscription", "quantity: unknown field of subscription"),
        *("destination: unknown field of charge", "dispute: unknown field of charge", "order: unknown field of charge"),
        *("billing_schedules: missing", "quantity_decimal: missing", "subtotal: missing"),
    },
    "2026-03-25.dahlia": {
        *("plan: unknown field of subscription", "quantity: unknown field of subscription"),
        "billing_schedules: missing",
    },
    "2026-08-26.dahlia": {"shared_payment_granted_token: unknown field of payment_intent"},
}


def test_late_recordings_differ_in_a_few_fields_only(shared: Path) -> None:
    found: dict[str, set[str]] = {version: set() for version in LATE}
    for version, obj in recorded(shared):
        if version in LATE:
            found[version] |= {_last(line) for line in violations(obj)}

    assert found == LATE


def _last(line: str) -> str:
    """A line with the last field of its path only."""
    path, _, told = line.partition(": ")
    return f"{path.rpartition('.')[2]}: {told}"


def test_every_recording_of_any_version_can_be_looked_at(shared: Path) -> None:
    looked = 0
    for _version, obj in recorded(shared):
        before = copy.deepcopy(obj)

        told = violations(obj)

        assert all(": " in line and not line.startswith((".", ":")) for line in told)
        assert obj == before
        looked += 1

    assert looked > 1400


# --- whatever comes --------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [*("object", "id", "data", "items", "customer", "lines", "metadata", "deleted", "type", "default_source", "url")]
)
WORDS = st.sampled_from(["customer", "invoice", "event", "list", "search_result", "subscription", "card", "coupon"])


@given(st.dictionaries(FIELDS, st.one_of(JSON, WORDS, st.dictionaries(FIELDS, st.one_of(JSON, WORDS)))))
def test_whatever_it_is_given_it_answers(obj: Json) -> None:
    before = copy.deepcopy(obj)

    assert all(isinstance(line, str) for line in violations(obj))
    assert repr(obj) == repr(before)
