"""A database that is lost while Stripe goes on: the backup comes back, the sweep fills the gap, and all is Stripe's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from tests import instance
from tests.flow.beside import Beside, beside
from tests.ops.backup.conftest import Server, contents, quiet, restored
from trueup.accounts import service as accounts
from trueup.customer import service as customers
from trueup.inbox.alarms import service as alarms
from trueup.inbox.sweep import service as sweeps
from trueup.inbox.types import Kind
from trueup.ops.backups import databases, taking
from trueup.runtime import installation

WEBHOOKS = {"endpoint_dead", "events_missed", "webhooks_silent"}
LISTED = {
    "customer": "/v1/customers",
    "subscription": "/v1/subscriptions",
    "invoice": "/v1/invoices",
    "charge": "/v1/charges",
    "payment_intent": "/v1/payment_intents",
    "price": "/v1/prices",
}


@pytest.fixture
def alone(key: None, filled: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """An empty installation's database, which Django works in, and which may be destroyed."""
    instance.wipe(filled)
    installation.sealer.cache_clear()
    with django_db_blocker.unblock(), instance.in_database(databases.name_of(filled)):
        accounts.check_key(installation.sealer())
        yield filled
    installation.sealer.cache_clear()


@pytest.fixture
def stripe(alone: str) -> Iterator[Beside]:
    """Two companies that pay by the month."""
    with beside(alone, seed="backup") as made:
        product = made.post("/v1/products", name="Pro")
        price = made.post(
            "/v1/prices", product=product["id"], currency="usd", unit_amount=2000, recurring={"interval": "month"}
        )
        for name in ("Ada", "Grace"):
            customer = made.post("/v1/customers", name=name)
            method = made.post("/v1/payment_methods/pm_card_visa/attach", customer=customer["id"])
            settings = {"default_payment_method": method["id"]}
            made.post(f"/v1/customers/{customer['id']}", invoice_settings=settings)
            made.post("/v1/subscriptions", customer=customer["id"], items=[{"price": price["id"]}])
        made.sandbox.wait_delivered()
        yield made


def different(stripe: Beside) -> list[str]:
    """The objects that are not here as they are at Stripe."""
    listed = [(kind, one["id"]) for kind, path in LISTED.items() for one in stripe.get(path, limit=100)["data"]]
    assert len(listed) > 12
    return [object_id for kind, object_id in listed if not stripe.equal(kind, object_id)]


def test_a_lost_database_is_restored_and_becomes_what_stripe_is(
    stripe: Beside, alone: str, server: Server, tmp_path: Path
) -> None:
    # The backup is taken in the middle: some of what was received is read, and some waits in a queue.
    stripe.read()
    stripe.sandbox.advance(days=5)
    sweeps.sweep("acme")
    ada, grace = sorted(customers.search().data, key=lambda one: one.name or "")
    stripe.post(f"/v1/customers/{grace.stripe_customer_id}", name="Grace Hopper")
    stripe.sandbox.wait_delivered()
    made = taking.take(url=alone, folder=tmp_path, keep=None, by=instance.TESTER, tell=quiet)
    at_backup = contents(alone)
    assert at_backup["inbox_pending"]

    stripe.sandbox.advance(days=27)
    stripe.delete(f"/v1/customers/{ada.stripe_customer_id}")
    stripe.sandbox.wait_delivered()
    stripe.settle()
    assert different(stripe) == []
    connections.close_all()
    server.execute(f'drop database "{databases.name_of(alone)}" with (force)'.encode())

    told = restored(Path(made.path), alone)

    assert told.newest_event == made.newest_event
    # What differs is since when webhooks are watched for.
    found, since = contents(alone), at_backup.pop("inbox_sweep")
    assert found.pop("inbox_sweep") != since
    assert found == at_backup
    stripe.sandbox.advance(seconds=120)
    swept = sweeps.sweep("acme")
    assert swept.found > 5
    # Webhooks did tell all of it, to the database that was lost.
    (row,) = (one for one in sweeps.sweeps() if one.kind is Kind.SNAPSHOT)
    assert (row.missed_total, [one.message for one in alarms.standing() if one.code in WEBHOOKS]) == (0, [])
    stripe.fetch()
    assert different(stripe) == []
    assert stripe.mirrored("customer", ada.stripe_customer_id).deleted
    assert customers.get(grace.stripe_customer_id).name == "Grace Hopper"
    # From here on an endpoint that is not reached is noticed again.
    stripe.sandbox.delivery(dropped=100)
    stripe.post(f"/v1/customers/{grace.stripe_customer_id}", name="Grace")
    stripe.sandbox.advance(seconds=120)
    sweeps.sweep("acme")
    assert [one.code for one in alarms.standing() if one.code in WEBHOOKS] == ["endpoint_dead"]
    stripe.fetch()
    with closing(psycopg.connect(alone)) as connection:
        assert connection.execute("select count(*) from inbox_pending").fetchone() == (0,)
