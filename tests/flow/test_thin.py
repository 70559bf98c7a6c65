"""Thin events name their object only: it is read from Stripe, once, and not at all where a snapshot event tells it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flow.beside import Beside, beside
from tests.flow.conftest import Ask
from tests.instance import TESTER, eventually
from trueup.accounts import service as accounts
from trueup.mirror.fetcher import ask_for_thin
from trueup.runtime import installation
from trueup.sandbox.server.desk import Endpoint


@pytest.fixture
def stripe(database: str) -> Iterator[Beside]:
    with beside(database, seed="thin") as made:
        yield made


def listen(stripe: Beside) -> Endpoint:
    """Have thin events sent to the same intake."""
    hook = stripe.sandbox.endpoint(f"http://127.0.0.1:{stripe.door.port}/webhooks/stripe/acme", thin=True)
    accounts.add_webhook_secret(slug="acme", secret=hook.secret, sealer=installation.sealer(), by=TESTER)
    # The intake learns of a secret within two seconds, and the sandbox would try again only when its clock is turned.
    probe = (
        b'{"id": "evt_x", "object": "v2.core.event", "type": "x", "created": "2026-01-01T00:00:00Z", "livemode": true}'
    )
    eventually(
        lambda: stripe.door.post(probe, path="/webhooks/stripe/acme", secret=hook.secret).status == 200, "the secret"
    )
    return hook


def read_everywhere(ask: Ask) -> list[tuple[int]]:
    return ask("select count(*) from inbox_event where kind = 'read'")


def test_objects_of_thin_events_are_read_once_however_many_name_them(stripe: Beside, ask: Ask) -> None:
    listen(stripe)
    # Nothing but thin events from here on.
    stripe.sandbox.delivery(endpoint=stripe.endpoint, dropped=100)
    customer = stripe.post("/v1/customers", name="Ada")
    for number in range(4):
        stripe.sandbox.advance(seconds=3)
        stripe.post(f"/v1/customers/{customer['id']}", name=f"Ada {number}")
    stripe.sandbox.wait_delivered()
    assert ask("select count(*) from inbox_awaitingfetch") == [(5,)]

    stripe.fetch()

    assert stripe.equal("customer", customer["id"])
    assert read_everywhere(ask) == [(1,)]
    assert ask("select count(*) from mirror_fetch") == [(0,)]


def test_a_thin_event_whose_snapshot_twin_came_costs_no_call(stripe: Beside, ask: Ask) -> None:
    listen(stripe)
    customer = stripe.post("/v1/customers", name="Ada")
    stripe.sandbox.advance(seconds=3)
    stripe.post(f"/v1/customers/{customer['id']}", name="Bea")
    stripe.sandbox.wait_delivered()
    stripe.read()
    assert ask("select count(*) from inbox_awaitingfetch") == [(2,)]

    ask_for_thin()

    assert ask("select count(*) from inbox_awaitingfetch") == [(0,)]
    assert ask("select count(*) from mirror_fetch") == [(0,)]
    assert stripe.equal("customer", customer["id"])


def test_a_thin_event_of_a_deletion_leaves_a_tombstone(stripe: Beside, ask: Ask) -> None:
    customer = stripe.post("/v1/customers", name="Ada")
    stripe.sandbox.wait_delivered()
    stripe.read()
    listen(stripe)
    stripe.sandbox.delivery(endpoint=stripe.endpoint, dropped=100)
    stripe.sandbox.advance(seconds=3)
    stripe.delete(f"/v1/customers/{customer['id']}")
    stripe.sandbox.wait_delivered()

    stripe.fetch()

    assert stripe.mirrored("customer", customer["id"]).deleted
    assert read_everywhere(ask) == [(1,)]
