"""Who may ask, and what a refusal looks like."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoDbBlocker

from tests import instance
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.models import ApiToken, Operator
from trueup.operators.tokens import service as tokens
from trueup.operators.types import NewToken, Scope

PATHS = ["/customers", "/customers/cus_1", "/customers/cus_1/timeline", "/events", "/events/evt_1"]


def refused(response: Any) -> tuple[int, str]:
    """The status and the code of a refusal, whose shape is always the same."""
    assert isinstance(response, HttpResponse)
    assert response["Content-Type"] == "application/json"
    body = response.json()  # type: ignore[attr-defined]
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "hint"}
    assert all(isinstance(text, str) for text in body["error"].values())
    return response.status_code, body["error"]["code"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, "unauthenticated"),
        ({"authorization": "Basic YTpi"}, "unauthenticated"),
        ({"authorization": "Bearer"}, "token_invalid"),
        ({"authorization": "Bearer tru_unknown"}, "token_invalid"),
        ({"cookie": "token=tru_unknown"}, "unauthenticated"),
    ],
)
def test_nobody_gets_in_without_a_known_token(db: None, path: str, header: dict[str, str], code: str) -> None:
    response = Client(headers=header).get(f"/api/v1{path}")

    assert refused(response) == (401, code)
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_session_of_the_console_is_no_token(db: None, client: Client) -> None:
    person = operators.create_operator(email="a@b.example", password="nine quiet rivers", by=system("test"))
    client.force_login(Operator.objects.get(pk=person.id))

    assert client.get("/customers").status_code == 200
    assert refused(client.get("/api/v1/customers")) == (401, "unauthenticated")


def test_a_token_in_the_address_is_no_token(token: NewToken) -> None:
    response = Client().get("/api/v1/customers", {"token": token.token, "access_token": token.token})

    assert refused(response) == (401, "unauthenticated")


@pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE])
def test_reading_takes_the_scope_read_or_write(db: None, scope: Scope) -> None:
    token = tokens.create_token(name="x", scopes=[scope], by=system("test")).token

    assert Client(headers={"authorization": f"Bearer {token}"}).get("/api/v1/customers").status_code == 200


def test_a_token_without_the_scope_is_known_and_refused(program: Client, token: NewToken) -> None:
    ApiToken.objects.filter(pk=token.id).update(scopes=[])

    assert refused(program.get("/api/v1/customers")) == (403, "scope_missing")


def test_an_expired_and_a_revoked_token_are_unknown(program: Client, token: NewToken) -> None:
    ApiToken.objects.filter(pk=token.id).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))  # noqa: TID251
    assert refused(program.get("/api/v1/customers")) == (401, "token_invalid")

    ApiToken.objects.filter(pk=token.id).update(expires_at=None)
    assert program.get("/api/v1/customers").status_code == 200

    tokens.revoke_token(token_id=token.id, by=system("test"))
    assert refused(program.get("/api/v1/customers")) == (401, "token_invalid")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/customers?limit=0", 422, "parameter_invalid"),
        ("/customers?limit=201", 422, "parameter_invalid"),
        ("/customers?limit=many", 422, "parameter_invalid"),
        ("/customers?stage=happy", 422, "parameter_invalid"),
        ("/customers?q=" + "x" * 201, 422, "parameter_invalid"),
        ("/customers?sort=colour", 400, "sort_unknown"),
        ("/customers?after=nonsense", 400, "cursor_invalid"),
        ("/customers?sort=name&after=WyItbXJyIiwiMSIsInRjXzEiXQ", 400, "cursor_invalid"),
        ("/customers?sort=-mrr&after=WyItbXJyIiwiTmFOIiwidGNfMSJd", 400, "cursor_invalid"),
        ("/customers?sort=-mrr&after=WyItbXJyIiwieCIsInRjXzEiXQ", 400, "cursor_invalid"),
        ("/customers?after=WyItbGFzdF9ldmVudF9hdCIsIngiLCJ0Y18xIl0", 400, "cursor_invalid"),
        ("/customers?q=%00", 400, "refused"),
        ("/customers/cus_none", 404, "customer_unknown"),
        ("/customers/cus%00", 400, "refused"),
        ("/customers/cus_none/timeline", 404, "customer_unknown"),
        ("/customers/cus_none?as_of=2026-01-01T00:00:00", 404, "customer_unknown"),
        ("/customers/cus_none/timeline?kind=gossip", 422, "parameter_invalid"),
        ("/customers/cus_none/timeline?as_of=never", 422, "parameter_invalid"),
        ("/customers?account=nobody", 404, "account_unknown"),
        ("/objects?verdict=sure", 422, "parameter_invalid"),
        ("/events?state=lost", 422, "parameter_invalid"),
        ("/events?limit=-1", 422, "parameter_invalid"),
        ("/events?after=WyJ4IiwieSJd", 400, "cursor_invalid"),
        ("/events?after=WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwieSJd", 400, "cursor_invalid"),
        ("/events/evt_none", 404, "event_unknown"),
        ("/nothing", 404, "not_found"),
        ("/customers/", 404, "not_found"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_shape(program: Client, path: str, status: int, code: str) -> None:
    assert refused(program.get(f"/api/v1{path}")) == (status, code)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_here_is_changed_through_a_method_that_nobody_offers(program: Client, method: str) -> None:
    response = getattr(program, method)("/api/v1/customers")

    assert refused(response) == (405, "method_not_allowed")
    assert "GET" in response["Allow"]


def test_every_answer_names_its_request(program: Client) -> None:
    assert program.get("/api/v1/customers", headers={"x-request-id": "mine-0001"})["X-Request-Id"] == "mine-0001"
    assert program.get("/api/v1/customers")["X-Request-Id"].startswith("req_")
    for odd in ("short", "x" * 65, "with blank!", "näh-näh-näh"):
        assert program.get("/api/v1/customers", headers={"x-request-id": odd})["X-Request-Id"].startswith("req_")


def test_a_database_that_is_away_is_told_as_such(django_db_blocker: DjangoDbBlocker) -> None:
    program = Client(headers={"authorization": "Bearer tru_any"}, raise_request_exception=False)

    with django_db_blocker.unblock(), instance.in_database("no_such_database"):
        response = program.get("/api/v1/customers")

    assert refused(response) == (503, "database_unavailable")
    assert response["Retry-After"] == "2"
