"""Who a customer is, asked and said by programs: scopes, shapes, refusals, and the same objects on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from tests.customer.identity.told import configure
from tests.web.api import shapes
from tests.web.api.conftest import Ask
from tests.web.console import world
from trueup.accounts.types import Account
from trueup.audit import service as audit
from trueup.kernel.actor import system
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Scope
from trueup.ops import cli
from trueup.runtime import configuration, database

Send = Callable[..., Any]

WRITES = [
    ("post", "/customers/cus_000/links", {"kind": "user", "value": "u1"}),
    ("delete", "/customers/cus_000/links?kind=user&value=u1", None),
    ("post", "/customers/cus_000/merge", {"others": ["cus_001"]}),
    ("post", "/customers/cus_000/split", {}),
    ("post", "/duplicates/dismissals", {"first": "cus_000", "second": "cus_001"}),
    ("delete", "/duplicates/dismissals?first=cus_000&second=cus_001", None),
]


@pytest.fixture
def writer(db: None) -> Client:
    """A program that may write."""
    token = tokens.create_token(name="app", scopes=[Scope.WRITE], by=system("test")).token
    return Client(headers={"authorization": f"Bearer {token}"}, raise_request_exception=False)


@pytest.fixture
def send(writer: Client) -> Send:
    """Send a body and get the status and the JSON of the answer."""

    def go(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        response = getattr(writer, method)(f"/api/v1{path}", body, content_type="application/json")
        return response.status_code, response.json()

    return go


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A way to set what the operator configures; everything is as before afterwards."""
    yield monkeypatch
    monkeypatch.undo()
    configuration.current.cache_clear()


@pytest.fixture
def described(db: None) -> Any:
    """The API's description."""
    return Client().get("/api/v1/openapi.json").json()


def fits(described: Any, operation: str, answer: Any) -> list[str]:
    """What of an answer is not as the operation describes it."""
    (found,) = (
        one for methods in described["paths"].values() for one in methods.values() if one["operationId"] == operation
    )
    shape = found["responses"]["200"]["content"]["application/json"]["schema"]
    return shapes.problems(described, shape, answer)


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_saying_something_takes_the_scope_write(
    program: Client, account: Account, method: str, path: str, body: Any
) -> None:
    world.many(account, 2)

    refused = getattr(program, method)(f"/api/v1{path}", body, content_type="application/json")

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "scope_missing")
    assert audit.entries(database.connection(), object_type="customer") == []


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_nobody_says_anything_without_a_token(db: None, method: str, path: str, body: Any) -> None:
    assert getattr(Client(), method)(f"/api/v1{path}", body, content_type="application/json").status_code == 401


def test_a_merge_is_previewed_done_and_undone(described: Any, send: Send, ask: Ask, account: Account) -> None:
    world.many(account, 3)
    second = ask("/customers/cus_001")
    preview = send("post", "/customers/cus_000/merge", {"others": ["cus_001"], "preview": True})
    assert (preview[0], preview[1]["done"], ask("/customers")["total"]) == (200, False, 3)

    status, merged = send("post", "/customers/cus_000/merge", {"others": ["cus_001"]})

    assert (status, merged) == (200, {**preview[1], "done": True})
    assert fits(described, "merge", merged) == []
    assert ask("/customers")["total"] == 2
    one = ask(f"/customers/{second['id']}")
    assert one == ask("/customers/cus_001") == ask("/customers/cus_000")
    assert one["merged_ids"] == [second["id"]]
    assert fits(described, "customer", one) == []
    assert one["state"]["mrr"][0]["minor"] == 2001
    assert {entry["object_id"] for entry in ask("/customers/cus_000/timeline")["data"]} >= {"cus_001", "sub_000"}
    (entry,) = audit.entries(database.connection(), object_type="customer")
    assert (entry.actor_kind, entry.action) == ("token", "customer.customers.merged")

    status, apart = send("post", "/customers/cus_001/split", {"take": ["cus_001"]})
    assert (status, apart["changed"], fits(described, "split", apart)) == (200, True, [])
    assert {**ask("/customers/cus_001"), "folded_at": ""} == {**second, "folded_at": ""}


def test_links_are_made_listed_and_taken_back(described: Any, send: Send, ask: Ask, account: Account) -> None:
    world.many(account, 1)

    status, made = send("post", "/customers/cus_000/links", {"kind": "crm", "system": "hubspot", "value": "77"})

    assert (status, made["source"], made["system"]) == (200, "api", "hubspot")
    assert made["by"].startswith("token:")
    assert fits(described, "link", made) == []
    listed = ask("/customers/cus_000/links")
    assert [one["value"] for one in listed["data"]] == ["77", "c000@x.example"]
    assert fits(described, "links", listed) == []
    status, left = send("delete", "/customers/cus_000/links?kind=crm&system=hubspot&value=77")
    assert (status, [one["value"] for one in left["data"]]) == (200, ["c000@x.example"])


