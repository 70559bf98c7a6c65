"""A sandbox with a populated account, a committed database beside it, and all that reads the one into the other."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

import trueup.sandbox
from tests import instance
from tests.mirror.backfill.gate import Gate, gate
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.mirror.backfill import errand
from trueup.mirror.drain import DRAIN
from trueup.runtime import configuration, database, drains, installation
from trueup.sandbox import Sandbox
from trueup.sandbox.server.populating import populate

NAME = f"trueup_backfill_{os.getpid()}"

Connect = Callable[..., Account]


@pytest.fixture(scope="session")
def backfilled(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of a database of our own, in which threads and processes commit."""
    with django_db_blocker.unblock(), instance.own_database(NAME) as address:
        yield address


@pytest.fixture
def committed(
    backfilled: str, django_db_blocker: DjangoDbBlocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """That database, empty; Django works in it meanwhile, in every thread."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    with django_db_blocker.unblock(), instance.in_database(NAME):
        instance.wipe(backfilled)
        yield backfilled
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sandbox's file: some customers' year, and customers on test clocks of their own."""
    path = tmp_path_factory.mktemp("lived") / "state.db"
    with trueup.sandbox.start(seed="backfill") as sandbox:
        populate(sandbox.engine, customers=36, months=6, seed="backfill")
        _clocked(sandbox)
        sandbox.save(path)
    return path


def _clocked(sandbox: Sandbox) -> None:
    """Two customers who live by a test clock that is ahead of everybody, and pay on it."""
    price = next(one for one in sandbox.request("GET", "/v1/prices", {"limit": 100})["data"] if one["recurring"])
    clock = sandbox.request("POST", "/v1/test_helpers/test_clocks", {"frozen_time": sandbox.now + 86_400 * 400})
    for name in ("ada", "ben"):
        customer = sandbox.request(
            "POST", "/v1/customers", {"email": f"{name}@clock.example", "test_clock": clock["id"]}
        )["id"]
        method = sandbox.request("POST", "/v1/payment_methods/pm_card_visa/attach", {"customer": customer})["id"]
        sandbox.request("POST", f"/v1/customers/{customer}", {"invoice_settings": {"default_payment_method": method}})
        sandbox.request("POST", "/v1/subscriptions", {"customer": customer, "items": [{"price": price["id"]}]})


@pytest.fixture
def sandbox(lived: Path, tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox of the test's own that has lived so."""
    with trueup.sandbox.start(seed="backfill") as made:
        made.load(lived)
        yield made


@pytest.fixture
def before(sandbox: Sandbox) -> Iterator[Gate]:
    """A gate before that sandbox."""
    with gate(sandbox.base_url) as made:
        yield made


@pytest.fixture
def connect(committed: str) -> Connect:
    """Connect an account to the API at an address, with a key and without any webhook."""

    def make(address: str, *, api_key: str = "sk_test_sandbox") -> Account:
        return accounts.connect(
            name="acme",
            api_key=api_key,
            webhook_secrets=[],
            livemode=False,
            access=None,
            api_base=address,
            stripe_account_id=None,
            sealer=installation.sealer(),
            by=instance.TESTER,
        )

    return make


def read_all(threads: int = 2) -> int:
    """Read until nothing is due, in some threads; gives the number of pages."""
    stop, pages = threading.Event(), list[int]()

    def read() -> None:
        while done := errand.work(stop):
            pages.append(done)
        database.close()

    readers = [threading.Thread(target=read) for _ in range(threads)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    while done := errand.work(stop):
        pages.append(done)
    return sum(pages)


def mirrored() -> None:
    """Bring what was read into the mirror."""
    drains.empty(DRAIN)
