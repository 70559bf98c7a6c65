"""Accounts in a real database, and a small server that speaks as much Stripe as connecting needs."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker
from typing_extensions import override

from tests import instance
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.kernel.actor import Actor, ActorKind
from trueup.runtime import configuration, installation
from trueup.runtime.crypto import Sealer
from trueup.sandbox import Sandbox, start

BY = Actor(kind=ActorKind.COMMAND_LINE, id="ada")
NAME = f"trueup_accounts_{os.getpid()}"
KEY = "rk_test_sandbox"


@pytest.fixture
def sealer() -> Sealer:
    """The installation's key."""
    return Sealer(bytes(range(32)))


@pytest.fixture
def connect(db: None, sealer: Sealer) -> Callable[..., Account]:
    """Connect an account; what is not given is left out, as on the command line."""

    def make(name: str = "acme", **given: Any) -> Account:
        fields: dict[str, Any] = {
            "api_key": "",
            "webhook_secrets": [],
            "livemode": None,
            "access": None,
            "api_base": None,
            "stripe_account_id": None,
        }
        return accounts.connect(name=name, sealer=sealer, by=BY, **(fields | given))

    return make


@pytest.fixture(scope="session")
def committing(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of a database of our own, whose rows outlive a transaction."""
    with django_db_blocker.unblock(), instance.own_database(NAME) as address:
        yield address


@pytest.fixture
def database(
    committing: str,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """That database, empty, and an installation with a key; Django works in it meanwhile, in every thread."""
    monkeypatch.setenv("TRUEUP_HOME", str(tmp_path_factory.mktemp("home")))
    configuration.current.cache_clear()
    installation.sealer.cache_clear()
    with django_db_blocker.unblock(), instance.in_database(NAME):
        instance.wipe(committing)
        yield committing
    configuration.current.cache_clear()
    installation.sealer.cache_clear()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A Stripe to call."""
    with start(seed="calls") as running:
        yield running


@pytest.fixture
def called(database: str) -> Callable[..., Account]:
    """Connect an account whose API is somewhere on this host."""

    def make(api_base: str, name: str = "acme", **given: Any) -> Account:
        fields: dict[str, Any] = {
            "api_key": KEY,
            "webhook_secrets": [],
            "livemode": None,
            "access": None,
            "api_base": api_base,
            "stripe_account_id": None,
        }
        return accounts.connect(name=name, sealer=installation.sealer(), by=BY, **(fields | given))

    return make


@dataclass
class Stripe:
    """What the server answers next, and what it was asked."""

    address: str
    status: int = 200
    body: bytes = json.dumps({"id": "acct_1Real", "object": "account"}).encode()
    headers: dict[str, str] = field(default_factory=dict)
    first: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    at: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """What it was asked for, in order."""
        return [path for path, _headers in self.asked]

    def once(self, status: int, code: str = "", **headers: str) -> None:
        """Answer the next request like this; several of these are answered one after the other."""
        body = json.dumps({"error": {"type": "api_error", "code": code, "message": "No."}}).encode()
        self.first.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, body))

    def forbid(self, path: str, permission: str) -> None:
        """Refuse a path from now on, in Stripe's words for a restricted key that lacks a permission."""
        message = (
            "The provided key 'rk_test_*****box' does not have the required permissions for this endpoint on account "
            f"'acct_1Real'. Having the '{permission}' permission would allow this request to continue."
        )
        body = {"error": {"type": "invalid_request_error", "message": message}}
        self.at[path] = (403, json.dumps(body).encode())

    def refuse(self, status: int, kind: str) -> None:
        """Answer with an error of this kind from now on."""
        self.status = status
        self.body = json.dumps({"error": {"type": kind, "message": "No."}}).encode()


@pytest.fixture
def stripe() -> Iterator[Stripe]:
    """A server on loopback."""
    state = Stripe(address="")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            status, headers, body = state.status, state.headers, state.body
            if state.first:
                status, headers, body = state.first.pop(0)
            elif (path := self.path.partition("?")[0]) in state.at:
                status, body = state.at[path]
            self.send_response_only(status)
            for name, value in ({"Date": formatdate(usegmt=True)} | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Request-Id", "req_test")
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()
