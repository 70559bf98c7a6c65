"""Events on their way to real endpoints."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import pytest
import stripe

from trueup.kernel.errors import NotFound, Refused, Unavailable
from trueup.sandbox import Sandbox, start
from trueup.sandbox.assumptions import RETRY_SECONDS
from trueup.sandbox.server import triggers

DAY = 86_400


def _customer(sandbox: Sandbox, email: str = "a@b.c") -> str:
    made: str = sandbox.request("POST", "/v1/customers", {"email": email})["id"]
    return made


def _customers(sandbox: Sandbox, number: int) -> list[str]:
    emails = [f"{at:02}@b.c" for at in range(number)]
    for email in emails:
        _customer(sandbox, email)
    return emails


def test_an_event_arrives_signed_and_indented_and_the_sdk_takes_it(sandbox: Sandbox, receiver: Any) -> None:
    endpoint = sandbox.endpoint(receiver.url)
    customer = _customer(sandbox)

    sandbox.wait_delivered()

    event = stripe.Webhook.construct_event(receiver.bodies[0], receiver.headers[0]["stripe-signature"], endpoint.secret)
    assert (event.type, event.data.object["id"], event.pending_webhooks) == ("customer.created", customer, 1)
    assert receiver.bodies[0].startswith(b'{\n  "id": "evt_')
    assert receiver.paths == ["/hooks?of=stripe"]
    assert receiver.headers[0]["content-type"] == "application/json; charset=utf-8"
    assert receiver.headers[0]["user-agent"].startswith("Stripe/1.0")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(receiver.bodies[0], receiver.headers[0]["stripe-signature"], "whsec_other")


def test_a_thin_event_arrives_and_the_sdk_follows_it(sandbox: Sandbox, sdk: stripe.StripeClient, receiver: Any) -> None:
    endpoint = sandbox.endpoint(receiver.url, events=["v1.customer.created"], thin=True)
    customer = _customer(sandbox)

    sandbox.wait_delivered()

    told = sdk.parse_event_notification(receiver.bodies[0], receiver.headers[0]["stripe-signature"], endpoint.secret)
    assert told.type == "v1.customer.created"
    assert cast("Any", told).fetch_related_object().id == customer
    assert cast("Any", told).fetch_event().snapshot_event == sandbox.events()[0]["id"]


def test_a_ping_reaches_its_destination_and_no_other(sandbox: Sandbox, sdk: stripe.StripeClient, receiver: Any) -> None:
    endpoint = sandbox.endpoint(receiver.url, events=["*"], thin=True)
    sandbox.endpoint(receiver.url, events=["*"], thin=True)
    sandbox.endpoint(receiver.url)

    event = sdk.v2.core.event_destinations.ping(endpoint.id)
    sandbox.wait_delivered()

    told = sdk.parse_event_notification(receiver.bodies[0], receiver.headers[0]["stripe-signature"], endpoint.secret)
    assert len(receiver.bodies) == 1
    assert (told.id, told.type) == (event.id, "v2.core.event_destination.ping")
    assert cast("Any", told).related_object.id == endpoint.id


def test_an_endpoint_gets_the_types_it_asked_for(sandbox: Sandbox, receiver: Any) -> None:
    sandbox.endpoint(receiver.url, events=["customer.deleted"])
    customer = _customer(sandbox)
    sandbox.request("DELETE", f"/v1/customers/{customer}")

    sandbox.wait_delivered()

    assert [event["type"] for event in receiver.events] == ["customer.deleted"]


def test_events_come_in_order_over_one_connection(sandbox: Sandbox, receiver: Any) -> None:
    sandbox.endpoint(receiver.url)
    emails = _customers(sandbox, 30)

    sandbox.wait_delivered()

    assert receiver.emails == emails
    assert receiver.connections <= 3


def test_requests_are_answered_while_an_endpoint_is_slow(sandbox: Sandbox, receiver: Any) -> None:
    receiver.gate.clear()
    sandbox.endpoint(receiver.url)

    emails = _customers(sandbox, 5)

    assert receiver.bodies == []
    event = sandbox.events()[0]["id"]
    assert sandbox.request("GET", f"/v1/events/{event}")["pending_webhooks"] == 1
    receiver.gate.set()
    sandbox.wait_delivered()
    assert receiver.emails == emails
    assert sandbox.request("GET", f"/v1/events/{event}")["pending_webhooks"] == 0


def test_what_is_not_acknowledged_comes_again_by_the_sandboxes_clock(sandbox: Sandbox, receiver: Any) -> None:
    receiver.statuses = [500, 404]
    endpoint = sandbox.endpoint(receiver.url)
    _customer(sandbox)
    sandbox.wait_delivered()
    assert len(receiver.bodies) == 1
    assert sandbox.request("GET", "/v1/events", {"delivery_success": False})["data"] != []

    sandbox.advance(seconds=RETRY_SECONDS[0] - 1)
    sandbox.wait_delivered()
    assert len(receiver.bodies) == 1

    sandbox.advance(seconds=1)
    sandbox.wait_delivered()
    assert len(receiver.bodies) == 2

    sandbox.advance(seconds=RETRY_SECONDS[1])
    sandbox.wait_delivered()
    assert len(receiver.bodies) == 3
    assert len({event["id"] for event in receiver.events}) == 1
    assert sandbox.request("GET", "/v1/events", {"delivery_success": True})["data"][0]["pending_webhooks"] == 0
    for body, headers in zip(receiver.bodies, receiver.headers, strict=True):
        stripe.Webhook.construct_event(body, headers["stripe-signature"], endpoint.secret)


def test_after_the_last_retry_a_delivery_has_failed(sandbox: Sandbox, receiver: Any) -> None:
    receiver.statuses = [503] * 9
    sandbox.endpoint(receiver.url)
    _customer(sandbox)
    for seconds in (0, *RETRY_SECONDS, 100 * DAY):
        sandbox.advance(seconds=seconds)
        sandbox.wait_delivered()

    assert len(receiver.bodies) == 1 + len(RETRY_SECONDS)
    assert sandbox.deliver(retries=True)["failed"] == 1
    assert sandbox.engine.outbox.latest(1)[0]["problem"] == "answered 503"


def test_a_retry_can_be_had_at_once(sandbox: Sandbox, receiver: Any) -> None:
    receiver.statuses = [500]
    sandbox.endpoint(receiver.url)
    _customer(sandbox)
    assert sandbox.deliver()["waiting"] == 1

    assert sandbox.deliver(retries=True) == {"delivered": 1, "failed": 0, "canceled": 0, "waiting": 0, "due": 0}


def test_an_endpoint_that_nobody_listens_at_gets_its_events_later(sandbox: Sandbox) -> None:
    sandbox.endpoint("http://127.0.0.1:9/hooks")
    _customer(sandbox)

    assert sandbox.deliver()["waiting"] == 1
    assert "Connect" in sandbox.engine.outbox.latest(1)[0]["problem"]


def test_an_endpoint_that_does_not_answer_in_time_counts_as_failed(receiver: Any) -> None:
    receiver.gate.clear()
    with start(timeout=0.1) as sandbox:
        sandbox.endpoint(receiver.url)
        _customer(sandbox)

        assert sandbox.deliver()["waiting"] == 1
        assert sandbox.engine.outbox.latest(1)[0]["problem"] == "no answer in 0.1 seconds"
        receiver.gate.set()


def test_disabling_an_endpoint_ends_its_deliveries(sandbox: Sandbox, receiver: Any) -> None:
    receiver.statuses = [500]
    endpoint = sandbox.endpoint(receiver.url)
    _customer(sandbox)
    sandbox.wait_delivered()

    sandbox.request("POST", f"/v1/webhook_endpoints/{endpoint.id}", {"disabled": True})
    sandbox.advance(days=1)
    _customer(sandbox)

    assert sandbox.deliver(retries=True) == {"delivered": 0, "failed": 0, "canceled": 1, "waiting": 0, "due": 0}
    assert len(receiver.bodies) == 1
    sandbox.request("POST", f"/v1/webhook_endpoints/{endpoint.id}", {"disabled": False})
    _customer(sandbox, "again@b.c")
    sandbox.wait_delivered()
    assert receiver.emails == ["a@b.c", "again@b.c"]


def test_a_rolled_secret_signs_beside_the_old_one_for_a_day(sandbox: Sandbox, receiver: Any) -> None:
    endpoint = sandbox.endpoint(receiver.url)
    new = sandbox.roll(endpoint.id)
    _customer(sandbox)
    sandbox.wait_delivered()
    for secret in (endpoint.secret, new):
        stripe.Webhook.construct_event(receiver.bodies[0], receiver.headers[0]["stripe-signature"], secret)

    sandbox.advance(days=1)
    _customer(sandbox)
    sandbox.wait_delivered()

    stripe.Webhook.construct_event(receiver.bodies[1], receiver.headers[1]["stripe-signature"], new)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(receiver.bodies[1], receiver.headers[1]["stripe-signature"], endpoint.secret)
    with pytest.raises(NotFound):
        sandbox.roll("we_none")


def test_held_events_wait_until_they_are_told_to_go(sandbox: Sandbox, receiver: Any) -> None:
    sandbox.delivery(held=True)
    sandbox.endpoint(receiver.url)
    emails = _customers(sandbox, 3)
    sandbox.advance(days=3)
    sandbox.wait_delivered()
    assert receiver.bodies == []

    assert sandbox.deliver()["delivered"] == 3
    assert receiver.emails == emails
    _customer(sandbox, "held@b.c")
    sandbox.wait_delivered()
    assert len(receiver.bodies) == 3

    sandbox.delivery(held=False)
    sandbox.wait_delivered()
    assert receiver.emails[-1] == "held@b.c"


def test_one_event_can_be_let_go(sandbox: Sandbox, receiver: Any) -> None:
    sandbox.delivery(held=True)
    sandbox.endpoint(receiver.url)
    _customers(sandbox, 3)

    sandbox.deliver(event=sandbox.events()[1]["id"])

    assert receiver.emails == ["01@b.c"]


def _arrived(receiver: Any, seed: str, **mode: Any) -> list[str]:
    receiver.bodies.clear()
    with start(seed=seed) as sandbox:
        sandbox.delivery(held=True, **mode)
        sandbox.endpoint(receiver.url)
        for email in (f"{at:02}@b.c" for at in range(20)):
            customer = _customer(sandbox, email)
            sandbox.request("POST", f"/v1/customers/{customer}", {"name": "later"})
            sandbox.advance(seconds=1)
        sandbox.deliver()
    return [f"{event['type']} {event['data']['object']['email']}" for event in receiver.events]


def test_shuffled_events_come_in_another_order_that_the_seed_decides(receiver: Any) -> None:
    ordered = _arrived(receiver, "s")
    shuffled = _arrived(receiver, "s", order="shuffled", within=5)

    assert shuffled != ordered
    assert sorted(shuffled) == sorted(ordered)
    assert shuffled == _arrived(receiver, "s", order="shuffled", within=5)
    assert shuffled != _arrived(receiver, "t", order="shuffled", within=5)
    # Nothing moves further than the seconds allow: two events come with each of them.
    assert all(abs(shuffled.index(one) - at) <= 2 * 6 for at, one in enumerate(ordered))


def test_crossed_events_leave_those_of_one_object_in_order(receiver: Any) -> None:
    ordered = _arrived(receiver, "s")
    crossed = _arrived(receiver, "s", order="crossed", within=10)

    assert crossed != ordered
    for at in range(20):
        mine = [one for one in crossed if one.endswith(f"{at:02}@b.c")]
        assert [one.split()[0] for one in mine] == ["customer.created", "customer.updated"]


def test_some_events_come_twice(receiver: Any) -> None:
    ordered = _arrived(receiver, "s")
    doubled = _arrived(receiver, "s", duplicates=30)

    assert set(doubled) == set(ordered)
    assert len(ordered) < len(doubled) < 2 * len(ordered)


def test_dropped_events_come_with_the_retry(sandbox: Sandbox, receiver: Any) -> None:
    sandbox.delivery(dropped=50)
    sandbox.endpoint(receiver.url)
    emails = _customers(sandbox, 20)
    sandbox.wait_delivered()
    came = len(receiver.bodies)
    assert 0 < came < 20

    sandbox.advance(seconds=RETRY_SECONDS[0])
    sandbox.wait_delivered()

    assert sorted(receiver.emails) == emails
    assert receiver.emails[:came] == sorted(receiver.emails[:came])


def test_delayed_events_come_when_the_clock_has_gone_on(sandbox: Sandbox, receiver: Any) -> None:
    sandbox.delivery(delay=3600)
    sandbox.endpoint(receiver.url)
    _customer(sandbox)
    sandbox.advance(seconds=3599)
    sandbox.wait_delivered()
    assert receiver.bodies == []

    sandbox.advance(seconds=1)
    sandbox.wait_delivered()

    assert len(receiver.bodies) == 1


def test_a_delay_is_over_as_well_when_it_has_passed_on_the_machine(sandbox: Sandbox, receiver: Any) -> None:
    sandbox.delivery(delay=1)
    sandbox.endpoint(receiver.url)
    _customer(sandbox)
    until = time.monotonic() + 5

    while not receiver.bodies and time.monotonic() < until:
        time.sleep(0.05)

    assert len(receiver.bodies) == 1


def test_parallel_events_come_over_several_connections(sandbox: Sandbox, receiver: Any) -> None:
    sandbox.delivery(order="parallel")
    receiver.gate.clear()
    sandbox.endpoint(receiver.url)
    emails = _customers(sandbox, 20)
    sandbox.engine.on_due()
    until = time.monotonic() + 5
    while receiver.connections < 8 and time.monotonic() < until:
        time.sleep(0.01)
    receiver.gate.set()

    sandbox.wait_delivered()

    assert receiver.connections == 8
    assert sorted(receiver.emails) == emails


def test_endpoints_may_differ_in_how_they_are_delivered_to(sandbox: Sandbox, receiver: Any) -> None:
    one = sandbox.endpoint(receiver.url)
    sandbox.endpoint(receiver.url)
    sandbox.delivery(endpoint=one.id, held=True)
    _customer(sandbox)
    sandbox.wait_delivered()
    assert len(receiver.bodies) == 1

    assert sandbox.deliver(endpoint=one.id)["delivered"] == 2


@pytest.mark.parametrize(
    "mode",
    [
        {"order": "backwards"},
        {"order": "shuffled"},
        {"delay": -1},
        {"duplicates": 101},
        {"dropped": -1},
        {"endpoint": "we_none"},
    ],
)
def test_a_mode_that_means_nothing_is_refused(sandbox: Sandbox, mode: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        sandbox.delivery(**mode)


def test_an_event_is_sent_again_on_demand(sandbox: Sandbox, receiver: Any) -> None:
    one = sandbox.endpoint(receiver.url)
    sandbox.endpoint(receiver.url, events=["charge.failed"])
    _customer(sandbox)
    event = sandbox.events()[0]["id"]

    assert sandbox.resend(event) == 1
    assert sandbox.resend(event, one.id) == 1

    sandbox.wait_delivered()
    assert [told["id"] for told in receiver.events] == [event] * 3
    with pytest.raises(NotFound):
        sandbox.resend("evt_none")
    with pytest.raises(NotFound):
        sandbox.resend(event, "we_none")


def test_an_event_that_nobody_wants_cannot_be_sent_again(sandbox: Sandbox) -> None:
    _customer(sandbox)

    with pytest.raises(Refused, match="No enabled endpoint wants"):
        sandbox.resend(sandbox.events()[0]["id"])


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


def test_deliveries_go_on_while_the_clock_is_advanced(sandbox: Sandbox, receiver: Any) -> None:
    """An advance lets go of the store between its transactions."""
    sandbox.endpoint(receiver.url)
    _customers(sandbox, 3)
    came_during: list[int] = []
    with sandbox.engine.change() as world:
        for at in range(2000):
            world.schedule(world.now + 1 + at, "clock_expiry", f"clock_{at}")

    def look(_now: int) -> None:
        time.sleep(0.02)
        came_during.append(len(receiver.bodies))

    sandbox.advance(seconds=3000, on_progress=look)

    assert came_during[-1] == 3


def test_waiting_for_deliveries_ends_when_it_takes_too_long(sandbox: Sandbox, receiver: Any) -> None:
    receiver.gate.clear()
    sandbox.endpoint(receiver.url)
    _customer(sandbox)

    with pytest.raises(Unavailable, match="Not everything was delivered"):
        sandbox.wait_delivered(0.1)
    receiver.gate.set()


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
