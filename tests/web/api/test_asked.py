"""What requests are read as: neither a list is a body, nor a number a moment, nor a word a yes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.web.api.conftest import Ask
from tests.web.console import world
from trueup.accounts.types import Account
from trueup.kernel.actor import system
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Scope


@pytest.fixture
def writer(db: None) -> Client:
    made = tokens.create_token(name="w", scopes=[Scope.WRITE, Scope.TOKENS], by=system("test"))
    return Client(headers={"authorization": f"Bearer {made.token}"}, raise_request_exception=False)


@pytest.mark.parametrize(
    "body",
    [
        b"[null, null]",
        b'"preview"',
        b"7",
        b"null",
        b'{"previw": true}',
        b'{"preview": "yes"}',
        b'{"preview": 1}',
        b'{"preview": null}',
        b"{",
        b"",
        b"[" * 100_000,
        b'{"preview": ' + b"9" * 10_000 + b"}",
        b'{"preview": NaN}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_body_does_nothing(writer: Client, body: bytes) -> None:
    answer: Any = writer.post("/api/v1/dead-letters/retry", body, content_type="application/json")

    assert answer.status_code in {400, 422}
    assert set(answer.json()["error"]) == {"code", "message", "hint"}


@pytest.mark.parametrize(("days", "status"), [(30, 200), (30.0, 200), (30.5, 422), ("30", 422), (True, 422), (0, 422)])
def test_a_number_is_a_number(writer: Client, days: Any, status: int) -> None:
    body = {"name": "x", "scopes": ["write"], "days": days}

    assert writer.post("/api/v1/tokens", body, content_type="application/json").status_code == status


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800"])
def test_a_text_that_cannot_be_stored_is_refused(writer: Client, account: Account, text: str) -> None:
    world.many(account, 1)

    answer: Any = writer.post("/api/v1/customers/cus_000/notes", {"text": text}, content_type="application/json")

    assert answer.status_code == 422


@pytest.mark.parametrize("moment", ["0.5", "1790000000", "now", "2026-13-01", "20260101", "2026-01-01T00:00:00Z\n"])
def test_a_number_or_a_word_is_no_moment(program: Client, moment: str) -> None:
    assert program.get("/api/v1/customers", {"trial_ends_before": moment}).status_code == 422


@pytest.mark.parametrize(
    "moment",
    ["0001-01-01", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59"],
)
def test_the_ends_of_the_calendar_break_nothing(program: Client, ask: Ask, account: Account, moment: str) -> None:
    world.many(account, 1)
    ask("/customers", trial_ends_before=moment)
    for path in ("/customers/cus_000", "/customers/cus_000/timeline", "/objects/cus_000"):
        assert program.get(f"/api/v1{path}", {"as_of": moment, "known_at": moment}).status_code in {200, 404}


def test_an_empty_cursor_is_the_first_page(ask: Ask, account: Account) -> None:
    world.many(account, 2)

    assert ask("/customers", after="") == ask("/customers")


@pytest.mark.parametrize("number", ["-1", "0", str(2**63), "9" * 400, "1e3", "0x10", "1 or 1=1"])
def test_what_is_no_number_of_a_row_finds_none(writer: Client, number: str) -> None:
    for path in ("/notes/{}", "/tokens/{}"):
        assert writer.delete("/api/v1" + path.format(number)).status_code in {404, 422}
