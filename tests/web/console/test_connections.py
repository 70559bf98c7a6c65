"""How accounts are connected: numbers, the key and what it may do, backfills; nobody is shown a key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest
from django.test import Client

from tests.web.console import world
from trueup.accounts import probing
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.inbox.alarms import service as alarms
from trueup.inbox.alarms.types import Alarm
from trueup.kernel.actor import system
from trueup.mirror.backfill import service as backfills
from trueup.mirror.backfill.types import Status
from trueup.runtime import installation
from trueup.sandbox import Sandbox, start

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/connections"}
BY = system("test")


def seen(client: Client, path: str = "/connections") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    inside = answer.content.decode().split("<main", 1)[1]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", inside)))


@pytest.fixture(scope="module")
def stripe() -> Iterator[Sandbox]:
    with start(seed="connections") as running:
        yield running


@pytest.fixture
def keyed(db: None, stripe: Sandbox) -> Account:
    """An account that is read from a sandbox of Stripe."""
    return accounts.connect(
        name="acme",
        api_key=stripe.api_key,
        webhook_secrets=["whsec_" + "a" * 32],
        livemode=None,
        access=None,
        api_base=stripe.base_url,
        stripe_account_id=None,
        sealer=installation.sealer(),
        by=BY,
    )


def test_an_account_says_what_came_last_and_what_stands_wrong(reader: Client, keyed: Account) -> None:
    world.told(keyed, world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_1"))
    dead = Alarm(code="endpoint_dead", message="No webhook comes.", remedy="Look at the endpoint.")
    alarms.settle(source="test", account_id=keyed.id, alarms=[dead])

    page = seen(reader)

    assert "Last event — none lately" not in page
    assert "No webhook comes." in page
    assert 'href="/runbooks/dead-endpoint"' in reader.get("/connections").content.decode()
    assert "1 is accepted" in page


def test_without_an_account_one_is_connected_first(reader: Client) -> None:
    assert "No account yet" in seen(reader)


def test_a_key_is_looked_at_before_it_is_kept(reader: Client, keyed: Account, stripe: Sandbox) -> None:
    told = reader.post("/connections/look", {"account": "acme", "key": stripe.api_key}, headers=HTMX).content.decode()

    assert "customers" in told
    assert "may read" in told
    assert stripe.api_key not in told


def test_what_is_no_key_is_refused(reader: Client, keyed: Account) -> None:
    told = reader.post("/connections/look", {"account": "acme", "key": "pk_test_1234567890"}, headers=HTMX)

    assert "The API key is not a Stripe secret or restricted key." in told.content.decode()
    answer = reader.post("/connections/new", {"name": "other", "key": "pk_test_1234567890"})
    assert answer.status_code != 302
    assert "pk_test_1234567890" not in answer.content.decode()
    assert [one.slug for one in accounts.accounts()] == ["acme"]


def test_a_key_is_changed_and_never_shown(reader: Client, keyed: Account, stripe: Sandbox) -> None:
    nothing = reader.post("/connections/acme/key", {"key": " "})
    assert nothing.status_code == 400
    assert "There is no API key." in nothing.content.decode()
    refused = reader.post("/connections/acme/key", {"key": "pk_test_" + "x" * 24})
    assert "The API key is not a Stripe secret or restricted key." in refused.content.decode()

    answer = reader.post("/connections/acme/key", {"key": stripe.api_key})

    assert answer["Location"] == "/connections"
    assert stripe.api_key not in reader.get("/connections").content.decode()
    assert accounts.api_key_of(keyed, sealer=installation.sealer()) == stripe.api_key


def test_a_backfill_of_a_type_is_started_ended_and_gone_on_with(reader: Client, keyed: Account) -> None:
    reader.post("/connections/acme/backfill", {"type": ["invoice"], "since": ""})
    run = backfills.last(keyed)
    assert run is not None
    assert "invoice" in run.types

    reader.post("/connections/acme/backfill", {"act": "cancel"})
    run = backfills.last(keyed)
    assert run is not None
    assert run.status is Status.CANCELLED
    assert "Go on with the backfill" in seen(reader)

    reader.post("/connections/acme/backfill", {"act": "resume"})
    run = backfills.last(keyed)
    assert run is not None
    assert run.status is Status.RUNNING


def test_a_day_that_is_none_is_refused_on_the_page(reader: Client, keyed: Account) -> None:
    reader.post("/connections/acme/backfill", {"since": "soon"})

    assert "soon is no day." in seen(reader)
    assert backfills.last(keyed) is None


def test_what_a_key_may_read_is_told_list_by_list(stripe: Sandbox) -> None:
    found = probing.look(stripe.api_key, api_base=stripe.base_url)

    assert dict(found.lists)["customers"] is True
    assert found.refused == ()
    assert not found.livemode
