"""A committed database, an account, and the real intake in front of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from tests import instance
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.kernel.actor import system
from trueup.runtime.crypto import Sealer

NAME = f"trueup_inbox_{os.getpid()}"

Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def sealer() -> Sealer:
    """The installation's key."""
    return Sealer(bytes(range(32)))


@pytest.fixture(scope="session")
def committing(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of a database of our own, whose rows outlive a transaction."""
    with django_db_blocker.unblock(), instance.own_database(NAME) as address:
        yield address


@pytest.fixture
def database(committing: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """That database, empty; Django works in it meanwhile, in every thread."""
    with django_db_blocker.unblock(), instance.in_database(NAME):
        instance.wipe(committing)
        yield committing


@pytest.fixture
def ask(database: str) -> Iterator[Ask]:
    """Ask the database beside everybody else."""
    with instance.rows(database) as question:
        yield question


@pytest.fixture
def connect(database: str, sealer: Sealer) -> Callable[..., Account]:
    """Make an account that takes events signed with ``instance.SECRET``."""

    def make(name: str = "acme", *, livemode: bool = False, **given: Any) -> Account:
        fields: dict[str, Any] = {
            "api_key": "",
            "webhook_secrets": [instance.SECRET],
            "access": None,
            "api_base": None,
            "stripe_account_id": None,
        }
        return accounts.connect(name=name, livemode=livemode, sealer=sealer, by=system("test"), **(fields | given))

    return make


@pytest.fixture
def account(connect: Callable[..., Account]) -> Account:
    """A test account at ``/webhooks/stripe/acme``."""
    return connect()


@pytest.fixture
def mounted() -> bool:
    """Whether the intake is served as an ASGI application like any other, or by its own protocol."""
    return False


@pytest.fixture
def door(database: str, account: Account, sealer: Sealer, mounted: bool) -> Iterator[instance.Door]:
    """The intake, open for the test account."""
    with instance.Door(database, sealer=sealer, path="/webhooks/stripe/acme", mounted=mounted) as opened:
        yield opened
