"""The audit log through the API: a scope of its own, lists, one entry, checkpoints and tiles."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.web.api import shapes
from tests.web.api.conftest import Ask
from tests.web.api.test_access import refused
from tests.web.api.test_lists import walk
from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Scope
from trueup.runtime import database

BY = Actor(kind=ActorKind.OPERATOR, id="7")
PATHS = [
    "/audit/entries",
    "/audit/entries/1",
    "/audit/live/checkpoint",
    "/audit/live/checkpoints",
    "/audit/entries/1/proof",
    "/audit/verification",
    "/audit/health",
    "/audit/live/tile/0/000",
]


def program_with(*scopes: Scope) -> Client:
    """Something that sends a token with these scopes."""
    token = tokens.create_token(name="auditor", scopes=scopes, by=system("test")).token
    return Client(headers={"authorization": f"Bearer {token}"}, raise_request_exception=False)


@pytest.fixture
def token(db: None) -> Any:
    """A token for the audit log alone, in the place of the one that reads."""
    return tokens.create_token(name="auditor", scopes=[Scope.AUDIT], by=Actor(kind=ActorKind.COMMAND_LINE, id="ada"))


def record(**given: Any) -> int:
    """An entry in a transaction of its own."""
    fields: dict[str, Any] = {"by": BY, "action": Action.LINK_ADDED, "object_type": "customer", "object_id": "cus_1"}
    with database.transaction() as connection:
        return audit.record(connection, **(fields | given))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("scopes", [(Scope.READ,), (Scope.WRITE,), (Scope.READ, Scope.WRITE)])
def test_no_other_scope_opens_the_audit_log(db: None, path: str, scopes: tuple[Scope, ...]) -> None:
    assert refused(program_with(*scopes).get(f"/api/v1{path}")) == (403, "scope_missing")


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "/customers"), ("get", "/events"), ("get", "/alarms"), ("post", "/replays/1/cancel")],
)
def test_the_scope_of_the_audit_log_opens_nothing_else(db: None, method: str, path: str) -> None:
    auditor = program_with(Scope.AUDIT)

    assert refused(getattr(auditor, method)(f"/api/v1{path}")) == (403, "scope_missing")
    assert auditor.get("/api/v1/audit/entries").status_code == 200


def test_entries_are_listed_newest_first_and_page_by_page(ask: Ask) -> None:
    made = [record(object_id=f"cus_{number}") for number in range(7)]

    rows = walk(ask, "/audit/entries", limit=3)

    assert [row["id"] for row in rows][:7] == made[::-1]
    assert rows[0] | {"at": "", "body": ""} == {
        "id": made[-1],
        "place": None,
        "at": "",
        "mode": "live",
        "actor": "operator:7",
        "behind": "",
        "action": "customer.link.added",
        "meaning": "A customer was linked by hand to an id of another system.",
        "object": "customer:cus_6",
        "why": "",
        "origin": "",
        "before": None,
        "after": None,
        "facts": [],
        "request_id": "",
        "phase": "done",
        "intent": None,
        "hidden": [],
        "erased": [],
        "altered": False,
        "body": "",
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"action": "customer.link.removed"}, ["b"]),
        ({"action": "customer.*"}, ["c", "b", "a"]),
        ({"actor": "system"}, ["c"]),
        ({"actor": "operator:7"}, ["b", "a"]),
        ({"actor": "operator:8"}, []),
        ({"object": "customer:b"}, ["b"]),
        ({"object": "customer"}, ["c", "b", "a"]),
        ({"request_id": "req_of_a_1"}, ["a"]),
        ({"mode": "test"}, ["c"]),
        ({"action": "customer.*", "mode": "live", "actor": "operator"}, ["b", "a"]),
        ({"since": "2030-01-02", "until": "2030-01-03", "action": "customer.*"}, []),
    ],
)
def test_entries_are_narrowed_by_all_that_is_given(ask: Ask, query: dict[str, str], found: list[str]) -> None:
    request = audit.REQUEST_ID.set("req_of_a_1")
    record(object_id="a")
    audit.REQUEST_ID.reset(request)
    record(object_id="b", action=Action.LINK_REMOVED)
    record(object_id="c", by=system("sweep"), livemode=False)

    rows = ask("/audit/entries", **query)["data"]

    assert [row["object"].removeprefix("customer:") for row in rows] == found


def test_personal_values_are_named_and_not_told(ask: Ask) -> None:
    entry = record(why="Elena asked.", after={"value": "elena@acme.example", "kind": "user"})

    told = ask(f"/audit/entries/{entry}")

    assert (told["hidden"], told["erased"]) == (["after.value", "why"], [])
    assert (told["after"], told["why"]) == ({"kind": "user"}, "")
    assert "lena" not in str(told)


def test_what_was_erased_is_told_apart_from_what_is_hidden(ask: Ask) -> None:
    entry = record(why="Elena asked.", after={"value": "elena@acme.example"})
    database.execute("delete from audit_subjectkey")

    assert ask(f"/audit/entries/{entry}")["erased"] == ["after.value", "why"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/audit/entries?action=customer.nonsense", 400, "audit_action_unknown"),
        ("/audit/entries?action=nonsense*", 400, "audit_action_unknown"),
        ("/audit/entries?actor=ghost:1", 400, "audit_actor_unknown"),
        ("/audit/entries?object=%00", 400, "refused"),
        ("/audit/entries?after=x", 400, "cursor_invalid"),
        ("/audit/entries?mode=both", 422, "parameter_invalid"),
        ("/audit/entries?since=never", 422, "parameter_invalid"),
        ("/audit/entries/999999", 404, "audit_entry_unknown"),
        ("/audit/entries/0", 422, "parameter_invalid"),
        ("/audit/entries/9223372036854775808", 422, "parameter_invalid"),
        ("/audit/entries/999999/proof", 404, "audit_entry_unknown"),
        ("/audit/live/checkpoint", 404, "audit_checkpoint_unknown"),
        ("/audit/both/checkpoint", 422, "parameter_invalid"),
        ("/audit/live/checkpoints?after=x", 400, "cursor_invalid"),
        ("/audit/live/tile/0/000", 404, "audit_tile_unknown"),
        ("/audit/live/tile/0/0", 404, "audit_tile_unknown"),
        ("/audit/live/tile/entries/000.p/1", 404, "audit_tile_unknown"),
        ("/audit/live/tile/0/" + "x999/" * 12 + "999", 404, "audit_tile_unknown"),
        ("/audit/live/tile/entries/" + "x999/" * 5 + "999", 404, "audit_tile_unknown"),
        ("/audit/live/tile/../checkpoint", 404, "audit_tile_unknown"),
    ],
)
def test_what_there_is_not_is_refused(program: Client, path: str, status: int, code: str) -> None:
    assert refused(program.get(f"/api/v1{path}")) == (status, code)


@pytest.mark.parametrize(
    "path",
    [
        "/audit/entries",
        "/audit/entries/{entry_id}",
        "/audit/{mode}/checkpoints",
        "/audit/verification",
        "/audit/health",
    ],
)
def test_answers_have_the_shape_that_is_described(program: Client, ask: Ask, path: str) -> None:
    entry = record(after={"kind": "user", "value": "u1"})
    described = program.get("/api/v1/openapi.json").json()
    shape = described["paths"][f"/api/v1{path}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]

    answered = ask(path.format(entry_id=entry, mode="live"))

    assert shapes.problems(described, shape, answered) == []


def test_what_is_no_json_is_described_as_such(program: Client) -> None:
    paths = program.get("/api/v1/openapi.json").json()["paths"]

    media = {
        path: list(paths[f"/api/v1/audit/{{mode}}/{path}"]["get"]["responses"]["200"]["content"])
        for path in ("checkpoint", "tile/{tile}")
    }

    assert media == {"checkpoint": ["text/plain; charset=utf-8"], "tile/{tile}": ["application/octet-stream"]}
