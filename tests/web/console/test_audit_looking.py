"""Whoever is shown a customer stands in the access log, whatever page or operation shows it."""

from __future__ import annotations

import re

from django.test import Client

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.audit.access_log import service as access_log
from trueup.audit.access_log.types import Looks, What
from trueup.kernel.actor import system
from trueup.operators.tokens import service as tokens
from trueup.operators.types import Person, Scope
from trueup.web.console.urls import urlpatterns
from trueup.web.looking import NAMED


def looks() -> list[tuple[str, str, tuple[What, ...], int]]:
    return [(one.actor, one.customer, one.what, one.times) for one in access_log.looks(Looks()).data]


def test_every_page_of_a_customer_is_noted(reader: Client, person: Person, account: Account) -> None:
    world.many(account, 2)
    addresses = [
        "/" + re.sub(r"<slug:[^>]+>", "stage", str(one.pattern)).replace(f"<str:{NAMED}>", "cus_000")
        for one in urlpatterns
        if NAMED in str(one.pattern)
    ]
    read = [address for address in addresses if "<" not in address and reader.get(address).status_code == 200]

    assert {"/customers/cus_000", "/customers/cus_000/state", "/customers/cus_000/why/stage"} <= set(read)
    assert looks() == [(f"operator:{person.id}", "cus_000", (What.PAGE,), len(read))]


def test_lists_searches_and_what_is_refused_are_not_noted(reader: Client, visitor: Client, account: Account) -> None:
    world.many(account, 2)
    for address in ("/customers", "/customers?q=Company", "/search?q=Company", "/customers/cus_nobody"):
        reader.get(address)
    visitor.get("/customers/cus_000")

    assert looks() == []


def test_what_stripe_sent_is_noted_as_such(reader: Client, person: Person, account: Account) -> None:
    sent = world.event("customer.created", world.customer("cus_1", "Acme"))
    world.told(account, sent)

    assert reader.get(f"/events/{sent['id']}/body").status_code == 200

    assert looks() == [(f"operator:{person.id}", "cus_1", (What.PAYLOAD,), 1)]


def test_a_program_that_reads_a_customer_is_noted_and_one_that_lists_is_not(account: Account) -> None:
    world.many(account, 2)
    token = tokens.create_token(name="crm", scopes=[Scope.READ], by=system("test"))
    program = Client(headers={"authorization": f"Bearer {token.token}"})

    for address in ("customers", "customers/cus_001", "customers/cus_001/timeline", "objects?customer=cus_000"):
        assert program.get(f"/api/v1/{address}").status_code == 200

    assert looks() == [(f"token:{token.id}", "cus_001", (What.API,), 2)]


def test_reading_an_object_by_the_api_is_noted(account: Account) -> None:
    world.told(account, world.event("customer.created", world.customer("cus_1", "Acme")))
    token = tokens.create_token(name="crm", scopes=[Scope.READ], by=system("test"))

    program = Client(headers={"authorization": f"Bearer {token.token}"})
    assert program.get("/api/v1/objects/cus_1").status_code == 200

    assert looks() == [(f"token:{token.id}", "cus_1", (What.PAYLOAD,), 1)]
