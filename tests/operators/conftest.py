"""People and tokens in a real database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from pytest_django import DjangoDbBlocker, Settings

from tests import instance
from trueup.audit import service as audit
from trueup.audit.types import AuditEntry
from trueup.kernel.actor import Actor, ActorKind
from trueup.operators import service as operators
from trueup.operators.types import Person
from trueup.runtime import database

BY = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
PASSWORD = "correct horse battery"


@pytest.fixture
def cheap_hashes(settings: Settings) -> None:
    """A hash that is dear to guess is dear to make, and most tests only need some hash."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def person(db: None, cheap_hashes: None) -> Person:
    """Somebody who may sign in."""
    return operators.create_operator(email="Elena@Acme.example", password=PASSWORD, name="Elena Sato", by=BY)


@pytest.fixture
def entries(db: None) -> Callable[[], list[AuditEntry]]:
    """Everything recorded, oldest first."""
    return lambda: audit.entries(database.connection(), limit=1000)[::-1]


@pytest.fixture
def committing(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A database in which several threads commit."""
    name = f"trueup_operators_{os.getpid()}"
    with django_db_blocker.unblock(), instance.own_database(name), instance.in_database(name):
        yield
