"""`trueup sandbox`: a local Stripe on the command line, with no database and no installation."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trueup.ops import cli
from trueup.sandbox import Sandbox, start

DAY = 86_400


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with start() as running:
        yield running


@pytest.fixture
def ran(sandbox: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command against the sandbox; gives its status and what it printed, as JSON where asked."""
    monkeypatch.setenv("TRUEUP_SANDBOX_URL", sandbox.base_url)

    def run(*arguments: str) -> Any:
        capsys.readouterr()
        status = 0
        try:
            status = cli.run(["sandbox", *arguments])
        finally:
            out = capsys.readouterr().out
        return status, json.loads(out) if "--json" in arguments else out

    return run


def test_a_sandbox_runs_until_it_is_interrupted_and_needs_nothing_of_trueup(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TRUEUP_HOME": str(tmp_path / "home")}
    arguments = [
        "up",
        "--port",
        "0",
        "--json",
        "--seed",
        "s",
        "--start",
        "2027-03-01",
        "--file",
        str(tmp_path / "kept"),
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "trueup.ops.main", "sandbox", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    try:
        assert told["url"].startswith("http://127.0.0.1:")
        assert (told["api_key"], told["now"], told["seed"]) == ("sk_test_sandbox", 1_803_859_200, "s")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert (tmp_path / "kept").is_file()
    assert not (tmp_path / "home").exists()


def test_the_state_is_told(ran: Any, sandbox: Sandbox) -> None:
    sandbox.request("POST", "/v1/customers", {})

    status, told = ran("state", "--json")
    _, text = ran("state")

    assert (status, told["objects"]) == (0, {"account": 1, "customer": 1})
    assert "It is 2026-01-01 00:00:00 UTC there" in text
    assert "customer" in text


@pytest.mark.parametrize(
    ("to", "seconds"),
    [
        ("45s", 45),
        ("90m", 5400),
        ("12h", 43_200),
        ("30d", 30 * DAY),
        ("2w", 14 * DAY),
        ("2026-01-03", 2 * DAY),
        ("1767225601", 1),
        ("2026-01-01T02:00+01:00", 3600),
    ],
)
def test_time_passes(ran: Any, sandbox: Sandbox, to: str, seconds: int) -> None:
    before = sandbox.now

    assert ran("advance", to, "--json") == (0, {"now": before + seconds, "timers_fired": 0})
    assert sandbox.now == before + seconds


def test_a_test_clock_is_advanced(ran: Any, sandbox: Sandbox) -> None:
    clock = sandbox.request("POST", "/v1/test_helpers/test_clocks", {"frozen_time": 1000})["id"]

    assert ran("advance", "10d", "--clock", clock, "--json")[1]["now"] == 1000 + 10 * DAY
    assert "It is 1970-01-12" in ran("advance", "1d", "--clock", clock)[1]


def test_an_event_is_made_to_happen(ran: Any) -> None:
    assert ran("trigger", "customer.created", "--json") == (0, {"events": ["customer.created"]})
    assert "customer.created happened" in ran("trigger", "customer.created")[1]
    assert "invoice.paid" in ran("trigger")[1].splitlines()


def test_what_cannot_be_done_is_refused_with_what_to_do(ran: Any) -> None:
    for arguments, code in (
        (("trigger", "customer.sneezed"), "no_trigger"),
        (("advance", "2020-01-01"), "clock_backwards"),
        (("advance", "tomorrow"), "bad_time"),
        (("fail", "earthquake"), "bad_fault"),
        (("resend", "evt_none"), "no_event"),
        (("deliver", "--mode", "backwards"), "bad_mode"),
        (("load", "/nowhere/file"), "file_missing"),
        (("advance", "1d", "--clock", "clock_none"), "resource_missing"),
        (("state", "--url", "nowhere"), "bad_url"),
    ):
        status, told = ran(*arguments, "--json")
        assert (status, told["error"]["code"]) == (2, code)
        assert told["error"]["message"]


def test_that_no_sandbox_answers_is_told_with_how_to_start_one(ran: Any) -> None:
    status, told = ran("state", "--url", "http://127.0.0.1:9", "--json")

    assert (status, told["error"]["code"]) == (1, "sandbox_away")
    assert "trueup sandbox up" in told["error"]["hint"]


def test_events_are_listened_to_held_delivered_and_sent_again(ran: Any, sandbox: Sandbox) -> None:
    _, endpoint = ran("listen", "http://127.0.0.1:9/x", "--event", "customer.created", "--json")
    assert endpoint["secret"].startswith("whsec_")
    assert "Signing secret  whsec_" in ran("listen", "http://127.0.0.1:9/x", "--thin")[1]

    assert "Events for every endpoint are delivered later, when told to" in ran("deliver", "--mode", "held")[1]
    ran("trigger", "customer.created")
    assert ran("deliver", "--json")[1]["waiting"] == 2
    shuffled = ran("deliver", "--mode", "shuffled", "--within", "9", "--duplicates", "5", "--json")[1]
    assert shuffled["modes"][""]["within"] == 9
    assert "2 wait" in ran("deliver", "--retries")[1]
    event = sandbox.events()[-1]["id"]
    assert ran("resend", event, "--endpoint", endpoint["id"], "--json") == (0, {"resent": 1})
    assert "goes to 2 endpoints" in ran("resend", event)[1]


def test_how_events_are_delivered_is_for_every_endpoint_and_says_whose_own_mode_it_ends(ran: Any) -> None:
    one, two = (ran("listen", "http://127.0.0.1:9/x", "--json")[1]["id"] for _ in range(2))

    own = ran("deliver", "--mode", "shuffled", "--within", "9", "--delay", "60", "--endpoint", one)[1]
    other = ran("deliver", "--mode", "held", "--endpoint", two)[1]
    state = ran("state")[1]
    every = ran("deliver", "--dropped", "20")[1]
    told = ran("deliver", "--duplicates", "5", "--json")[1]

    assert own == f"✓ Events for {one} are delivered shuffled within 9 s, put off by 60 s from now on.\n"
    assert other.splitlines()[1:] == [f"  {one} has a mode of its own: shuffled within 9 s, put off by 60 s"]
    assert f"  {two} has a mode of its own: later, when told to" in state
    assert every.splitlines() == [
        "✓ Events for every endpoint are delivered in order, 20 % lost once from now on.",
        f"  A mode of their own had, and have no longer: {', '.join(sorted((one, two)))}",
    ]
    assert (list(told["modes"]), told["modes"][""]["duplicates"], told["ended"]) == ([""], 5, [])
    assert "Events are delivered in order, 5 % twice." in ran("state")[1]


@pytest.mark.parametrize("option", ["--dropped", "--duplicates", "--delay"])
def test_nought_ends_what_was_ordered_before(ran: Any, option: str) -> None:
    ran("deliver", option, "100")
    before = ran("state", "--json")[1]["delivery_modes"]

    ended = ran("deliver", option, "0")[1]

    assert before[""][option.removeprefix("--")] == 100
    assert ended == "✓ Events for every endpoint are delivered in order from now on.\n"
    assert ran("state", "--json")[1]["delivery_modes"].get("", {}).get(option.removeprefix("--"), 0) == 0


def test_within_is_for_orders_that_have_it(ran: Any) -> None:
    status, told = ran("deliver", "--within", "9", "--json")

    assert (status, told["error"]["code"]) == (2, "within_without_mode")
    assert ran("deliver", "--mode", "crossed", "--json")[1]["modes"][""]["within"] == 5


def test_requests_are_made_to_fail_and_to_succeed_again(ran: Any, sandbox: Sandbox) -> None:
    _, fault = ran("fail", "slow", "--percent", "50", "--path", "/v1/invoices*", "--seconds", "0.5", "--json")

    assert (fault["kind"], fault["times"], fault["percent"], fault["seconds"]) == ("slow", None, 50, 0.5)
    assert "Fault 2: error for *" in ran("fail", "error")[1]
    assert "Fault 2: error" in ran("state")[1]
    assert "Nothing fails any more" in ran("fail", "none")[1]
    assert sandbox.faults.all() == []


def test_everything_is_saved_and_loaded(ran: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    assert "Saved in" in ran("save", str(tmp_path / "saved"))[1]
    ran("trigger", "customer.created")

    assert ran("load", str(tmp_path / "saved"), "--json")[1]["events"] == 0
    assert ran("save", str(tmp_path / "saved"), "--json")[1]["error"]["code"] == "file_exists"
    assert ran("save", str(tmp_path / "again"), "--json")[1] == {"path": str(tmp_path / "again")}
