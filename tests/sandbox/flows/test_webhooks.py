"""What we deliver is verified and read by the official SDK: B.0.5 of the sandbox's specification."""

from __future__ import annotations

from typing import Any, cast

import pytest
import stripe

from tests.sandbox.delivery.conftest import Receiver
from tests.sandbox.delivery.conftest import receiver as receiver  # noqa: PLC0414 - pytest finds fixtures by name
from tests.sandbox.flows.conftest import Shop
from trueup.sandbox import Sandbox


def test_every_webhook_of_a_subscription_is_verified(shop: Shop, sandbox: Sandbox, receiver: Receiver) -> None:
    endpoint = shop.sdk.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})

    shop.subscribe(shop.payer())
    sandbox.wait_delivered()

    secret = cast("str", endpoint.secret)
    events = [
        stripe.Webhook.construct_event(body, headers["stripe-signature"], secret, tolerance=10**9)
        for body, headers in zip(receiver.bodies, receiver.headers, strict=True)
    ]
    assert {event.id for event in events} == {event["id"] for event in sandbox.events()}
    assert {"customer.subscription.created", "invoice.paid"} <= {event.type for event in events}
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(
            receiver.bodies[0] + b" ", receiver.headers[0]["stripe-signature"], secret, tolerance=10**9
        )


def test_a_secret_that_was_rolled_verifies_beside_the_new_one(sandbox: Sandbox, receiver: Receiver) -> None:
    endpoint = sandbox.endpoint(receiver.url)

    fresh = sandbox.roll(endpoint.id)
    sandbox.request("POST", "/v1/customers", {"email": "a@b.c"})
    sandbox.wait_delivered()

    body, signature = receiver.bodies[0], receiver.headers[0]["stripe-signature"]
    for secret in (endpoint.secret, fresh):
        assert stripe.Webhook.construct_event(body, signature, secret, tolerance=10**9).type == "customer.created"


def test_a_thin_event_is_parsed_and_its_object_fetched(shop: Shop, sandbox: Sandbox, receiver: Receiver) -> None:
    endpoint = sandbox.endpoint(receiver.url, thin=True)

    made = shop.sdk.v1.customers.create({"email": "a@b.c"})
    sandbox.wait_delivered()

    found = shop.sdk.parse_event_notification(
        receiver.bodies[-1], receiver.headers[-1]["stripe-signature"], endpoint.secret, tolerance=10**9
    )
    assert found.type == "v1.customer.created"
    related = cast("Any", found).related_object
    assert (related.type, related.id) == ("customer", made.id)
