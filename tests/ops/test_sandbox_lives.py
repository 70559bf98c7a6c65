"""`trueup sandbox seed | scenarios | settings`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ops.test_sandbox import DAY, ran, sandbox
from trueup.kernel.errors import Refused
from trueup.ops import cli
from trueup.sandbox import Sandbox, start
from trueup.sandbox.scenarios.lives import SCENARIOS
from trueup.sandbox.server.populating import read_load

__all__ = ["ran", "sandbox"]


def test_customers_live_in_the_sandbox(ran: Any, sandbox: Sandbox) -> None:
    began = sandbox.now

    status, found = ran(
        "seed", "--customers", "3", "--months", "2", "--scenario", "upgrade", "--scenario", "lead", "--json"
    )

    assert status == 0
    assert found == {"now": began + 59 * DAY, "lives": 3, "broken": []}
    assert len(sandbox.request("GET", "/v1/customers")["data"]) == 3


def test_lives_go_into_a_file_without_a_sandbox(ran: Any, tmp_path: Path) -> None:
    path = tmp_path / "load.gz"

    status, found = ran(
        "seed", "--customers", "2", "--months", "1", "--output", str(path), "--url", "http://127.0.0.1:1", "--json"
    )

    assert status == 0
    assert found["events"] == len(list(read_load(path))) > 0


def test_an_unknown_scenario_is_refused(ran: Any) -> None:
    assert ran("seed", "--scenario", "nobody")[0] == 2


def test_the_catalogue_is_listed(ran: Any) -> None:
    _, found = ran("scenarios", "--json")

    assert found["scenarios"] == {name: scenario.about for name, scenario in SCENARIOS.items()}


def test_the_page_names_every_scenario(repository: Path) -> None:
    text = (repository / "docs" / "sandbox.md").read_text(encoding="utf-8")

    listed = {line for line in text.splitlines() if line.startswith("| `") and line.endswith(". |")}

    assert {f"| `{name}` | {scenario.about} |" for name, scenario in SCENARIOS.items()} <= listed


def test_the_account_is_set(ran: Any, sandbox: Sandbox) -> None:
    _, before = ran("settings", "--json")
    _, after = ran(
        "settings",
        "--retry-policy",
        "2,4",
        "--dunning-end",
        "mark_unpaid",
        "--pause-on-first-failure",
        "--upcoming-days",
        "3",
        "--json",
    )

    assert before == {
        "retry_policy": [1, 3, 5, 7, 9, 11, 13],
        "dunning_end": "cancel",
        "pause_on_first_failure": False,
        "upcoming_days": 7,
        "search_lag": 60,
    }
    assert after == before | {
        "retry_policy": [2, 4],
        "dunning_end": "mark_unpaid",
        "pause_on_first_failure": True,
        "upcoming_days": 3,
    }
    assert ran("settings", "--json")[1] == after


@pytest.mark.parametrize(
    "arguments",
    [
        ("--retry-policy", "4,2"),
        ("--retry-policy", "0"),
        ("--retry-policy", "soon"),
        ("--dunning-end", "forgive"),
        ("--upcoming-days", "-1"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(ran: Any, arguments: tuple[str, ...]) -> None:
    before = ran("settings", "--json")[1]

    assert ran("settings", *arguments)[0] == 2

    assert ran("settings", "--json")[1] == before


def test_the_policy_holds_for_what_happens_from_then_on(ran: Any, sandbox: Sandbox) -> None:
    ran("settings", "--retry-policy", "1", "--dunning-end", "mark_unpaid")
    ran("seed", "--customers", "1", "--months", "4", "--scenario", "involuntary_churn")

    (subscription,) = sandbox.request("GET", "/v1/subscriptions", {"status": "all"})["data"]

    assert subscription["status"] == "unpaid"


@pytest.mark.parametrize(("arguments", "named"), [(("deliver", "--mode", "wild"), "shuffled"), (("fail", "x"), "slow")])
def test_a_wrong_choice_is_told_the_right_ones(
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    named: str,
) -> None:
    monkeypatch.setenv("TRUEUP_SANDBOX_URL", sandbox.base_url)

    assert cli.run(["sandbox", *arguments]) == 2
    assert named in capsys.readouterr().err


def test_hours_pass_and_waiting_says_what_became_of_deliveries() -> None:
    with start() as running:
        began = running.now
        running.advance(days=1, hours=2, seconds=3)

        assert running.now == began + DAY + 2 * 3_600 + 3
        running.endpoint("http://127.0.0.1:9/nobody")
        running.request("POST", "/v1/customers", {"name": "Ada"})
        counts = running.wait_delivered()
        assert (counts["delivered"], counts["waiting"]) == (0, 1)
        with pytest.raises(Refused, match="2026-01-02 02:00:03 UTC already"):
            running.advance(to=began)
