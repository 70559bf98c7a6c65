"""What is told about objects: nothing about good ones, and everything that is wrong about others."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.sandbox.wire.schema import violations

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


@settings(deadline=None)
@given(st.dictionaries(FIELDS, st.one_of(JSON, WORDS, st.dictionaries(FIELDS, st.one_of(JSON, WORDS)))))
def test_whatever_it_is_given_it_answers(obj: Json) -> None:
    before = copy.deepcopy(obj)

    assert all(isinstance(line, str) for line in violations(obj))
    assert repr(obj) == repr(before)
