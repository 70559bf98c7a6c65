"""``trueup backfill``, what ``connect`` starts, and the API: the same record everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from django.test import Client

from tests.mirror.backfill.conftest import Connect, read_all
from tests.mirror.backfill.gate import Gate, forbidden
from trueup.kernel.actor import system
from trueup.kernel.errors import Refused
from trueup.kernel.time import from_unix
from trueup.mirror.backfill import service
from trueup.mirror.backfill.types import Status
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Scope
from trueup.ops import cli
from trueup.runtime import clock
from trueup.sandbox import Sandbox

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(committed: str, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command with ``--json`` in this process; gives its status and what it printed."""

    def command(*arguments: str) -> tuple[int, Any]:
        status = cli.run([*arguments, "--json"])
        return status, json.loads(capsys.readouterr().out.splitlines()[-1])

    return command


def test_here_reads_without_a_worker_and_the_api_tells_the_same(sandbox: Sandbox, connect: Connect, run: Run) -> None:
    connect(sandbox.base_url)
    token = tokens.create_token(name="ci", scopes=[Scope.READ], by=system("test")).token
    program = Client(headers={"authorization": f"Bearer {token}"})

    status, said = run("backfill", "acme", "--here", "--type", "product", "--type", "coupon")

    assert status == 0
    assert (said["run"]["status"], said["account"]) == ("complete", "acme")
    assert said["objects"] == said["expected"] == said["new"] > 1
    assert {one["what"] for one in said["unreached"]} >= {"customers that were deleted", "invoice"}
    assert run("backfill", "status", "acme") == (0, said)
    assert program.get("/api/v1/backfills/acme").json() == said
    page = {"data": [said], "next": None, "total": 1}
    assert program.get("/api/v1/backfills").json() == page
    assert run("backfill", "status") == (0, page)


