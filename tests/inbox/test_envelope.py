from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.instance import customer, encoded, event
from trueup.inbox.intake.envelope import Envelope, Unusable, read
from trueup.inbox.types import Kind, Reason

THIN: dict[str, Any] = {
    "id": "evt_test_65R",
    "object": "v2.core.event",
    "type": "v2.core.account.updated",
    "livemode": True,
    "created": "2026-09-21T12:30:45.250Z",
    "context": "acct_1Plat/acct_1Conn",
    "related_object": {"id": "acct_1Conn", "type": "v2.core.account", "url": "/v2/core/accounts/acct_1Conn"},
}


def told(**fields: Any) -> bytes:
    return encoded(event("customer.created", customer(), id="evt_1", at=1_790_000_000, **fields))


def refusal(body: bytes) -> Reason:
    with pytest.raises(Unusable) as raised:
        read(body)
    return raised.value.reason


def test_a_snapshot_gives_what_is_stored_beside_it() -> None:
    body = told(
        account="acct_1Conn",
        data={"object": {"id": "in_1", "object": "invoice", "customer": {"id": "cus_9", "object": "customer"}}},
    )

    assert read(body) == Envelope(
        event_id="evt_1",
        kind=Kind.SNAPSHOT,
        type="customer.created",
        created=1_790_000_000,
        livemode=False,
        account="acct_1Conn",
        api_version="2026-10-28.endive",
        object_type="invoice",
        object_id="in_1",
        customer="cus_9",
    )


def test_a_customer_belongs_to_itself() -> None:
    assert read(told()).customer == "cus_1"


def test_a_thin_event_names_its_object_and_the_innermost_account() -> None:
    assert read(encoded(THIN)) == Envelope(
        event_id="evt_test_65R",
        kind=Kind.THIN,
        type="v2.core.account.updated",
        created=1_789_993_845,
        livemode=True,
        account="acct_1Conn",
        api_version=None,
        object_type="v2.core.account",
        object_id="acct_1Conn",
        customer=None,
    )


@pytest.mark.parametrize("context", [None, "", 5, [], {}])
def test_a_thin_event_without_a_context_belongs_to_the_endpoint_case(context: object) -> None:
    assert read(encoded(THIN | {"context": context})).account is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"api_version": None}, {"api_version": None}),
        ({"api_version": 5}, {"api_version": None}),
        ({"livemode": None}, {"livemode": None}),
        ({"livemode": "yes"}, {"livemode": None}),
        ({"account": None}, {"account": None}),
        ({"account": ""}, {"account": None}),
        ({"object": "something"}, {"kind": Kind.SNAPSHOT}),
        ({"created": 0}, {"created": 0}),
        ({"data": None}, {"object_type": None, "object_id": None, "customer": None}),
        ({"data": []}, {"object_type": None}),
        ({"data": {"object": None}}, {"object_type": None}),
        ({"data": {"object": []}}, {"object_id": None}),
        ({"data": {"object": {"id": 5, "object": ["x"]}}}, {"object_type": None, "object_id": None}),
        ({"data": {"object": {"id": "x\x00", "object": "y\x00"}}}, {"object_type": None, "object_id": None}),
        ({"data": {"object": {"id": "x" * 513, "object": "y"}}}, {"object_type": "y", "object_id": None}),
        (
            {"data": {"object": {"id": "x", "object": "y", "customer": {"id": ["z"]}}}},
            {"object_id": "x", "customer": None},
        ),
    ],
)
def test_odd_fields_beside_the_key_do_not_cost_the_event_case(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    envelope = read(told(**fields))

    assert envelope.event_id == "evt_1"
    assert {name: getattr(envelope, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.NOT_JSON),
        (b"null", Reason.NOT_JSON),
        (b"5", Reason.NOT_JSON),
        (b"[]", Reason.NOT_JSON),
        (b'{"id": "evt_1"', Reason.NOT_JSON),
        (b'{"id": "evt_1"} {}', Reason.NOT_JSON),
        (b'\xef\xbb\xbf{"id": "evt_1"}', Reason.NOT_JSON),
        (told().replace(b"evt_1", b"evt_\xff"), Reason.NOT_JSON),
        (told(livemode="@").replace(b'"@"', b"NaN"), Reason.NOT_JSON),
        (b"{}", Reason.NO_ID),
        (told().replace(b'"evt_1"', b"5"), Reason.NO_ID),
        (told().replace(b'"evt_1"', b'""'), Reason.NO_ID),
        (told().replace(b"evt_1", b"\\ud800"), Reason.UNREADABLE),
        (told().replace(b"customer.created", b"\\udfff"), Reason.UNREADABLE),
        (told().replace(b"evt_1", b"e" * 513), Reason.UNREADABLE),
        (told().replace(b"customer.created", b"t" * 513), Reason.UNREADABLE),
        (told().replace(b'"customer.created"', b"null"), Reason.UNREADABLE),
        (told(created=-1), Reason.UNREADABLE),
        (told(created=True), Reason.UNREADABLE),
        (told(created=1.5), Reason.UNREADABLE),
        (told(created=None), Reason.UNREADABLE),
        (told(created=253_402_300_800), Reason.UNREADABLE),
        (told(created=10**30), Reason.UNREADABLE),
        (told(created="@").replace(b'"@"', b"1" * 5000), Reason.UNREADABLE),
        (told(created="2026-09-21T12:30:45"), Reason.UNREADABLE),
        (encoded(THIN | {"created": "0001-01-01T00:00:00Z"}), Reason.UNREADABLE),
        (encoded(THIN | {"created": "9999-12-31T23:59:59-23:59"}), Reason.UNREADABLE),
        (encoded(THIN | {"context": "acct_1/../x\x00"}), Reason.UNREADABLE),
        (told(account="acct 1"), Reason.UNREADABLE),
        (told(account=5), Reason.UNREADABLE),
        (told(account="a" * 129), Reason.UNREADABLE),
        (told(data="@").replace(b'"@"', b"[" * 200_000 + b"]" * 200_000), Reason.UNREADABLE),
    ],
)
def test_what_cannot_be_stored_under_its_key_says_why_case(body: bytes, reason: Reason) -> None:
    assert refusal(body) is reason


