"""What an older rule made is made again by the sweep, from the log."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import psycopg
import pytest

from tests.flow.conftest import Ask, Lived
from tests.instance import Door, post_all
from trueup.accounts.types import Account
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.mirror import drain as mirroring
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.mirror.drain import SHAPE_VERSION
from trueup.ops.tasks import sweep_once
from trueup.runtime import drains
from trueup.runtime.crypto import Sealer

MIRRORED = "select object_type, object_id, event_id, essence, data::text, shape_version, number from mirror_object"
STATES = "select stripe_customer_id, state from customer_customer"


@pytest.fixture
def told(connect: Callable[..., Account], database: str, sealer: Sealer, lived: Lived) -> int:
    """Some hundred events of many companies, folded."""
    connect("acme")
    events = [msgspec.json.encode(event) for event in lived(400)]
    with Door(database, sealer=sealer) as door:
        post_all(door.port, "/webhooks/stripe/acme", events, connections=16)
    drains.empty(MIRROR)
    drains.empty(CUSTOMER)
    return len(events)


def test_rows_of_an_older_upcaster_are_made_again_and_their_customers_folded(
    told: int, database: str, ask: Ask
) -> None:
    objects, states = sorted(ask(MIRRORED)), sorted(ask(STATES))
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("update mirror_object set shape_version = 0, essence = '{}', number = null")
        other.execute("update customer_customer set state = '{}', name = 'before'")

    sweep_once()
    drains.empty(CUSTOMER)

    assert any(row[6] for row in objects)
    assert sorted(ask(MIRRORED)) == objects
    # Customers of whom no object changed were folded from what is there all the same: they are their own object.
    assert sorted(ask(STATES)) == states
    assert mirroring.remake() == 0


def test_a_row_whose_event_is_gone_stays_as_it_is_and_is_not_looked_at_again(
    told: int, database: str, ask: Ask
) -> None:
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("update mirror_object set shape_version = 0")
        other.execute("delete from inbox_event")
    before = sorted(row[:5] for row in ask(MIRRORED))

    sweep_once()

    assert sorted(row[:5] for row in ask(MIRRORED)) == before
    assert {row[5] for row in ask(MIRRORED)} == {SHAPE_VERSION}


def test_rows_of_these_rules_are_left_alone(told: int, ask: Ask) -> None:
    written = sorted(ask("select object_type, object_id, xmin::text from mirror_object"))

    sweep_once()

    assert sorted(ask("select object_type, object_id, xmin::text from mirror_object")) == written
