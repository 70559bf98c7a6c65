"""A committed database and the real intake in front of it, for events on their whole way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from tests import instance
from tests.flow import homes
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.runtime.crypto import Sealer
from trueup.sandbox.server.populating import read_load, write_load

NAME = f"trueup_flow_{os.getpid()}"

Ask = Callable[..., list[tuple[Any, ...]]]
Lived = Callable[[int], list[dict[str, Any]]]

BEGAN = 1_763_652_600
"""The unix second at which the companies' year begins: 2025-11-20 15:30 UTC."""


@pytest.fixture(scope="session")
def sealer() -> Sealer:
    """The installation's key."""
    return Sealer(bytes(range(32)))


@pytest.fixture(scope="session")
def flowing(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of a database of our own, whose rows outlive a transaction."""
    with django_db_blocker.unblock(), instance.own_database(NAME) as address:
        yield address


@pytest.fixture
def database(flowing: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """That database, empty; Django works in it meanwhile, in every thread."""
    with django_db_blocker.unblock(), instance.in_database(NAME):
        instance.wipe(flowing)
        yield flowing


@pytest.fixture
def ask(database: str) -> Iterator[Ask]:
    """Ask the database beside everybody else."""
    with instance.rows(database) as question:
        yield question


@pytest.fixture
def connect(database: str, sealer: Sealer) -> Callable[..., Account]:
    """Make an account that takes events signed with ``instance.SECRET``."""

    def make(name: str, *, livemode: bool = False) -> Account:
        return accounts.connect(
            name=name,
            api_key="",
            webhook_secrets=[instance.SECRET],
            livemode=livemode,
            access=None,
            api_base=None,
            stripe_account_id=None,
            sealer=sealer,
            by=instance.TESTER,
        )

    return make


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the events of a year of invented companies, lived in a sandbox."""
    path = tmp_path_factory.mktemp("year") / "events.gz"
    written = write_load(path, customers=80, months=12, seed="flow", start=BEGAN)
    assert written.broken == ()
    return path


@pytest.fixture
def lived(year: Path) -> Lived:
    """The first so many events of that year, oldest first; they may be changed."""
    return lambda number: list(islice(read_load(year), number))


@pytest.fixture(scope="session")
def at_rest() -> Iterator[Path]:
    """An installation with the account ``acme``, to copy."""
    with homes.template() as root:
        yield root


@pytest.fixture
def home(at_rest: Path) -> Iterator[homes.Installed]:
    """An installation of the test's own."""
    with homes.installed(at_rest) as made:
        yield made
