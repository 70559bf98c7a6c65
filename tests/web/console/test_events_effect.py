"""One event beside what it did: the version it made, what that changed, and for whom the payload is."""

from __future__ import annotations

import re
from html import unescape

from django.contrib.auth import get_user_model
from django.test import Client

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.inbox import service as inbox
from trueup.kernel.actor import system
from trueup.mirror import effects
from trueup.operators import service as operators
from trueup.operators.types import Person, Role


def seen(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    inside = re.sub(r"<wbr>", "", answer.content.decode()).split("<main", 1)[1]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", inside)))


def lived(account: Account) -> None:
    """A customer whose subscription becomes past due with its second event."""
    first, was = world.subscription("sub_1", "cus_1"), {"status": "active"}
    late = world.subscription("sub_1", "cus_1", status="past_due")
    world.told(
        account,
        world.event("customer.created", world.customer("cus_1", "Acme", "books@acme.example"), id="evt_1"),
        world.event("customer.subscription.created", first, at=world.START + 5, id="evt_2"),
        world.event("customer.subscription.updated", late, at=world.START + 9, id="evt_3", previous=was),
    )


def test_an_event_says_which_version_it_made_and_what_that_changed(reader: Client, account: Account) -> None:
    lived(account)

    page = seen(reader, "/events/evt_3")

    assert "Version 2 of 2 the newest" in page
    assert "Stage Active Past due" in page
    assert "status active past_due" in page
    assert "In the newest shape" in page


def test_an_event_that_was_overtaken_says_so(reader: Client, account: Account) -> None:
    lived(account)

    page = seen(reader, "/events/evt_2")

    assert "Version 1 of 2 a later one is known" in page
    assert "The first version that is known." in page


def test_an_event_that_is_not_read_yet_made_nothing(account: Account) -> None:
    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme"), id="evt_1"), drain=False)

    effect = effects.of(inbox.event("evt_1"))

    assert effect is not None
    assert (effect.version, effect.total, effect.shape["name"]) == (None, 0, "Acme")


def test_an_event_without_an_object_has_no_effect(reader: Client, account: Account) -> None:
    world.told(account, world.event("balance.available", {"id": None, "object": "balance"}, id="evt_1"))

    assert "It tells of no object that is kept." in seen(reader, "/events/evt_1")


def test_what_stripe_sent_is_for_whoever_may_see_payloads(person: Person, account: Account) -> None:
    lived(account)
    operators.create_operator(
        email="o@acme.example", password="nine quiet rivers", roles=[Role.OWNER], by=system("test")
    )
    operators.set_roles(operator_id=person.id, roles=[Role.SALES], by=system("test"))
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person.id))

    page = seen(client, "/events/evt_1")

    assert "books@acme.example" not in page.replace("Email — books@acme.example", "")
    assert "As Stripe sent it" not in page
    assert "In the newest shape" not in page
    assert "Version 1 of 1" in page
