"""An account whose API is a sandbox, and its webhooks' way in."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import instance
from trueup import sandbox as sandboxes
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.runtime import configuration, installation
from trueup.runtime.crypto import Sealer
from trueup.sandbox.server.running import Sandbox

TRAIL = 62
"""Seconds after which an event is no longer too new for a sweep."""


@pytest.fixture
def installed(sealer: Sealer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the installation's key be the tests' one."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path))
    monkeypatch.setenv("TRUEUP_SECRET_KEY", base64.urlsafe_b64encode(bytes(range(32))).decode())
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    yield
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


@pytest.fixture
def stripe() -> Iterator[Sandbox]:
    """A Stripe of this test's own; its clock stands still until it is advanced."""
    with sandboxes.start() as opened:
        yield opened


@pytest.fixture
def account(connect: Callable[..., Account], stripe: Sandbox, installed: None) -> Account:
    """The account that lives in that Stripe, and may read there."""
    return connect(api_key=stripe.api_key, api_base=stripe.base_url)


@pytest.fixture
def told(account: Account, stripe: Sandbox, database: str, sealer: Sealer) -> Iterator[str]:
    """The intake, to which Stripe sends the account's events; the endpoint's id at Stripe."""
    # The intake knows at once the secrets that there are when it starts, so its address is told afterwards.
    hook = stripe.endpoint("http://127.0.0.1:9/later")
    accounts.add_webhook_secret(slug="acme", secret=hook.secret, sealer=sealer, by=instance.TESTER)
    with instance.Door(database, sealer=sealer, path="/webhooks/stripe/acme") as door:
        stripe.request("POST", f"/v1/webhook_endpoints/{hook.id}", {"url": f"http://127.0.0.1:{door.port}{door.path}"})
        yield hook.id


def customers(stripe: Sandbox, number: int, **fields: Any) -> list[str]:
    """Make customers, each of which is an event; their ids."""
    return [
        stripe.request("POST", "/v1/customers", {"name": f"No. {place}", **fields})["id"] for place in range(number)
    ]


def happened(stripe: Sandbox, *, least_age: int = TRAIL) -> set[str]:
    """The ids of all events that are so many seconds old."""
    return {event["id"] for event in stripe.events() if event["created"] <= stripe.now - least_age}
