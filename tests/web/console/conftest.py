"""Who looks at the console in its tests, and through what."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from tests.web.console import world
from trueup.accounts.types import Account
from trueup.kernel.actor import system
from trueup.operators import service as operators
from trueup.operators.types import Person
from trueup.runtime import configuration

PASSWORD = "correct horse battery"


@pytest.fixture
def account(db: None) -> Account:
    return world.connect()


@pytest.fixture
def person(db: None, settings: Settings) -> Person:
    # A hash that is dear to guess is dear to make, and each test makes one.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return operators.create_operator(
        email="elena@acme.example", password=PASSWORD, name="Elena Sato", by=system("test")
    )


@pytest.fixture
def visitor(db: None) -> Client:
    """A browser nobody signed in with."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def reader(person: Person) -> Client:
    """A browser somebody signed in with."""
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person.id))
    return client


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Providers of single sign-on on this machine may be called."""
    monkeypatch.setenv("TRUEUP_SSO_NETWORKS", "127.0.0.0/8")
    configuration.current.cache_clear()
    yield
    monkeypatch.undo()
    configuration.current.cache_clear()
