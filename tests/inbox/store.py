"""Puts events into the log as the intake does, without the way over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests import instance
from trueup.accounts.types import Account
from trueup.inbox.intake import envelope
from trueup.inbox.intake.answers import Answer
from trueup.inbox.intake.batch import Job
from trueup.inbox.intake.flusher import Flusher


def keep(account: Account, body: bytes) -> None:
    """Store one event."""
    keep_all(account, [body])


def keep_all(account: Account, bodies: Sequence[bytes]) -> list[Answer]:
    """Store events through the intake's own flusher."""

    async def store() -> list[Answer]:
        flusher = Flusher(instance.conninfo())
        await flusher.start()
        stored = await asyncio.gather(*(submit(flusher, account, body) for body in bodies))
        await flusher.stop()
        return stored

    return asyncio.run(store())


def submit(flusher: Flusher, account: Account, body: bytes) -> asyncio.Future[Answer]:
    """Queue an event in the running loop; the future is what becomes of it."""
    told: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    flusher.submit(
        Job(
            account_id=account.id,
            livemode=account.livemode,
            signature="t=1,v1=0",
            body=body,
            done=told.set_result,
            envelope=envelope.read(body),
        )
    )
    return told
