"""Tokens, people and approvals through the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from trueup.kernel.actor import Actor, ActorKind, system
from trueup.operators import service as operators
from trueup.operators.approvals import service as approvals
from trueup.operators.tokens import service as tokens
from trueup.operators.types import NewToken, Person, Role, Scope

BY = system("test")


@pytest.fixture
def owner(db: None) -> Person:
    return operators.create_operator(email="o@acme.example", password="nine quiet rivers", name="Olga", by=BY)


def program(*scopes: Scope, maker: Person | None = None) -> tuple[Client, NewToken]:
    by = BY if maker is None else Actor(kind=ActorKind.OPERATOR, id=str(maker.id))
    made = tokens.create_token(name="x", scopes=scopes, by=by)
    return Client(headers={"authorization": f"Bearer {made.token}"}, raise_request_exception=False), made


def asked(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error", {}).get("code", "")


def test_tokens_are_made_rotated_listed_and_revoked_with_their_scope(owner: Person) -> None:
    keeper, own = program(Scope.TOKENS, Scope.READ, maker=owner)
    body = {"name": "ci", "scopes": ["read"], "days": 30}

    made = keeper.post("/api/v1/tokens", body, content_type="application/json").json()
    turned = keeper.post(f"/api/v1/tokens/{made['id']}/rotate", {"hours": 1}, content_type="application/json").json()

    assert turned["token"] != made["token"]
    assert turned["former_until"] is not None
    listed = keeper.get("/api/v1/tokens").json()["data"]
    assert [(one["id"], one["made_by_id"]) for one in listed] == [(made["id"], owner.id), (own.id, owner.id)]
    assert made["token"] not in str(listed)
    assert keeper.delete(f"/api/v1/tokens/{made['id']}").json()["revoked_at"] is not None
    assert asked(keeper.delete(f"/api/v1/tokens/{made['id']}")) == (404, "token_unknown")
    assert asked(keeper.post("/api/v1/tokens", body | {"scopes": ["write"]}, content_type="application/json")) == (
        403,
        "token_exceeds",
    )


def test_a_program_rotates_its_own_token_with_any_scope(owner: Person) -> None:
    reader, made = program(Scope.READ)

    turned = reader.post("/api/v1/tokens/current/rotate", {"hours": 0}, content_type="application/json").json()

    assert asked(reader.get("/api/v1/customers")) == (401, "token_invalid")
    fresh = Client(headers={"authorization": f"Bearer {turned['token']}"})
    assert fresh.get("/api/v1/customers").status_code == 200
    assert turned["id"] == made.id
    assert asked(fresh.get("/api/v1/tokens")) == (403, "scope_missing")


def test_people_are_invited_given_roles_and_shut_out_with_their_scope(owner: Person) -> None:
    manager, _token = program(Scope.PEOPLE, maker=owner)
    body = {"email": "new@acme.example", "roles": ["sales"]}

    made = manager.post("/api/v1/invitations", body, content_type="application/json").json()

    assert Client().get(f"/invitation/{made['secret']}").status_code == 200
    (listed,) = manager.get("/api/v1/invitations").json()["data"]
    assert (listed["email"], "secret" in listed) == ("new@acme.example", False)
    assert manager.delete(f"/api/v1/invitations/{listed['id']}").status_code == 200
    joe = operators.create_operator(email="joe@acme.example", password="nine quiet rivers", roles=[Role.SALES], by=BY)
    at = f"/api/v1/operators/{joe.id}"
    changed = manager.put(f"{at}/roles", {"roles": ["ops"]}, content_type="application/json").json()
    assert (changed["person"]["roles"], changed["approval"]) == (["ops"], None)
    assert manager.post(f"{at}/deactivate").json()["is_active"] is False
    assert manager.post(f"{at}/activate").json()["is_active"] is True
    assert [one["email"] for one in manager.get("/api/v1/operators").json()["data"]] == [
        "joe@acme.example",
        "o@acme.example",
    ]


def test_a_link_is_made_anew_and_somebody_limited_in_time(owner: Person) -> None:
    manager, _token = program(Scope.PEOPLE, maker=owner)
    body = {"email": "new@acme.example", "roles": ["auditor"]}
    made = manager.post("/api/v1/invitations", body, content_type="application/json").json()
    joe = operators.create_operator(email="joe@acme.example", password="nine quiet rivers", roles=[Role.AUDITOR], by=BY)
    at = f"/api/v1/operators/{joe.id}/access"

    again = manager.post(f"/api/v1/invitations/{made['invitation']['id']}/renew").json()
    span = {"since": "2026-05-01T00:00:00+02:00", "until": "2026-06-01"}
    limited = manager.put(at, span, content_type="application/json").json()

    assert Client().get(f"/invitation/{made['secret']}").status_code == 404
    assert Client().get(f"/invitation/{again['secret']}").status_code == 200
    assert (limited["access_from"], limited["access_until"]) == ("2026-04-30T22:00:00Z", "2026-06-01T00:00:00Z")
    assert manager.put(at, {}, content_type="application/json").json()["access_until"] is None
    backwards = {"since": span["until"], "until": span["since"]}
    assert asked(manager.put(at, backwards, content_type="application/json")) == (400, "access_span_invalid")


def test_a_program_asks_a_person_before_it_makes_an_admin(owner: Person) -> None:
    manager, _token = program(Scope.PEOPLE, maker=owner)
    ada = operators.create_operator(email="ada@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=BY)
    joe = operators.create_operator(email="joe@acme.example", password="nine quiet rivers", roles=[Role.SALES], by=BY)
    at = f"/api/v1/operators/{joe.id}"
    silent = manager.put(f"{at}/roles", {"roles": ["admin"]}, content_type="application/json")
    assert asked(silent) == (400, "reason_missing")

    body = {"roles": ["admin"], "why": "He runs it."}
    waiting = manager.put(f"{at}/roles", body, content_type="application/json").json()["approval"]

    assert waiting["standing"] == "waiting"
    assert [one["id"] for one in manager.get("/api/v1/approvals").json()["data"]] == [waiting["id"]]
    own = Actor(kind=ActorKind.OPERATOR, id=str(owner.id))
    assert approvals.waiting_for(own) == []
    other = Actor(kind=ActorKind.OPERATOR, id=str(ada.id))
    assert approvals.approve(approval_id=waiting["id"], by=other).standing == "approved"
    assert asked(manager.post(f"/api/v1/operators/{ada.id}/deactivate")) == (403, "owner_needed")


@pytest.mark.parametrize("path", ["/tokens", "/operators", "/invitations", "/approvals"])
@pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE, Scope.AUDIT])
def test_no_other_scope_includes_these(db: None, path: str, scope: Scope) -> None:
    assert asked(program(scope)[0].get(f"/api/v1{path}")) == (403, "scope_missing")
