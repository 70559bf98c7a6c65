"""A small world, and somebody who may do everything in it."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.types import Person, Role

PASSWORD = "correct horse battery"


@pytest.fixture
def owner(db: None, settings: Settings) -> Person:
    """Somebody who may do everything."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return operators.create_operator(
        email="elena@acme.example", password=PASSWORD, name="Elena Sato", roles=[Role.OWNER], by=system("test")
    )


@pytest.fixture
def customers(db: None) -> Account:
    """An account with some customers, and an event of a known name."""
    account = world.connect()
    world.many(account, 3)
    world.told(account, world.event("customer.updated", world.customer("cus_000", "Company 000"), id="evt_known"))
    return account


def signed_in(person: Person, *, checked: bool = False) -> Client:
    """A browser of this person; ``checked`` lets Django demand the token of forms, as it does of real browsers."""
    client = Client(enforce_csrf_checks=checked, raise_request_exception=False)
    client.force_login(get_user_model().objects.get(pk=person.id))
    return client
