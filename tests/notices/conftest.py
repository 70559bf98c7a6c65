"""An account with a customer, somebody who sells to her, and receivers on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from tests.audit.anchors.mailserver import MailServer, mailing
from tests.audit.outside import Asked, listening
from tests.web.console import world
from trueup.accounts.types import Account
from trueup.kernel.actor import Actor, ActorKind, system
from trueup.notices import drain, sending
from trueup.operators import service as operators
from trueup.operators.types import Person, Role
from trueup.runtime import clock, configuration, drains, installation

TESTER = system("test")
PASSWORD = "nine quiet rivers"


def acting(person: Person) -> Actor:
    return Actor(kind=ActorKind.OPERATOR, id=str(person.id))


class Receiver:
    """What a receiver was sent; ``answers`` are given one after the other, the last again and again."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.answers: list[tuple[int, bytes]] = [(200, b"ok")]

    def __call__(self, asked: Asked) -> tuple[int, str, bytes]:
        self.asked.append(asked)
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return status, "text/plain", body

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _path, _headers, body in self.asked]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    with listening(found) as url:
        found.url = f"{url}/services/T0/B0/secret"
        yield found


@pytest.fixture
def mailserver() -> Iterator[MailServer]:
    with mailing() as server:
        yield server


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, mailserver: MailServer) -> Iterator[None]:
    """A key of the installation, a mail server, and receivers of this host allowed."""
    monkeypatch.setenv("TRUEUP_SECRET_KEY", "A" * 43 + "=")
    monkeypatch.setenv("TRUEUP_NOTICES_PRIVATE", "true")
    monkeypatch.setenv("TRUEUP_SMTP_URL", f"smtp://127.0.0.1:{mailserver.port}?from=trueup@acme.example")
    monkeypatch.setenv("TRUEUP_PUBLIC_URL", "https://console.acme.example")
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    yield
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


@pytest.fixture
def account(db: None, configured: None, settings: Settings) -> Account:
    # A hash that is dear to guess is dear to make, and each test makes one.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    operators.create_operator(email="o@acme.example", password=PASSWORD, roles=[Role.OWNER], by=TESTER)
    return world.connect()


@pytest.fixture
def anna(account: Account) -> Person:
    """She sells."""
    return operators.create_operator(
        email="anna@acme.example", password=PASSWORD, name="Anna", roles=[Role.SALES], by=TESTER
    )


@pytest.fixture
def owner(account: Account) -> Person:
    (found,) = [one for one in operators.operators() if Role.OWNER in one.roles]
    return found


Tell = Callable[..., None]


@pytest.fixture
def now() -> int:
    return clock.unix()


@pytest.fixture
def tell(account: Account) -> Tell:
    """Tell of events, mirror and fold them, and look at whoever moved."""

    def told(*events: Any) -> None:
        world.told(account, *events)
        drains.empty(drain.DRAIN)

    return told


def send() -> int:
    """Send what is due."""
    return sending.send_due(threading.Event())


def new_subscription(now: int, **more: Any) -> Any:
    """An event that tells of Ada's new subscription."""
    about = world.subscription("sub_1", "cus_1", **more) | {"created": now - 60, "start_date": now - 60}
    return world.event("customer.subscription.created", about, at=now - 60)


def becomes(status: str, *, at: int, began: int, **more: Any) -> Any:
    """An event that tells of her subscription's other status."""
    about = world.subscription("sub_1", "cus_1", status=status, **more) | {"created": began, "start_date": began}
    return world.event("customer.subscription.updated", about, at=at, previous={"status": "other"})


def ada(now: int) -> Any:
    """An event that tells of Ada."""
    about = world.customer("cus_1", "Ada Lovelace", "ada@engines.example") | {"created": now - 120}
    return world.event("customer.created", about, at=now - 120)
