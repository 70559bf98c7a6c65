"""What the commands about dead letters and replays print to people and programs, ask, and refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.console import world
from trueup.customer import service as customers
from trueup.inbox import dead_letters
from trueup.ops import cli
from trueup.ops.commands.dead_letters import words
from trueup.runtime import configuration, database, installation


@pytest.fixture
def told(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two customers with subscriptions, and an event of the first that was set aside."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    account = world.connect()
    world.many(account, 2)
    world.told(account, world.event("customer.updated", world.customer("cus_000", "[red]"), id="evt_odd"))
    database.execute(
        "insert into inbox_pending (account_id, livemode, event_id, created, attempts, last_error, set_aside_at)"
        " select account_id, livemode, event_id, created, 8, 'odd_value: No [red] here.', now() from inbox_event"
        " where event_id = 'evt_odd'"
    )
    yield
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


def run(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert cli.run(list(arguments)) == status
    return capsys.readouterr().out


def answered(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    return json.loads(run(capsys, *arguments, "--json", status=status))


def cause() -> str:
    return dead_letters.groups()[0].cause


def test_what_was_set_aside_is_listed_by_its_cause(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    listed = run(capsys, "dead-letters")
    shown = run(capsys, "dead-letters", "show", cause())
    told_json = answered(capsys, "dead-letters")

    assert "No [red] here." in listed
    assert "odd_value: " not in listed
    assert all(told in listed for told in ("event evt_odd", "mirror (events)", cause()))
    assert "acme" in shown
    assert "No [red] here." in shown
    assert [(one["cause"], one["queue"], one["rows"]) for one in told_json["data"]] == [(cause(), "mirror", 1)]
    assert answered(capsys, "dead-letters", "show", cause())["data"][0]["id"] == "evt_odd"


@pytest.mark.parametrize(
    ("_case_error", "_case_words"),
    [
        ("odd_value: It is odd: 7.", "It is odd: 7."),
        ("not_json: Expecting value", "The body is no JSON: Expecting value"),
        ("wrong_mode: ", "The event is of the other mode, live or test."),
        ("KeyError: 'items'", "Trueup did not expect this: KeyError: 'items'"),
        ("DataError: value too long", "Trueup did not expect this: DataError: value too long"),
        ("boom", "Trueup did not expect this: boom"),
        ("", "Not known."),
    ],
)
def test_what_stopped_a_row_is_told_in_words(_case_error: str, _case_words: str) -> None:
    assert words(_case_error) == _case_words


def test_giving_up_shows_first_and_needs_yes_and_a_reason(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "dead-letters", "discard", cause())
    assert "Would be given up: 1 of mirror (events)." in shown
    assert "add --yes" in shown
    refused = answered(capsys, "dead-letters", "discard", cause(), "--yes", status=2)
    assert refused["error"]["code"] == "reason_missing"
    assert len(dead_letters.groups()) == 1

    said = run(capsys, "dead-letters", "discard", cause(), "--yes", "--reason", "Not ours.")

    assert "Given up: 1 of mirror (events)." in said
    assert run(capsys, "dead-letters") == "Nothing is set aside.\n"


def test_trying_again_names_a_cause_or_all(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert answered(capsys, "dead-letters", "retry", status=2)["error"]["code"] == "cause_missing"
    assert answered(capsys, "dead-letters", "retry", "x", "--all", status=2)["error"]["code"] == "cause_missing"
    assert answered(capsys, "dead-letters", "retry", "none-000000", status=2)["error"]["code"] == "cause_unknown"
    assert answered(capsys, "dead-letters", "retry", "--all", "--dry-run")["done"] is False

    assert "Queued again: 1 of mirror (events)." in run(capsys, "dead-letters", "retry", "--all")
    assert run(capsys, "dead-letters", "retry", "--all") == "Nothing is set aside.\n"


def test_a_dry_run_counts_and_starts_nothing(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "replay", "--customer", "cus_000", "--dry-run")
    told_json = answered(capsys, "replay", "--customer", "cus_000", "--dry-run")

    assert "3 events of 2 objects and 1 customer; about 1 s." in said
    assert "1 of them were set aside, and 0 given up." in said
    assert {one["type"]: one["events"] for one in told_json["types"]} == {
        "customer.created": 1,
        "customer.subscription.created": 1,
        "customer.updated": 1,
    }
    assert (told_json["objects_changed"], told_json["would_fail"]) == (0, 0)
    assert answered(capsys, "replay", "list")["data"] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--event", "evt_no"], "event_unknown"),
        (["--event", "evt_odd", "--event", "evt_no"], "event_unknown"),
        (["--object", "sub_no"], "object_unknown"),
        (["--customer", "cus_no"], "customer_unknown"),
        (["--customer", "tc_no"], "customer_unknown"),
        # Known, and not to this account.
        (["--account", "other", "--event", "evt_odd"], "event_unknown"),
        (["--account", "other", "--object", "cus_000"], "object_unknown"),
        (["--account", "other", "--customer", "cus_000"], "customer_unknown"),
    ],
)
def test_an_id_that_nobody_knows_is_refused_and_not_counted_as_none(
    told: None, capsys: pytest.CaptureFixture[str], words: list[str], code: str
) -> None:
    world.connect("other")

    for how in (["--dry-run"], ["--yes", "--reason", "x"]):
        error = answered(capsys, "replay", *words, *how, status=2)["error"]
        assert error["code"] == code
        assert words[-1] in error["message"]
        assert error["hint"]
    assert answered(capsys, "replay", "list")["data"] == []


def test_an_object_that_only_an_event_set_aside_tells_of_is_known(
    told: None, capsys: pytest.CaptureFixture[str]
) -> None:
    database.execute("delete from mirror_version")
    database.execute("delete from mirror_object")

    for option in ("--object", "--customer"):
        assert answered(capsys, "replay", option, "cus_000", "--dry-run")["events"] == 1
    assert answered(capsys, "replay", "--object", "cus_001", "--dry-run", status=2)["error"]["code"] == "object_unknown"


@pytest.mark.parametrize(
    "words", [["--from", "2020-01-01", "--to", "2020-01-02"], ["--type", "invoice.paid"], ["--cause", "no_such-000000"]]
)
def test_a_time_a_type_or_a_cause_without_events_is_said_to_have_none(
    told: None, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert answered(capsys, "replay", *words, "--dry-run")["events"] == 0
    assert "No event of the log matches all of this" in run(capsys, "replay", *words, "--dry-run")


@pytest.mark.parametrize(
    ("_case_words", "_case_what"),
    [(("--from", "--to"), "created"), (("--received-from", "--received-to"), "received")],
)
def test_a_span_that_ends_before_it_begins_is_refused(
    told: None, capsys: pytest.CaptureFixture[str], _case_words: tuple[str, str], _case_what: str
) -> None:
    since, until = _case_words

    refused = answered(capsys, "replay", since, "2026-02-01", until, "2026-01-01 12:00", "--dry-run", status=2)["error"]
    same = answered(capsys, "replay", since, "2026-02-01", until, "2026-02-01", "--dry-run")

    assert refused["code"] == "selection_span"
    assert refused["message"] == (
        f"Events are to be {_case_what} from 2026-02-01 00:00:00 UTC on and before 2026-01-01 12:00:00 UTC, "
        "which is earlier."
    )
    assert since in refused["hint"]
    assert until in refused["hint"]
    assert f"{_case_what}_until" in refused["hint"]
    assert same["events"] == 0


def test_without_a_terminal_nothing_is_started_unless_told_so(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Nothing was started; add --yes" in run(capsys, "replay", "--all")
    assert answered(capsys, "replay", "--all", "--yes", status=2)["error"]["code"] == "reason_missing"
    missing = answered(capsys, "replay", "--reason", "x", "--yes", status=2)["error"]
    assert missing["code"] == "selection_missing"
    assert all(word in missing["hint"] for word in ("--all", "“everything”: true"))
    assert answered(capsys, "replay", "status", "7", status=2)["error"]["code"] == "replay_unknown"
    assert run(capsys, "replay", "list") == "Nothing was ever replayed.\n"


def test_our_own_id_stands_for_all_that_are_one_customer(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    ours = customers.get("cus_000").id

    assert answered(capsys, "replay", "--customer", ours, "--dry-run")["events"] == 3


def test_a_replay_is_started_watched_and_ended(told: None, capsys: pytest.CaptureFixture[str]) -> None:
    begun = answered(capsys, "replay", "--type", "customer.*", "--reason", "A rule changed.", "--rate", "9", "--yes")

    listed = run(capsys, "replay", "list")
    assert (begun["progress"], begun["total"], begun["done"], begun["rate"]) == ("running", 5, 0, 9)
    assert "A rule changed." in listed
    assert "0/5" in listed
    assert "0 of 5 events" in run(capsys, "replay", "status", str(begun["id"]))
    assert "has ended at 0 of 5 events" in run(capsys, "replay", "cancel", str(begun["id"]))
    assert answered(capsys, "replay", "cancel", str(begun["id"]), status=2)["error"]["code"] == "replay_ended"
    assert answered(capsys, "replay", "status", str(begun["id"]))["progress"] == "canceled"