def test_a_lone_surrogate_somewhere_else_does_not_cost_the_event() -> None:
    body = encoded(event("customer.created", customer(name="@"), id="evt_1")).replace(b'"@"', b'"\\ud800"')

    assert read(body).object_id == "cus_1"


def test_a_big_number_somewhere_else_does_not_cost_the_event() -> None:
    body = encoded(event("customer.created", customer(balance=10**40), id="evt_1"))

    assert read(body).object_id == "cus_1"


def test_of_two_keys_of_one_name_the_last_counts_as_it_does_for_the_mirror() -> None:
    body = (
        b'{"id": "evt_a", "id": "evt_b", "type": "x.y", "created": 5, "created": 7,'
        b' "data": {"object": {"id": "o_1", "id": "o_2", "object": "o"}}}'
    )

    envelope = read(body)

    parsed = orjson.loads(body)
    assert (
        (envelope.event_id, envelope.created, envelope.object_id)
        == (parsed["id"], parsed["created"], parsed["data"]["object"]["id"])
        == ("evt_b", 7, "o_2")
    )


def test_the_reason_never_quotes_the_body() -> None:
    with pytest.raises(Unusable) as raised:
        read(b'{"id": "evt_1", "type": "x", "created": "ada@acme.example"}')

    assert "ada" not in raised.value.detail


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["id", "object", "type", "created", "livemode", "account", "context", "api_version", "data", "related_object"]
)


@given(st.dictionaries(NAMES, ANYTHING | st.sampled_from(["v2.core.event", "evt_1", 1_790_000_000])))
def test_any_json_is_an_envelope_or_says_why_not(body: dict[str, Any]) -> None:
    envelope, why = None, ""
    try:
        envelope = read(json.dumps(body).encode())
    except Unusable as error:
        why = error.detail

    assert (envelope is None) == bool(why)
    assert envelope is None or 0 <= envelope.created < 253_402_214_400
    assert envelope is None or all(
        _fits(text) for text in (envelope.event_id, envelope.type, envelope.object_id or "x")
    )


def _fits(text: str) -> bool:
    """Whether a column takes it, but for NUL characters, which the database itself refuses."""
    return 0 < len(text) <= 512 and bool(text.encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_an_envelope_or_say_why_not(body: bytes) -> None:
    with pytest.raises(Unusable):
        read(body)
