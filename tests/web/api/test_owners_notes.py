"""Owners, notes and the further filters of the list, as programs use them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.web.api.conftest import Ask
from tests.web.console import world
from trueup.accounts.types import Account
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Person, Role, Scope

TESTER = system("test")


@pytest.fixture
def person(db: None) -> Person:
    return operators.create_operator(
        email="anna@acme.example", password="nine quiet rivers", name="Anna", roles=[Role.SALES], by=TESTER
    )


@pytest.fixture
def writer(db: None) -> Client:
    """A program that may write."""
    made = tokens.create_token(name="crm", scopes=[Scope.WRITE], by=TESTER)
    return Client(headers={"authorization": f"Bearer {made.token}"}, raise_request_exception=False)


def send(program: Client, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    answer = getattr(program, method)(f"/api/v1{path}", body, content_type="application/json")
    return answer.status_code, answer.json()


def test_an_owner_is_set_read_filtered_by_and_taken_away(
    ask: Ask, writer: Client, person: Person, account: Account
) -> None:
    world.many(account, 4)

    status, body = send(writer, "put", "/customers/cus_002/owner", {"operator_id": person.id})

    assert (status, body["owner"]["name"], body["owner"]["by"].split(":")[0]) == (200, "Anna", "token")
    assert ask("/customers/cus_002/owner") == body
    assert [row["stripe_customer_id"] for row in ask("/customers", owner=person.id)["data"]] == ["cus_002"]
    assert ask("/customers", unowned="true")["total"] == 3
    assert send(writer, "put", "/customers/cus_002/owner", {"operator_id": None}) == (200, {"owner": None})
    assert send(writer, "put", "/customers/cus_002/owner", {"operator_id": 10**15})[0] == 404


def test_a_note_is_written_read_changed_and_removed(ask: Ask, writer: Client, account: Account) -> None:
    world.many(account, 1)

    status, note = send(writer, "post", "/customers/cus_000/notes", {"text": "By post."})
    assert (status, note["text"], note["author"]) == (200, "By post.", "")
    assert ask("/customers/cus_000/notes")["data"] == [note]
    assert send(writer, "put", f"/notes/{note['id']}", {"text": "By mail."})[1]["text"] == "By mail."
    assert send(writer, "delete", f"/notes/{note['id']}") == (200, {"removed": True})
    assert ask("/customers/cus_000/notes")["data"] == []
    assert send(writer, "delete", f"/notes/{note['id']}")[0] == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("put", "/customers/cus_000/owner"), ("post", "/customers/cus_000/notes"), ("delete", "/notes/1")],
)
def test_a_program_that_only_reads_changes_nothing(program: Client, account: Account, method: str, path: str) -> None:
    world.many(account, 1)

    assert send(program, method, path, {"operator_id": None, "text": "x"})[0] == 403


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"billing_status": "past_due"}, ["cus_004", "cus_001"]),
        ({"product": "prod_none"}, []),
        ({"mrr_from": "1000000"}, []),
        ({"trial_ends_before": "2020-01-01T00:00:00Z"}, []),
        ({"differing": "true"}, []),
        ({"stage": "active", "mrr_to": "1000000"}, ["cus_003", "cus_000"]),
    ],
)
def test_the_list_is_narrowed(ask: Ask, account: Account, query: dict[str, str], expected: list[str]) -> None:
    world.many(account, 6)

    found = ask("/customers", **query)

    assert [row["stripe_customer_id"] for row in found["data"]] == expected
    assert found["total"] == len(expected)


@pytest.mark.parametrize(
    "query", [{"mrr_from": "x"}, {"mrr_from": "NaN"}, {"owner": "0"}, {"billing_status": "A"}, {"mrr_to": "1e400"}]
)
def test_a_filter_that_cannot_be_is_refused(program: Client, account: Account, query: dict[str, str]) -> None:
    assert program.get("/api/v1/customers", query).status_code == 422
