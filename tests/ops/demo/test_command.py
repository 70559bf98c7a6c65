"""The real ``trueup demo``, its processes and its sandbox, over HTTP."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests import instance
from tests.ops.conftest import Installation
from tests.ports import free_port
from trueup.ops.demo.session import alone
from trueup.sandbox.server.engine import Engine
from trueup.sandbox.server.populating import Asking

COMPANIES = "5"


@contextmanager
def demo(
    installation: Installation, port: int, *options: str, end: signal.Signals = signal.SIGTERM
) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """A demo that runs until the block ends, and what it said."""
    process = installation.start("demo", "--json", "--companies", COMPANIES, *options, TRUEUP_PORT=str(port))
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield process, json.loads(line)
        process.send_signal(end)
        assert process.wait(30) == (0 if end is signal.SIGTERM else -end)
    finally:
        process.kill()
        process.communicate()


def ask(said: Any, path: str, **form: str) -> Any:
    """Ask the demo's sandbox as the command line that it prints does."""
    user = base64.b64encode(f"{said['sandbox']['api_key']}:".encode()).decode()
    answer = instance.request(
        urlsplit(said["sandbox"]["url"]).port or 0,
        path,
        urlencode(form).encode(),
        method="POST" if form else "GET",
        headers={"Authorization": f"Basic {user}", "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status == 200, answer.body
    return answer.json


def stripe_ids(installation: Installation) -> set[str]:
    return {row[0] for row in installation.rows("select stripe_customer_id from customer_customer")}


def test_what_somebody_does_in_the_sandbox_appears_in_trueup_also_after_a_kill(fresh: Installation) -> None:
    port = free_port()
    with demo(fresh, port, "--no-trickle", end=signal.SIGKILL) as (_process, said):
        year = stripe_ids(fresh)
        assert len(year) >= int(COMPANIES)
        assert {"email", "password", "token", "url", "sandbox"} == said.keys()
        connected = fresh.run("accounts", "--json").json[0]
        assert connected["api_base"] == said["sandbox"]["url"]
        assert connected["stripe_account_id"] == ask(said, "/v1/account")["id"]
        assert connected["has_api_key"]

        made = ask(said, "/v1/customers", name="Ada", email="ada@first.example")["id"]

        instance.eventually(lambda: made in stripe_ids(fresh), "the customer appears")
    instance.eventually(lambda: not _answers(port), "its children end with it")
    missed = _meanwhile(fresh.home / "demo-sandbox.db", name="Cleo")

    with demo(fresh, port, "--no-trickle") as (process, again):
        assert again == said
        assert stripe_ids(fresh) == year | {made, missed}
        assert ask(again, f"/v1/customers/{made}")["name"] == "Ada"
        other = ask(again, "/v1/customers", name="Bob")["id"]
        instance.eventually(lambda: other in stripe_ids(fresh), "the next customer appears too")
        # Another one here says where the first is, and ends.
        second = fresh.run("demo", "--json", TRUEUP_PORT=str(port))
        assert second.status == 0, second.err
        assert second.json == said
        assert process.poll() is None


def _meanwhile(path: Path, **customer: str) -> str:
    """Make a customer while nobody is there to hear of it."""
    engine = Engine(path)
    try:
        return str(Asking(engine).request("POST", "/v1/customers", customer)["id"])
    finally:
        engine.close()


def _answers(port: int) -> bool:
    try:
        return instance.request(port, "/healthz", method="GET").status == 200
    except OSError:
        return False


def test_filling_ends_when_it_is_full_and_things_happen_afterwards(fresh: Installation) -> None:
    port = free_port()
    filled = fresh.run("demo", "--seed-only", "--companies", COMPANIES, TRUEUP_PORT=str(port))
    assert filled.status == 0, filled.err
    assert "demo@trueup.example" in filled.out
    assert "curl" not in filled.out
    before = fresh.rows("select count(*) from inbox_event")[0][0]

    with demo(fresh, port) as (_process, said):
        assert "sk_test" in said["sandbox"]["api_key"]
        instance.eventually(
            lambda: fresh.rows("select count(*) from inbox_event")[0][0] > before, "something happens", 60
        )


def test_a_demo_of_a_former_version_is_not_mixed_with_a_new_one(fresh: Installation) -> None:
    fresh.home.mkdir()
    former = {"now": "2026-11-20T15:30:00Z", "companies": 200, "seed": 1, "password": "x", "webhook_secret": "whsec_x"}
    (fresh.home / "demo.json").write_text(json.dumps(former))

    ended = fresh.run("demo", "--json", TRUEUP_PORT=str(free_port()))

    assert ended.status == 2
    assert ended.json["error"]["code"] == "demo_former"
    assert "TRUEUP_HOME" in ended.json["error"]["hint"]


def test_what_the_demo_remembers_can_be_damaged(fresh: Installation) -> None:
    fresh.home.mkdir()
    (fresh.home / "demo.json").write_text('{"version": 2}')

    ended = fresh.run("demo", "--json", TRUEUP_PORT=str(free_port()))

    assert ended.status == 2
    assert ended.json["error"]["code"] == "demo_damaged"


def test_one_process_at_a_time_has_a_demo(tmp_path: Path) -> None:
    with alone(tmp_path / "home" / "demo.lock") as first, alone(tmp_path / "home" / "demo.lock") as second:
        assert first
        assert not second
    with alone(tmp_path / "home" / "demo.lock") as again:
        assert again
