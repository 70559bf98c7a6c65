"""Accounts in a real database, and a small server that speaks as much Stripe as connecting needs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typing_extensions import override

from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.kernel.actor import Actor, ActorKind
from trueup.runtime.crypto import Sealer

BY = Actor(kind=ActorKind.COMMAND_LINE, id="ada")


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


@dataclass
class Stripe:
    """What the server answers next, and what it was asked."""

    address: str
    status: int = 200
    body: bytes = json.dumps({"id": "acct_1Real", "object": "account"}).encode()
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

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
            self.send_response(state.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(state.body)))
            self.send_header("Request-Id", "req_test")
            self.end_headers()
            self.wfile.write(state.body)

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
