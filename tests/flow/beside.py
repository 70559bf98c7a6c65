"""A sandbox beside Trueup: its events come through the real intake, and its API is what the state has to equal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import trueup.sandbox
from tests.instance import TESTER, Door
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.connectors.stripe.resources import RESOURCES
from trueup.customer.drain import DRAIN as CUSTOMER
from trueup.kernel.errors import NotFound, Refused
from trueup.mirror import service as mirror
from trueup.mirror.drain import DRAIN as MIRROR
from trueup.mirror.fetcher import fetch_due
from trueup.mirror.types import ObjectDetail
from trueup.runtime import drains, installation
from trueup.sandbox.server.desk import Endpoint
from trueup.sandbox.server.running import Sandbox

Json = dict[str, Any]

ROUNDS = 200


class Beside:
    """A sandbox, the account that stands for it, and the intake that its events are sent to."""

    def __init__(self, sandbox: Sandbox, account: Account, door: Door, endpoint: Endpoint) -> None:
        self.sandbox = sandbox
        self.account = account
        self.door = door
        self.endpoint = endpoint.id
        self.secret = endpoint.secret

    def post(self, path: str, **params: Any) -> Json:
        """Do something at Stripe."""
        return self.sandbox.request("POST", path, params)

    def get(self, path: str, **params: Any) -> Json:
        """Ask Stripe."""
        return self.sandbox.request("GET", path, params)

    def delete(self, path: str) -> Json:
        """Delete something at Stripe."""
        return self.sandbox.request("DELETE", path, {})

    def read(self) -> None:
        """Let the drains read what has come; nothing is fetched."""
        drains.empty(MIRROR)
        drains.empty(CUSTOMER)

    def fetch(self) -> int:
        """Fetch all that is asked for, also what would wait a while, until nothing is; answers how many rows."""
        self.read()
        total = 0
        for _ in range(ROUNDS):
            count = fetch_due(ahead=3600.0)
            self.read()
            if not count:
                return total
            total += count
        message = f"Something is fetched again and again: {ROUNDS} rounds were not enough."
        raise AssertionError(message)

    def settle(self) -> None:
        """Let everything that is held be delivered, read and fetched."""
        self.sandbox.deliver(retries=True)
        self.fetch()

    def mirrored(self, object_type: str, object_id: str) -> ObjectDetail:
        """An object as the mirror has it."""
        return mirror.get(object_id, type=object_type, account=self.account.slug)

    def at_stripe(self, object_type: str, object_id: str) -> Json | None:
        """An object as the API has it, None where it has none or a stub of one."""
        path = RESOURCES[object_type].one(object_id)
        assert path is not None
        try:
            found = self.get(path)
        except (NotFound, Refused):
            return None
        return None if found.get("deleted") else found

    def equal(self, object_type: str, object_id: str) -> bool:
        """Whether the mirror has an object as Stripe has it."""
        there = self.at_stripe(object_type, object_id)
        here = self.mirrored(object_type, object_id)
        return here.deleted if there is None else not here.deleted and here.shape == there


@contextmanager
def beside(database: str, *, name: str = "acme", key: bool = True, **options: Any) -> Iterator[Beside]:
    """A sandbox, connected; ``options`` are ``trueup.sandbox.start``'s. Without ``key`` nothing can be fetched."""
    sealer = installation.sealer()
    with trueup.sandbox.start(**options) as sandbox:
        # The intake knows the accounts that there are when it starts at once, so its address is told afterwards.
        hook = sandbox.endpoint("http://127.0.0.1:9/later")
        account = accounts.connect(
            name=name,
            api_key=sandbox.api_key if key else "",
            webhook_secrets=[hook.secret],
            livemode=False,
            access=None,
            api_base=sandbox.base_url,
            stripe_account_id=None,
            sealer=sealer,
            by=TESTER,
        )
        with Door(database, sealer=sealer) as door:
            made = Beside(sandbox, account, door, hook)
            made.post(f"/v1/webhook_endpoints/{hook.id}", url=f"http://127.0.0.1:{door.port}/webhooks/stripe/{name}")
            yield made
