"""Deliveries over restarts and kills, and what they mean for invoices."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from trueup.sandbox import Sandbox, start
from trueup.sandbox.server import triggers

DAY = 86_400


def _customer(sandbox: Sandbox, email: str = "a@b.c") -> str:
    made: str = sandbox.request("POST", "/v1/customers", {"email": email})["id"]
    return made


def test_what_was_not_delivered_goes_out_after_a_restart(tmp_path: Path, receiver: Any) -> None:
    with start(path=tmp_path / "kept") as first:
        first.delivery(held=True)
        first.endpoint(receiver.url)
        _customer(first)
        first.engine.outbox.release()

    with start(path=tmp_path / "kept") as second:
        second.wait_delivered()
        assert [event["id"] for event in receiver.events] == [second.events()[0]["id"]]
        assert second.engine.outbox.mode().held


def test_an_invoice_that_is_not_acknowledged_is_known_to_be_so(sandbox: Sandbox, receiver: Any) -> None:
    def unheard() -> str:
        return sandbox.engine.store.meta("invoice_created_unacked:in_1", "0")

    receiver.statuses = [500]
    sandbox.endpoint(receiver.url)
    with sandbox.engine.change() as world:
        world.write("invoice.created", {"object": {"id": "in_1", "object": "invoice"}}, about="in_1")
    sandbox.wait_delivered()
    assert unheard() == "1"

    sandbox.deliver(retries=True)

    assert unheard() == "0"


def _draft_hours(sandbox: Sandbox) -> float:
    """How many hours a renewal's invoice stayed a draft, the clock going on in step with deliveries."""
    payer = triggers.Actor(sandbox)
    payer.subscription(payer.customer())
    sandbox.wait_delivered()
    sandbox.advance(days=36, in_step=True)
    invoice = sandbox.request("GET", "/v1/invoices", {"limit": 1})["data"][0]
    assert (invoice["billing_reason"], invoice["status"]) == ("subscription_cycle", "paid")
    return float((invoice["status_transitions"]["finalized_at"] - invoice["created"]) / 3600)


def test_an_invoice_that_nobody_acknowledges_is_finalised_after_three_days(sandbox: Sandbox) -> None:
    sandbox.endpoint("http://127.0.0.1:9/nobody", events=["invoice.created"])

    assert _draft_hours(sandbox) == 72


def test_an_invoice_that_is_acknowledged_late_is_finalised_soon_after(sandbox: Sandbox, receiver: Any) -> None:
    # The first is of the subscription's creation; that of the renewal is acknowledged with the second retry.
    receiver.statuses = [200, 500, 500]
    sandbox.endpoint(receiver.url, events=["invoice.created"])

    assert _draft_hours(sandbox) == 2


def test_an_invoice_that_is_acknowledged_is_finalised_after_an_hour(sandbox: Sandbox, receiver: Any) -> None:
    sandbox.endpoint(receiver.url, events=["invoice.created"])

    assert _draft_hours(sandbox) == 1


def test_nothing_is_lost_when_the_process_is_killed(tmp_path: Path, receiver: Any) -> None:
    """What was answered before the kill is there after it, and all of it is delivered, though some perhaps twice."""
    program = (
        "import sys, trueup.sandbox\n"
        "sandbox = trueup.sandbox.start(path=sys.argv[1])\n"
        "sandbox.endpoint(sys.argv[2])\n"
        "for at in range(100000):\n"
        "    print(sandbox.request('POST', '/v1/customers', {'email': f'{at}@b.c'})['id'], flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "kept"), receiver.url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    answered = [process.stdout.readline().strip() for _ in range(150)]
    process.kill()
    answered += [line.strip() for line in process.stdout if line.endswith("\n")]
    process.wait()
    process.stdout.close()

    with start(path=tmp_path / "kept") as sandbox:
        sandbox.wait_delivered()
        told = [event["data"]["object"]["id"] for event in sandbox.events()]
        assert set(answered) <= set(told)
        assert {event["data"]["object"]["id"] for event in receiver.events} == set(told)


def test_what_was_under_way_says_nothing_of_a_state_that_was_loaded_meanwhile(
    sandbox: Sandbox, receiver: Any, tmp_path: Path
) -> None:
    sandbox.delivery(held=True)
    sandbox.endpoint(receiver.url)
    _customer(sandbox, "saved@b.c")
    sandbox.save(tmp_path / "saved")
    receiver.gate.clear()
    sandbox.engine.outbox.release()
    sandbox.courier.wake()
    until = time.monotonic() + 5
    while not receiver.connections and time.monotonic() < until:
        time.sleep(0.01)

    sandbox.load(tmp_path / "saved")
    receiver.gate.set()
    sandbox.wait_delivered()

    assert len(receiver.bodies) == 1
    assert sandbox.engine.outbox.counts()["waiting"] == 1
    assert sandbox.deliver()["delivered"] == 1