def test_a_narrow_backfill_is_told_of_beside_the_whole_one_and_not_instead(
    sandbox: Sandbox, connect: Connect, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    connect(sandbox.base_url)
    _status, whole = run("backfill", "acme", "--here")
    _status, narrow = run("backfill", "acme", "--here", "--type", "coupon")

    page = run("backfill", "status")[1]
    cli.run(["backfill", "status", "acme"])
    told = capsys.readouterr().out
    newest = run("backfill", "status", "acme")[1]

    assert (whole["whole"], narrow["whole"]) == (True, False)
    assert page == {"data": [whole, narrow], "next": None, "total": 2}
    assert newest == narrow
    assert f"The backfill of acme is complete: {whole['objects']:,} objects" in told
    assert f"The backfill of acme, coupon alone, is complete: {narrow['objects']:,} objects" in told
    assert "test_helpers.test_clock (comes along)" in told
    assert told.index("acme is complete") < told.index("coupon alone")
    _status, again = run("backfill", "acme", "--here")
    assert run("backfill", "status")[1]["data"] == [again]


def test_a_moment_that_has_not_come_is_refused_by_the_clock_there(sandbox: Sandbox, connect: Connect, run: Run) -> None:
    connect(sandbox.base_url)
    sandbox.advance(days=3_650)  # Beyond this machine's own clock.

    refused = run("backfill", "acme", "--since", str(from_unix(sandbox.now + 86_400)), "--no-follow")
    never = run("backfill", "status", "acme")
    begun = run("backfill", "acme", "--since", str(from_unix(sandbox.now - 86_400)), "--no-follow")

    assert (refused[0], refused[1]["error"]["code"]) == (2, "backfill_since_ahead")
    assert never[1]["error"]["code"] == "backfill_never"
    assert (begun[0], begun[1]["run"]["status"]) == (0, "running")


def test_stripes_own_clock_is_this_ones(connect: Connect, run: Run) -> None:
    account = msgspec.structs.replace(connect("http://127.0.0.1:1"), api_base=None)

    with pytest.raises(Refused, match="has not come yet at Stripe"):
        service.start(account=account, since=clock.unix() + 60, by=system("test"))


def test_what_was_read_counts_as_readings_and_not_as_events(
    sandbox: Sandbox, connect: Connect, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    connect(sandbox.base_url)
    _status, read = run("backfill", "acme", "--here", "--type", "product")
    _status, swept = run("sweep", "acme")
    events = swept["swept"][0]["found"]

    _status, told = run("status")
    assert cli.run(["status"]) == 0

    stats = told["inbox"]
    assert events > 0
    assert (stats["events_24h"], stats["readings_24h"]) == (events, read["new"])
    assert stats["received_24h"] == events + read["new"]
    assert f"Log        {events:,} events and {read['new']} readings of Stripe's API in 24 h" in capsys.readouterr().out


def test_an_incomplete_backfill_ends_with_one(before: Gate, connect: Connect, run: Run) -> None:
    connect(before.base_url)
    before.rule = lambda path, _query: forbidden(path) if path == "/v1/coupons" else None

    status, said = run("backfill", "--here", "--type", "coupon")

    assert status == 1
    assert said["data"][0]["run"]["status"] == "incomplete"
    before.rule = lambda _path, _query: None
    status, said = run("backfill", "resume", "acme", "--here")
    assert (status, said["run"]["status"]) == (0, "complete")


def test_a_person_is_told_what_was_not_read(
    before: Gate, connect: Connect, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    connect(before.base_url)
    before.rule = lambda path, _query: forbidden(path) if path == "/v1/coupons" else None

    status = cli.run(["backfill", "acme", "--here", "--type", "coupon", "--type", "product"])

    said = capsys.readouterr().out
    assert status == 1
    assert "is over and incomplete" in said
    assert "Not read: coupon." in said
    assert "trueup backfill resume acme" in said


def test_connect_has_everything_read_once(sandbox: Sandbox, run: Run) -> None:
    keyed = ["connect", "--name", "acme", "--api-base", sandbox.base_url, "--api-key", sandbox.api_key]

    _status, unread = run(*keyed, "--no-backfill")
    _status, first = run(*keyed)
    _status, second = run(*keyed)

    assert unread["backfill"] is None
    assert first["backfill"]["status"] == "running"
    assert first["backfill"]["started_by"].startswith("command_line ")
    assert second["backfill"] is None
    account = service.account_of("acme")
    assert service.progress(account).expected is None


def test_a_run_is_cancelled_and_the_rest_stays_unread(sandbox: Sandbox, connect: Connect, run: Run) -> None:
    account = connect(sandbox.base_url)

    assert run("backfill", "acme", "--type", "product", "--no-follow")[0] == 0
    status, said = run("backfill", "cancel", "acme")

    assert (status, said["run"]["status"]) == (0, "cancelled")
    assert read_all(threads=1) == 0
    assert service.progress(account).run.status is Status.CANCELLED


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["backfill", "nobody"], "account_unknown"),
        (["backfill", "status", "nobody"], "account_unknown"),
        (["backfill"], "backfill_no_account"),
        (["backfill", "cancel", "acme"], "backfill_not_running"),
        (["backfill", "resume", "acme"], "backfill_not_resumable"),
        (["backfill", "status", "acme"], "backfill_never"),
        (["backfill", "acme"], "api_key_missing"),
    ],
)
def test_what_cannot_be_done_is_refused(connect: Connect, run: Run, arguments: list[str], code: str) -> None:
    connect("http://127.0.0.1:1", api_key="")

    status, said = run(*arguments)

    assert (status, said["error"]["code"]) == (2, code)


def test_the_types_that_can_be_asked_for_are_listed(run: Run) -> None:
    status, said = run("backfill", "types")

    usual = {one["object_type"]: one["usual"] for one in said["data"]}
    assert status == 0
    assert (usual["invoice"], usual["tax_id"]) == (True, False)
    assert "mandate" not in usual


def test_joining_a_backfill_that_reads_less_is_said(
    sandbox: Sandbox, connect: Connect, capsys: pytest.CaptureFixture[str]
) -> None:
    account = connect(sandbox.base_url)
    service.start(account=account, types=["product"], since=1_700_000_000, by=system("test"))

    def noted(*words: str) -> bool:
        cli.run(["backfill", "acme", "--no-follow", *words])
        return "acme: another backfill runs, which reads less than this" in capsys.readouterr().err

    assert noted()
    assert noted("--type", "coupon", "--since", "2026-01-01")
    assert noted("--type", "product")
    assert not noted("--type", "product", "--since", "2026-01-01T12:00:30Z")
    service.cancel(account=account, by=system("test"))
    assert not noted("--type", "coupon", "--type", "product")
