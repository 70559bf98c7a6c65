"""Objects and their versions by the API: shapes, moments, refusals, and the same JSON as the command's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client

from tests.web.api.conftest import Ask
from tests.web.console import world
from tests.web.console.world import DAY, START
from trueup.accounts.types import Account
from trueup.ops import cli


@pytest.fixture
def lives(account: Account) -> None:
    """A customer that was renamed, and a plan and a coupon of one id."""
    world.told(
        account,
        world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_made"),
        world.event("customer.updated", world.customer("cus_1", "Beta"), at=START + DAY, id="evt_named"),
        world.event("plan.created", {"id": "gold", "object": "plan"}),
        world.event("coupon.created", {"id": "gold", "object": "coupon"}),
    )


def test_an_object_is_told_as_it_is_and_as_it_was(lives: None, ask: Ask) -> None:
    now = ask("/objects/cus_1")
    then = ask("/objects/cus_1", as_of="2026-09-22T00:00:00Z", told="1")

    assert (now["event_id"], now["shape"]["name"], now["told"]) == ("evt_named", "Beta", None)
    assert (then["event_id"], then["shape"]["name"], then["told"]["name"]) == ("evt_made", "Acme", "Acme")


def test_a_moment_without_an_offset_is_in_utc(lives: None, ask: Ask) -> None:
    # The event of START happened on 2026-09-21 at 14:13:20 in UTC.
    for moment in ("2026-09-21T14:13:20", "2026-09-21T14:13:20Z", "2026-09-21T16:13:20+02:00"):
        assert ask("/objects/cus_1", as_of=moment)["event_id"] == "evt_made"


def test_versions_come_newest_first_with_what_changed(lives: None, ask: Ask) -> None:
    page = ask("/objects/cus_1/versions", limit=1)
    rest = ask("/objects/cus_1/versions", after=page["next"])

    assert [one["event_id"] for one in page["data"] + rest["data"]] == ["evt_named", "evt_made"]
    assert page["data"][0]["changes"] == [{"path": "name", "before": "Acme", "after": "Beta", "cut": False}]
    assert rest["data"][0]["changes"] is None
    assert (page["total"], rest["next"]) == (2, None)


def test_the_list_is_narrowed_by_type_customer_verdict_and_account(lives: None, ask: Ask) -> None:
    def ids(**query: str) -> list[str]:
        return [f"{row['type']} {row['id']}" for row in ask("/objects", **query)["data"]]

    assert ids() == ["coupon gold", "customer cus_1", "plan gold"]
    assert ids(type="plan") == ["plan gold"]
    assert ids(customer="cus_1") == ["customer cus_1"]
    assert ids(verdict="certain", account="acme", type="coupon") == ["coupon gold"]
    assert ids(verdict="ambiguous") == []


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/objects/cus_none", 404, "object_unknown"),
        ("/objects/cus_none/versions", 404, "object_unknown"),
        ("/objects/cus_1?type=plan", 404, "object_unknown"),
        ("/objects/cus_1?as_of=2020-01-01", 404, "object_unknown_then"),
        ("/objects/cus_1?known_at=2020-01-01", 404, "object_unknown_then"),
        ("/objects/gold", 400, "object_ambiguous"),
        ("/objects/gold/versions", 400, "object_ambiguous"),
        ("/objects/gold?account=nobody", 404, "account_unknown"),
        ("/objects?account=nobody", 404, "account_unknown"),
        ("/objects?after=x", 400, "cursor_invalid"),
        ("/objects/cus_1/versions?after=x", 400, "cursor_invalid"),
        ("/objects?limit=0", 422, "parameter_invalid"),
        ("/objects?verdict=sure", 422, "parameter_invalid"),
        ("/objects/cus_1?as_of=yesterday", 422, "parameter_invalid"),
    ],
)
def test_what_cannot_be_answered_says_why_and_what_to_do(
    lives: None, program: Client, path: str, status: int, code: str
) -> None:
    response = program.get(f"/api/v1{path}")

    assert response.status_code == status
    error = response.json()["error"]
    assert error["code"] == code
    assert error["message"]
    assert error["hint"]


def test_nobody_reads_objects_without_a_token(lives: None) -> None:
    for path in ("/objects", "/objects/cus_1", "/objects/cus_1/versions"):
        assert Client().get(f"/api/v1{path}").status_code == 401


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("/objects", ["objects"]),
        ("/objects?type=plan", ["objects", "--type", "plan"]),
        ("/objects/cus_1", ["object", "show", "cus_1"]),
        ("/objects/gold?type=plan&told=1", ["object", "show", "gold", "--type", "plan", "--told"]),
        ("/objects/cus_1?as_of=2026-09-22", ["object", "show", "cus_1", "--as-of", "2026-09-22"]),
        ("/objects/cus_1/versions?limit=25", ["object", "versions", "cus_1"]),
    ],
)
@pytest.mark.usefixtures("lives")
def test_the_command_prints_the_same_json(
    ask: Ask, home: Path, capsys: pytest.CaptureFixture[str], path: str, arguments: list[str]
) -> None:
    assert cli.run([*arguments, "--json"]) == 0

    assert json.loads(capsys.readouterr().out) == ask(path)
