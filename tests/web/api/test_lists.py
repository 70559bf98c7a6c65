"""Customers and events: shapes, pages, searches, and the exact bytes."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from tests.web.api.conftest import Ask
from tests.web.console import world
from trueup.accounts.types import Account
from trueup.customer.listing import store
from trueup.customer.types import Kind
from trueup.ops import cli


def walk(ask: Ask, path: str, after_page: Any = lambda _page: None, **query: Any) -> list[Any]:
    """All rows of a list, page by page; ``after_page`` is called with each page's number."""
    rows: list[Any] = []
    cursor: dict[str, str] = {}
    for number in range(100):
        page = ask(path, **query, **cursor)
        assert set(page) == {"data", "next", "total"}
        rows += page["data"]
        if page["next"] is None:
            return rows
        assert len(page["data"]) == query["limit"]
        cursor = {"after": page["next"]}
        after_page(number)
    pytest.fail("the pages never end")


def test_an_empty_list_has_the_shape_of_any_other(ask: Ask) -> None:
    assert ask("/customers") == {"data": [], "next": None, "total": 0}
    assert ask("/events") == {"data": [], "next": None, "total": 0}


@pytest.mark.parametrize("sort", ["name", "-name", "mrr", "-mrr", "last_event_at", "-last_event_at"])
@pytest.mark.parametrize("limit", [1, 4, 9])
def test_pages_hold_every_customer_once_and_in_order(ask: Ask, account: Account, sort: str, limit: int) -> None:
    world.many(account, 9)
    whole = ask("/customers", sort=sort)["data"]

    paged = walk(ask, "/customers", sort=sort, limit=limit)

    assert paged == whole
    assert len({row["id"] for row in paged}) == 9
    names = [row["name"] for row in paged]
    assert names == sorted(names, reverse=sort.startswith("-")) or sort.endswith("mrr")


def test_no_customer_is_lost_or_shown_twice_while_new_ones_arrive(ask: Ask, account: Account) -> None:
    world.many(account, 7)
    before = {row["id"] for row in ask("/customers")["data"]}

    def arrive(number: int) -> None:
        new = world.customer(f"cus_new{number}", f"AAA {number}")
        world.told(account, world.event("customer.created", new, at=world.START + 10_000 + number))

    seen = [row["id"] for row in walk(ask, "/customers", arrive, limit=2)]

    assert len(seen) == len(set(seen))
    assert before <= set(seen)
    assert ask("/customers")["total"] > 7


def test_no_event_is_lost_or_shown_twice_while_new_ones_arrive(ask: Ask, account: Account) -> None:
    world.many(account, 5)
    before = {row["event_id"] for row in ask("/events")["data"]}
    assert len(before) == 10

    def arrive(number: int) -> None:
        world.told(account, world.event("customer.created", world.customer(f"cus_new{number}", "New")))

    seen = [row["event_id"] for row in walk(ask, "/events", arrive, limit=3)]

    assert len(seen) == len(set(seen))
    assert before <= set(seen)


def test_customers_are_found_by_the_beginnings_of_words_and_by_stage(ask: Ask, account: Account) -> None:
    world.many(account, 9)

    assert [row["stripe_customer_id"] for row in ask("/customers", q="comp 004")["data"]] == ["cus_004"]
    assert ask("/customers", q="C004@x.example")["total"] == 1
    assert ask("/customers", q="ompany")["total"] == 0
    past_due = ask("/customers", stage="past_due")
    assert {row["stage"] for row in past_due["data"]} == {"past_due"}
    assert past_due["total"] == 3
    assert ask("/customers", stage="past_due", q="company 000")["total"] == 0
    assert ask("/customers", q="' & | ! :* \\ (")["total"] == 0