def test_people_duplicates_and_violations_are_as_described(
    described: Any, send: Send, ask: Ask, account: Account, settings_of: pytest.MonkeyPatch
) -> None:
    configure(settings_of, rules="user_id:required")
    world.told(
        account,
        world.event("customer.created", world.customer("cus_a", "Acme", "ada@acme.example")),
        world.event("customer.created", world.customer("cus_b", "ACME Ltd", "ada@acme.example")),
    )

    people = ask("/people", q="ada@acme.example")
    assert [len(one["customers"]) for one in people["data"]] == [2]
    assert fits(described, "people", people) == []
    assert ask(f"/people/{people['data'][0]['id']}") == people["data"][0]
    found = ask("/duplicates")
    assert [one["score"] for one in found["data"]] == [60]
    assert fits(described, "duplicates", found) == []
    violations = ask("/violations", limit=1)
    assert [one["breach"] for one in violations["data"]] == ["required"]
    assert fits(described, "violations", violations) == []
    assert ask("/violations", limit=1, after=violations["next"])["next"] is None

    assert send("post", "/duplicates/dismissals", {"first": "cus_a", "second": "cus_b"}) == (200, {"changed": True})
    assert ask("/duplicates")["data"] == []
    assert send("delete", "/duplicates/dismissals?first=cus_a&second=cus_b") == (200, {"changed": True})
    assert len(ask("/duplicates")["data"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("post", "/customers/cus_x/merge", {"others": ["cus_000"]}, 404, "customer_unknown"),
        ("post", "/customers/cus_000/merge", {"others": ["cus_000"]}, 400, "merge_itself"),
        ("post", "/customers/cus_000/merge", {"others": []}, 400, "merge_nothing"),
        ("post", "/customers/cus_000/merge", {}, 422, "parameter_invalid"),
        ("post", "/customers/cus_000/merge", {"others": ["x\x00"]}, 422, "parameter_invalid"),
        ("post", "/customers/cus_000/merge", {"others": ["x"] * 101}, 422, "parameter_invalid"),
        ("post", "/customers/cus_000/merge", "nonsense", 400, "refused"),
        ("post", "/customers/cus_000/split", {"take": ["cus_000"]}, 400, "split_leader"),
        ("post", "/customers/cus_000/links", {"kind": "friend", "value": "1"}, 422, "parameter_invalid"),
        ("post", "/customers/cus_000/links", {"kind": "crm", "value": "1"}, 400, "link_invalid"),
        ("post", "/customers/cus_000/links", {"kind": "user", "value": "1\x00"}, 422, "parameter_invalid"),
        ("delete", "/customers/cus_000/links?kind=email&value=c000@x.example", None, 409, "link_derived"),
        ("delete", "/customers/cus_000/links?kind=user&value=1", None, 404, "link_unknown"),
        ("post", "/duplicates/dismissals", {"first": "cus_000", "second": "cus_000"}, 400, "duplicate_itself"),
        ("get", "/people/tp_x", None, 404, "person_unknown"),
        ("get", "/people?customer=cus_x", None, 404, "customer_unknown"),
        ("get", "/people?after=x", None, 400, "cursor_invalid"),
        ("get", "/duplicates?after=WyJ4Il0", None, 400, "cursor_invalid"),
        ("get", "/violations?after=WzFd", None, 400, "cursor_invalid"),
        ("get", "/violations?limit=0", None, 422, "parameter_invalid"),
        ("get", "/customers/cus_x/links", None, 404, "customer_unknown"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_shape(
    *, writer: Client, account: Account, method: str, path: str, body: Any, status: int, code: str
) -> None:
    world.many(account, 1)
    more = {} if method == "get" else {"content_type": "application/json"}

    response = getattr(writer, method)(f"/api/v1{path}", body, **more)

    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert set(response.json()["error"]) == {"code", "message", "hint"}


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("/customers/cus_a/links", ["customer", "links", "cus_a"]),
        ("/people", ["customer", "people"]),
        ("/people?customer=cus_a", ["customer", "people", "--customer", "cus_a"]),
        ("/people?q=ada@acme.example&limit=1", ["customer", "people", "ada@acme.example", "--limit", "1"]),
        ("/duplicates?limit=1", ["customer", "duplicates", "--limit", "1"]),
        ("/violations", ["customer", "violations"]),
    ],
)
def test_the_command_line_prints_the_same_object(
    *,
    ask: Ask,
    account: Account,
    home: object,
    settings_of: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    path: str,
    arguments: list[str],
) -> None:
    configure(settings_of, rules="user_id:required")
    events = [
        world.event("customer.created", world.customer(f"cus_{letter}", "Acme", "ada@acme.example")) for letter in "abc"
    ]
    world.told(account, *events)

    assert cli.run([*arguments, "--json"]) == 0

    assert json.loads(capsys.readouterr().out) == ask(path)
