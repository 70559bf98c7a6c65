"""What is left of the calls to Stripe, on the command line and for Prometheus."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.instance import eventually
from tests.web.console import world
from trueup.accounts import budget, calls
from trueup.accounts.types import Account
from trueup.ops import cli
from trueup.ops.calls_metrics import CallsCollector

Run = Callable[..., Any]


@pytest.fixture
def account(db: None) -> Account:
    """An account with a key that was called a little, and slowed down."""
    account = world.connect()
    budget.take(account.id, "GET /v1/invoices", lane="sweep", account_limit=25.0, endpoint_limit=25.0, wanted=2)
    budget.slow_down(account.id, "", cause="global-rate", pause=3000.0)
    eventually(lambda: [one.free for one in calls.limits().data] == [False, True], "two calls are made up for")
    return account


@pytest.fixture(autouse=True)
def _home(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))


def test_the_command_says_what_is_left_and_why_it_is_little(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["limits", account.slug, "--json"]) == 0

    [whole, invoices] = json.loads(capsys.readouterr().out)["data"]
    assert (whole["endpoint"], whole["per_second"], whole["cause"], whole["throttled"]) == ("", 25, "global-rate", 1)
    assert whole["left"] == {"commands": 0, "events": 0, "sweep": 0, "backfill": 0}
    assert whole["throttled_until"] is not None
    assert invoices["endpoint"] == "GET /v1/invoices"
    assert invoices["calls"] == {"commands": 0, "events": 0, "sweep": 2, "backfill": 0}


def test_a_person_reads_it_in_a_table(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["limits"]) == 0

    said = capsys.readouterr().out
    assert "global-rate" in said
    assert "GET /v1/invoices" not in said
    assert "1 endpoint not shown: free. All of them: trueup limits --all" in said


def test_an_endpoint_is_shown_while_it_is_slowed_down_and_with_all_always(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    budget.take(account.id, "GET /v1/charges", lane="sweep", account_limit=25.0, endpoint_limit=25.0)
    budget.slow_down(account.id, "GET /v1/charges", cause="endpoint-rate", pause=3000.0)

    assert cli.run(["limits"]) == 0
    said = capsys.readouterr().out
    assert cli.run(["limits", "--all"]) == 0
    everything = capsys.readouterr().out

    assert ("GET /v1/charges" in said, "GET /v1/invoices" in said) == (True, False)
    assert ("GET /v1/charges" in everything, "GET /v1/invoices" in everything) == (True, True)
    assert "not shown" not in everything
    assert cli.run(["limits", "--json"]) == 0
    told = {one["endpoint"]: one["free"] for one in json.loads(capsys.readouterr().out)["data"]}
    assert told == {"": False, "GET /v1/charges": False, "GET /v1/invoices": True}


def test_an_account_that_there_is_not_is_refused(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["limits", "nobody", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "account_unknown"


def test_prometheus_is_told_what_is_left(account: Account) -> None:
    samples = {
        (sample.name, sample.labels.get("lane", "")): sample.value
        for metric in CallsCollector().collect()
        for sample in metric.samples
    }

    assert samples["trueup_stripe_calls_left", "commands"] == 0
    assert samples["trueup_stripe_calls_made_total", "sweep"] == 2
    assert samples["trueup_stripe_throttled_total", ""] == 1
    assert samples["trueup_stripe_throttled_until_seconds", ""] > 0
    assert 0.5 <= samples["trueup_stripe_limit_share", ""] < 0.9