def test_few_and_many_matches_of_a_search_are_told_alike(
    ask: Ask, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.many(account, 9)
    asked: list[dict[str, Any]] = [
        {"q": "company", "limit": 3, "sort": "-name"},
        {"q": "company", "stage": "past_due"},
        {"q": "company 004"},
        {"q": "nobody"},
    ]
    few = [ask("/customers", **query) for query in asked]

    monkeypatch.setattr(store, "FEW", 0)

    assert [ask("/customers", **query) for query in asked] == few
    assert [page["total"] for page in few] == [9, 3, 1, 0]


def test_a_customer_has_one_answer_by_our_id_and_by_stripes(ask: Ask, account: Account) -> None:
    world.many(account, 1)
    row = ask("/customers")["data"][0]

    customer = ask(f"/customers/{row['id']}")

    assert customer == ask("/customers/cus_000")
    assert {name: customer[name] for name in row} == row
    assert (customer["state"]["name"], customer["state"]["stage"]) == ("Company 000", "active")
    assert customer["state"]["mrr"] == [{"currency": "usd", "numerator": 1000, "denominator": 1, "minor": 1000}]
    assert customer["state"]["why"] == {}


def test_the_facts_behind_each_value_come_when_asked_for(ask: Ask, account: Account) -> None:
    world.many(account, 1)

    why = ask("/customers/cus_000", why="true")["state"]["why"]

    known = {event["event_id"] for event in ask("/events")["data"]}
    assert {"name", "stage", "mrr"} <= set(why)
    assert {fact["event_id"] for found in why.values() for fact in found["facts"]} <= known


def test_one_value_says_its_rule_and_the_events_that_told_it(ask: Ask, account: Account) -> None:
    world.many(account, 1)

    found = ask("/customers/cus_000/why/mrr")

    assert found["value"] == ask("/customers/cus_000")["state"]["mrr"]
    assert found["rule"] == "subscriptions.mrr"
    assert found["reason"].startswith("The licensed items")
    assert [fact["event_type"] for fact in found["facts"]] == ["customer.subscription.created"]


def test_a_customer_is_shown_as_of_a_moment(ask: Ask, account: Account) -> None:
    about = world.customer("cus_1", "Acme")
    other = {**about, "name": "Other"}
    renamed = world.event("customer.updated", other, at=world.START + 100, previous={"name": "Acme"})
    world.told(account, world.event("customer.created", about, at=world.START), renamed)

    def asked(**moments: str) -> Any:
        return ask("/customers/cus_1", **moments)["state"]["name"]

    before, after = (
        datetime.fromtimestamp(world.START + seconds, tz=UTC).isoformat().replace("+00:00", "") for seconds in (99, 100)
    )

    assert (asked(), asked(as_of=before), asked(as_of=f"{after}Z"), asked(as_of=after)) == (
        "Other",
        "Acme",
        "Other",
        "Other",
    )


def test_the_timeline_is_told_newest_first_and_page_by_page(ask: Ask, account: Account) -> None:
    about = world.customer("cus_1", "Acme")
    changes = [
        world.event(
            "customer.updated", {**about, "name": f"Acme {turn}"}, at=world.START + turn, previous={"name": "x"}
        )
        for turn in range(1, 8)
    ]
    world.told(account, world.event("customer.created", about), *changes)
    whole = ask("/customers/cus_1/timeline")["data"]

    paged = walk(ask, "/customers/cus_1/timeline", limit=3)

    assert paged == whole
    assert len(whole) == 8
    assert [entry["created"] for entry in whole] == sorted((entry["created"] for entry in whole), reverse=True)
    assert {entry["kind"] for entry in ask("/customers/cus_1/timeline", kind="customer")["data"]} == {"customer"}
    assert ask("/customers/cus_1/timeline", kind="payment")["data"] == []


def test_events_are_filtered_by_type_state_and_ids(ask: Ask, account: Account) -> None:
    world.many(account, 3)
    world.told(account, world.event("customer.created", world.customer("cus_w", "Waits")), drain=False)

    assert ask("/events", type="customer.subscription.created")["total"] == 3
    waiting = ask("/events", state="waiting")
    assert [row["object_id"] for row in waiting["data"]] == ["cus_w"]
    assert waiting["total"] == 1
    assert ask("/events", state="folded")["total"] == 6
    assert ask("/events", q="cus_001")["total"] == 2
    identifier = waiting["data"][0]["event_id"]
    assert [row["event_id"] for row in ask("/events", q=identifier)["data"]] == [identifier]
    assert ask("/events", q="evt_none")["total"] == 0


@pytest.mark.parametrize(
    "blanks",
    [b"", b"  \n", b"\r\n\t"],
)
def test_an_events_body_is_the_stored_bytes_exactly(program: Client, account: Account, blanks: bytes) -> None:
    told = world.event("customer.created", world.customer("cus_1", "Zoë \u2028 </script>"), id="evt_exact")
    body = blanks + json.dumps(told, ensure_ascii=True, indent=3).encode() + blanks
    world.told(account, body)

    answer = program.get("/api/v1/events/evt_exact").json()

    assert base64.b64decode(answer["body"], validate=True) == body
    assert answer["body_sha256"] == hashlib.sha256(body).hexdigest()
    assert answer["payload"] == told
    assert (answer["state"], answer["signature"], answer["redacted_at"]) == ("folded", "t=1,v1=00", None)


def test_an_unknown_kind_is_refused_with_the_ones_that_there_are(program: Client, ask: Ask, account: Account) -> None:
    world.many(account, 1)

    response = program.get("/api/v1/customers/cus_000/timeline", {"kind": ["payment", "gossip"]})

    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (422, "parameter_invalid")
    assert error["message"].startswith("A parameter cannot be used. kind: ")
    assert all(f"'{kind}'" in error["message"] for kind in Kind)
    kinds = {entry["kind"] for entry in ask("/customers/cus_000/timeline", kind=["customer"])["data"]}
    assert kinds == {"customer"}


def test_an_entry_of_the_timeline_names_source_fact_and_actor(ask: Ask, account: Account) -> None:
    told = world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_1")
    world.told(account, told | {"request": {"id": "req_1", "idempotency_key": "key-1"}})

    [entry] = ask("/customers/cus_1/timeline")["data"]

    assert entry["actor"] == {
        "kind": "api",
        "told": "by an API call req_1",
        "request_id": "req_1",
        "idempotency_key": "key-1",
    }
    assert (entry["source"], entry["event_id"], entry["object_type"], entry["object_id"]) == (
        "stripe",
        "evt_1",
        "customer",
        "cus_1",
    )


@pytest.mark.parametrize(
    ("path", "query", "arguments"),
    [
        ("/customers", {}, ["customers"]),
        ("/customers", {"limit": 2, "sort": "name"}, ["customers", "--limit", "2", "--sort", "name"]),
        ("/customers", {"stage": "past_due", "q": "comp"}, ["customers", "comp", "--stage", "past_due"]),
        ("/customers", {"account": "acme"}, ["customers", "--account", "acme"]),
        ("/people", {}, ["people"]),
        ("/limits", {}, ["limits"]),
        ("/customers/cus_000/links", {}, ["links", "cus_000"]),
        ("/objects/cus_000/versions", {"limit": 25}, ["object", "versions", "cus_000"]),
        ("/customers/cus_000", {}, ["customer", "show", "cus_000"]),
        ("/customers/cus_000", {"why": "true"}, ["customer", "show", "cus_000", "--why"]),
        ("/customers/cus_000/why/stage", {}, ["customer", "why", "cus_000", "stage"]),
        ("/customers/cus_000/timeline", {"limit": 25}, ["customer", "history", "cus_000"]),
        ("/events", {"type": "customer.created"}, ["events", "--type", "customer.created"]),
        ("/events", {"state": "waiting"}, ["events", "--state", "waiting"]),
        ("/events/evt_same", {}, ["event", "evt_same"]),
    ],
)
def test_the_command_line_prints_the_same_object(
    *,
    ask: Ask,
    account: Account,
    home: object,
    capsys: pytest.CaptureFixture[str],
    path: str,
    query: dict[str, Any],
    arguments: list[str],
) -> None:
    world.many(account, 4)
    world.told(account, world.event("customer.created", world.customer("cus_9", "Nine"), id="evt_same"), drain=False)

    assert cli.run([*arguments, "--json"]) == 0

    assert json.loads(capsys.readouterr().out) == ask(path, **query)


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("/customers/cus_none", ["customer", "show", "cus_none"]),
        ("/customers?sort=colour", ["customers", "--sort", "colour"]),
        ("/customers?after=x", ["customers", "--after", "x"]),
        ("/events/evt_none", ["event", "evt_none"]),
    ],
)
def test_the_command_line_refuses_with_the_same_object(
    *, program: Client, home: object, capsys: pytest.CaptureFixture[str], path: str, arguments: list[str]
) -> None:
    assert cli.run([*arguments, "--json"]) == 2

    assert json.loads(capsys.readouterr().out) == program.get(f"/api/v1{path}").json()
