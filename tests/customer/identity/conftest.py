"""Customers that may be one: a database of its own that everybody commits to, and a few that were told of."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user_model
from pytest_django import DjangoDbBlocker

from tests import instance
from tests.customer.identity import told
from tests.web.console import world
from trueup.accounts.types import Account
from trueup.runtime import configuration

NAME = f"trueup_identity_{os.getpid()}"


@pytest.fixture(scope="session")
def committed(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of a database of our own, whose rows outlive a transaction."""
    with django_db_blocker.unblock(), instance.own_database(NAME) as address:
        yield address


@pytest.fixture
def database(committed: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """That database, empty; Django works in it meanwhile, in every thread."""
    with django_db_blocker.unblock(), instance.in_database(NAME):
        instance.wipe(committed)
        get_user_model().objects.all().delete()
        told.employ_ada()
        yield committed


@pytest.fixture
def account(db: None) -> Account:
    """A connected account in test mode, and Ada who works with it."""
    told.employ_ada()
    return world.connect()


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A way to set what the operator configures; everything is as before afterwards."""
    configuration.current.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    configuration.current.cache_clear()
