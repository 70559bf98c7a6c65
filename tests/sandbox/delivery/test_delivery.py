"""Events on their way to real endpoints."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest
import stripe

from trueup.kernel.errors import NotFound, Refused, Unavailable
from trueup.sandbox import Sandbox, start
from trueup.sandbox.assumptions import RETRY_SECONDS

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
