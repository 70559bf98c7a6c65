"""Dead letters and replays by the API: who may, what is answered, and the same JSON as the commands'."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.web.api.conftest import Ask
from tests.web.console import world
from trueup.accounts.types import Account
from trueup.inbox import dead_letters
from trueup.kernel.actor import system
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Scope
from trueup.ops import cli
from trueup.runtime import database

Post = Callable[..., Any]


@pytest.fixture
def post(db: None) -> Post:
    """Post JSON with a token that may write; the JSON that comes back, and its status."""
    token = tokens.create_token(name="writer", scopes=[Scope.WRITE], by=system("test")).token
    client = Client(headers={"authorization": f"Bearer {token}"}, raise_request_exception=False)

    def send(path: str, **body: Any) -> Any:
        response = client.post(f"/api/v1{path}", body, content_type="application/json")
        return response.status_code, response.json()

    return send


@pytest.fixture
def aside(account: Account) -> str:
    """Two customers, of whom an event was set aside; its cause."""
    world.many(account, 2)
    database.execute(
        "insert into inbox_pending (account_id, livemode, event_id, created, attempts, last_error, set_aside_at)"
        " select account_id, livemode, event_id, created, 8, 'odd_value: It is odd.', now() from inbox_event"
        " where object_id = 'cus_000'"
    )
    return dead_letters.groups()[0].cause


def test_what_was_set_aside_is_told_tried_again_and_given_up(aside: str, ask: Ask, post: Post) -> None:
    (group,) = ask("/dead-letters")["data"]
    assert (group["cause"], group["rows"], group["accounts"]) == (aside, 1, ["acme"])
    assert ask(f"/dead-letters/{aside}")["total"] == 1
    assert post(f"/dead-letters/{aside}/discard", reason="x", preview=True)[1]["done"] is False
    assert post(f"/dead-letters/{aside}/retry", preview=True)[1] == {
        "cause": aside,
        "rows": {"mirror": 1},
        "done": False,
        "refused": 0,
    }
    assert post(f"/dead-letters/{aside}/discard")[0] == 422

    assert post(f"/dead-letters/{aside}/discard", reason="Not ours.")[1]["rows"] == {"mirror": 1}

    assert ask("/dead-letters") == {"data": []}
    assert post(f"/dead-letters/{aside}/retry")[0] == 404
    assert post("/dead-letters/retry")[1]["done"] is False


def test_a_replay_is_previewed_started_watched_and_ended(aside: str, ask: Ask, post: Post) -> None:
    which = {"customers": ["cus_000"], "created_from": "2020-01-01T00:00:00"}
    status, shown = post("/replays/preview", **which)
    assert (status, shown["events"], shown["set_aside"]) == (200, 2, 1)
    assert ask("/replays")["data"] == []

    status, begun = post("/replays", **which, reason="A rule changed.", rate=7)

    assert (status, begun["total"], begun["rate"], begun["progress"]) == (200, 2, 7, "running")
    assert begun["by"].startswith("token ")
    assert begun["selection"]["created_from"] == "2020-01-01T00:00:00Z"
    assert ask(f"/replays/{begun['id']}") == begun
    assert [one["id"] for one in ask("/replays")["data"]] == [begun["id"]]
    assert post(f"/replays/{begun['id']}/cancel")[1]["progress"] == "canceled"
    assert post(f"/replays/{begun['id']}/cancel")[0] == 409


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/replays", {"everything": True}, 422, "parameter_invalid"),
        ("/replays", {"everything": True, "reason": "x", "rate": 0}, 422, "parameter_invalid"),
        ("/replays", {"reason": "x"}, 400, "selection_missing"),
        ("/replays", {"types": ["invoice.paid"], "reason": "x"}, 400, "replay_empty"),
        ("/replays", {"events": ["evt_none"], "reason": "x"}, 404, "event_unknown"),
        ("/replays/preview", {"objects": ["in_none"]}, 404, "object_unknown"),
        ("/replays", {"customers": ["tc_none"], "reason": "x"}, 404, "customer_unknown"),
        ("/replays/preview", {"account": "nobody", "everything": True}, 404, "account_unknown"),
        ("/replays/7/cancel", {}, 404, "replay_unknown"),
        ("/dead-letters/none-000000/retry", {}, 404, "cause_unknown"),
    ],
)
def test_what_cannot_be_done_is_refused(post: Post, path: str, body: dict[str, Any], status: int, code: str) -> None:
    world.connect()

    found, told = post(path, **body)

    assert (found, told["error"]["code"]) == (status, code)


def test_reading_is_not_enough_to_change_anything(aside: str, program: Client) -> None:
    for path in ("/replays", f"/dead-letters/{aside}/retry", "/dead-letters/retry", "/replays/1/cancel"):
        response = program.post(f"/api/v1{path}", {"reason": "x"}, content_type="application/json")
        assert (response.status_code, response.json()["error"]["code"]) == (403, "scope_missing")


def test_commands_print_what_the_api_answers(
    aside: str, ask: Ask, post: Post, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = post("/replays", everything=True, reason="x")[1]
    for path, words in (
        ("/dead-letters", ["dead-letters"]),
        (f"/dead-letters/{aside}", ["dead-letters", "show", aside]),
        ("/replays", ["replay", "list"]),
        (f"/replays/{begun['id']}", ["replay", "status", str(begun["id"])]),
    ):
        assert cli.run([*words, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == ask(path)
