"""The intake's picture of accounts and secrets, refreshed every second from one number in the database."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

import psycopg

from trueup.accounts import registry
from trueup.accounts.registry import Endpoint
from trueup.kernel.errors import TrueupError
from trueup.runtime import logs
from trueup.runtime.crypto import Sealer
from trueup.runtime.listening import KEEPALIVE

log = logs.get(__name__)

REFRESH_SECONDS: Final = 1.0
"""A changed secret must be seen within two seconds."""


class Registry:
    """Endpoints by slug and connected accounts, kept from the last time the database answered."""

    def __init__(self, conninfo: str, sealer: Sealer) -> None:
        self._conninfo = conninfo
        self._sealer = sealer
        self._endpoints: dict[str, Endpoint] = {}
        self._connected: dict[tuple[int, bool, str], int] = {}
        self._revision = -1
        self._task: asyncio.Task[None] | None = None
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self._lock = asyncio.Lock()
        self.loaded = False

    async def start(self) -> None:
        """Load once (an outage is waited out in the background) and keep fresh."""
        await self._refresh()
        self._task = asyncio.create_task(self._run(), name="registry")

    async def stop(self) -> None:
        """Stop refreshing and close."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        async with self._lock:
            self._close()

    def endpoint(self, slug: str) -> Endpoint | None:
        """The endpoint at this address."""
        return self._endpoints.get(slug)

    def known(self, endpoint: Endpoint, *, livemode: bool, stripe_account_id: str | None) -> int | None:
        """Our account for an event, if it is the endpoint's own or a connected one that was seen before."""
        if not stripe_account_id or stripe_account_id == endpoint.stripe_account_id:
            return endpoint.account_id
        return self._connected.get((endpoint.account_id, livemode, stripe_account_id))

    async def appear(self, endpoint: Endpoint, *, livemode: bool, stripe_account_id: str) -> int:
        """Our account for the first event of a connected one.

        Raises ``psycopg.OperationalError`` while the database is away.
        """
        key = (endpoint.account_id, livemode, stripe_account_id)
        async with self._lock:
            known = self._connected.get(key)
            if known is None:
                known = self._connected[key] = await asyncio.to_thread(self._appear, key)
        return known

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self._refresh()

    async def _refresh(self) -> None:
        async with self._lock:
            try:
                await asyncio.to_thread(self._load)
            except (psycopg.Error, OSError) as error:
                self._close()
                log.warning("intake.accounts_unread", error=type(error).__name__)
            except TrueupError as error:
                # A secret that does not open with our key. What was read before goes on to serve, and the next look may
                # succeed; a refresh that ended here would never see another change.
                log.error("intake.accounts_unread", error=error.code)

    def _open(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._conninfo, autocommit=True, connect_timeout=5, **KEEPALIVE)
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.close()

    def _load(self) -> None:
        connection = self._open()
        revision = registry.revision(connection)
        if revision == self._revision and self.loaded:
            return
        self._endpoints = registry.endpoints(connection, self._sealer)
        self._connected |= registry.connected(connection)
        self._revision = revision
        self.loaded = True

    def _appear(self, key: tuple[int, bool, str]) -> int:
        parent_id, livemode, stripe_account_id = key
        return registry.appear(
            self._open(), parent_id=parent_id, livemode=livemode, stripe_account_id=stripe_account_id
        )
