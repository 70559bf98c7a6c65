"""Endpoints, destinations and events as the official SDK asks for them."""

from __future__ import annotations

from typing import Any

import stripe

from trueup.sandbox import Sandbox


def test_an_endpoint_lives_and_ends(sdk: stripe.StripeClient) -> None:
    made = sdk.v1.webhook_endpoints.create(
        {"url": "https://example.com/hooks", "enabled_events": ["invoice.paid"], "api_version": "2024-06-20"}
    )

    assert str(made.secret).startswith("whsec_")
    assert sdk.v1.webhook_endpoints.retrieve(made.id).enabled_events == ["invoice.paid"]
    assert sdk.v1.webhook_endpoints.update(made.id, {"disabled": True}).status == "disabled"
    assert [one.id for one in sdk.v1.webhook_endpoints.list().data] == [made.id]
    assert sdk.v1.webhook_endpoints.delete(made.id).deleted is True


def test_a_destination_lives_and_ends(sdk: stripe.StripeClient) -> None:
    made = sdk.v2.core.event_destinations.create(
        {
            "name": "ours",
            "description": "for tests",
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "enabled_events": ["v1.customer.created"],
            "metadata": {"a": "1"},
            "webhook_endpoint": {"url": "https://example.com/hooks"},
            "include": ["webhook_endpoint.signing_secret"],
        }
    )
    service = sdk.v2.core.event_destinations

    assert made.webhook_endpoint is not None
    assert str(made.webhook_endpoint.signing_secret).startswith("whsec_")
    assert service.retrieve(made.id, {"include": ["webhook_endpoint.url"]}).name == "ours"
    changed = service.update(made.id, {"metadata": {"a": None, "b": "2"}}).metadata
    assert changed is not None
    assert changed.to_dict() == {"b": "2"}
    assert service.disable(made.id).status == "disabled"
    assert service.enable(made.id).status == "enabled"
    assert [one.id for one in service.list().data] == [made.id]


def test_all_pages_of_events_are_gone_through(sdk: stripe.StripeClient, sandbox: Sandbox) -> None:
    made = [sdk.v1.customers.create({"email": f"{at}@b.c"}).id for at in range(7)][::-1]

    snapshots = sdk.v1.events.list({"limit": 3, "types": ["customer.created"]})
    thin = sdk.v2.core.events.list({"limit": 3, "types": ["v1.customer.created"]})

    assert [event.data.object["id"] for event in snapshots.auto_paging_iter()] == made
    told: list[Any] = list(thin.auto_paging_iter())
    assert [event.related_object.id for event in told] == made
    assert told[0].fetch_related_object().id == made[0]
    assert sdk.v1.events.retrieve(told[0].snapshot_event).type == "customer.created"
    assert sdk.v2.core.events.retrieve(told[0].id).id == told[0].id
    assert sandbox.now == snapshots.data[0].created


def test_a_clock_lives_and_ends(sdk: stripe.StripeClient, sandbox: Sandbox) -> None:
    service = sdk.v1.test_helpers.test_clocks
    made = service.create({"frozen_time": sandbox.now, "name": "a year"})

    assert [one.id for one in service.list().data] == [made.id]
    advancing = service.advance(made.id, {"frozen_time": sandbox.now + 60})
    assert advancing.status_details.advancing is not None
    assert advancing.status_details.advancing.target_frozen_time == sandbox.now + 60
    assert service.delete(made.id).deleted is True
