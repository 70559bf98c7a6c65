from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.inbox.conftest import Ask
from tests.inbox.sweep.conftest import TRAIL, customers, happened
from trueup.accounts.types import Account
from trueup.inbox.alarms import service as alarms
from trueup.ops import cli, health
from trueup.sandbox.server.running import Sandbox

pytestmark = pytest.mark.usefixtures("database", "installed")

DAY = 86_400


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any]]:
    """Run a command with ``--json``; its status, and what it printed."""

    def trueup(*words: str) -> tuple[int, Any]:
        status = cli.run([*words, "--json"])
        # What is logged goes elsewhere in a process of its own, and before the answer here.
        return status, json.loads(capsys.readouterr().out.splitlines()[-1])

    return trueup


def test_sweeping_by_hand_tells_what_was_found_and_what_stands_wrong(
    account: Account, stripe: Sandbox, ask: Ask, run: Callable[..., tuple[int, Any]]
) -> None:
    customers(stripe, 3)
    stripe.advance(seconds=TRAIL)

    status, told = run("sweep", "acme")

    assert status == 0
    assert [(one["kind"], one["read"], one["found"]) for one in told["swept"]] == [("snapshot", 3, 3), ("thin", 3, 0)]
    assert told["failed"] == []
    assert [alarm["code"] for alarm in told["alarms"]] == ["endpoint_missing"]
    assert {row[0] for row in ask("select event_id from inbox_event")} == happened(stripe)


def test_since_reads_again_from_there(
    account: Account, stripe: Sandbox, ask: Ask, run: Callable[..., tuple[int, Any]]
) -> None:
    customers(stripe, 2)
    stripe.advance(days=3)
    run("sweep")
    ask("delete from inbox_event returning 1")

    status, told = run("sweep", "--since", "2026-01-01")

    assert status == 0
    assert told["swept"][0]["since"] == "2026-01-01T00:00:00Z"
    assert told["swept"][0]["found"] == 2


def test_a_moment_that_has_not_come_is_refused_and_nothing_is_written(
    account: Account, stripe: Sandbox, ask: Ask, run: Callable[..., tuple[int, Any]]
) -> None:
    never = run("sweep", "acme", "--since", "2026-12-24")
    rows = ask("select count(*) from inbox_sweep")
    run("sweep")
    before = ask("select failures, last_error, cursor from inbox_sweep order by kind")

    status, told = run("sweep", "--since", "2026-12-24")

    assert (never[0], status) == (2, 2)
    assert told["error"]["code"] == never[1]["error"]["code"] == "sweep_since_ahead"
    assert "2026-12-24 00:00 UTC has not come yet at Stripe: it is 2025-12-31 23:59 there" in told["error"]["message"]
    assert rows == [(0,)]
    assert ask("select failures, last_error, cursor from inbox_sweep order by kind") == before
    assert [alarm.code for alarm in alarms.standing()] == ["endpoint_missing"]


def test_piped_it_prints_no_empty_lines(account: Account, stripe: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["sweep", "--json"]) == 0

    assert not [line for line in capsys.readouterr().err.splitlines() if not line.strip()]


def test_since_says_where_stripe_keeps_no_more(
    account: Account, stripe: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    stripe.advance(days=40)

    def swept(since: str) -> tuple[dict[str, Any], str]:
        assert cli.run(["sweep", "--since", since, "--json"]) == 0
        said = capsys.readouterr()
        return json.loads(said.out.splitlines()[-1])["swept"][0], said.err

    cut, said = swept("2020-01-01T00:00Z")
    whole, silent = swept("2026-01-20 00:00")

    assert (cut["since_asked"], cut["since"]) == ("2020-01-01T00:00:00Z", "2026-01-10T23:59:59Z")
    assert "acme: Stripe keeps events for 30 days, so they are read from 2026-01-10 23:59 UTC on" in said
    assert said.count("trueup backfill acme") == 1
    assert (whole["since_asked"], whole["since"]) == ("2026-01-20T00:00:00Z", "2026-01-20T00:00:00Z")
    assert "30 days" not in silent


def test_events_that_are_lost_end_it_with_an_error_and_say_what_to_do(
    account: Account, stripe: Sandbox, run: Callable[..., tuple[int, Any]]
) -> None:
    run("sweep", "acme")
    customers(stripe, 1)
    stripe.advance(days=40)

    status, told = run("sweep", "acme")

    assert status == 1
    assert told["swept"][0]["lost_since"] == "2025-12-31T23:58:59Z"
    assert "events_lost" in {alarm["code"] for alarm in told["alarms"]}


def test_no_key_is_refused_and_not_taken_for_no_events(
    connect: Callable[..., Account], run: Callable[..., tuple[int, Any]]
) -> None:
    connect("keyless")

    everybody, one, nobody = run("sweep"), run("sweep", "keyless"), run("sweep", "nobody")

    assert (everybody[0], everybody[1]["error"]["code"]) == (2, "api_key_missing")
    assert (one[0], one[1]["failed"][0]["code"]) == (1, "api_key_missing")
    assert (nobody[0], nobody[1]["error"]["code"]) == (2, "account_unknown")


def test_a_person_is_told_in_words(account: Account, stripe: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    customers(stripe, 2)
    stripe.advance(seconds=TRAIL)

    assert cli.run(["sweep"]) == 0
    assert cli.run(["status"]) == 0

    said = capsys.readouterr().out
    assert "acme: 2 events read, 2 new; " in said
    assert "acme: 2 thin events read, 0 new; " in said
    assert "Sweep      acme: all events up to 2026-01-01 00:00 UTC, 0 missed by webhooks" in said
    assert "No webhook endpoint at Stripe leads to /webhooks/stripe/acme.  (endpoint_missing" in said


def test_status_and_metrics_tell_of_sweeps_and_alarms(
    account: Account, stripe: Sandbox, run: Callable[..., tuple[int, Any]]
) -> None:
    run("sweep")
    customers(stripe, 2)
    stripe.advance(seconds=TRAIL)
    run("sweep")

    _status, told = run("status")
    numbers = health.exposition().decode()

    assert {alarm["code"] for alarm in told["alarms"]} == {"endpoint_missing", "endpoint_dead"}
    assert [row["missed_total"] for row in told["sweeps"]] == [2, 0]
    assert "trueup_stripe_events_missed_total 2.0" in numbers
    assert 'trueup_alarms{code="endpoint_dead"} 1.0' in numbers
    (age,) = re.findall(r"^trueup_sweep_cursor_age_seconds (\S+)$", numbers, re.MULTILINE)
    # The sandbox's clock tells whole seconds, and each sweep stays a minute behind it.
    assert TRAIL - 3 <= float(age) < TRAIL + 120
