"""Puts events into the log as the intake does, without the way over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests import instance
from trueup.accounts.types import Account
from trueup.inbox.intake import envelope
from trueup.inbox.intake.flusher import Flusher, Job, Stored


def keep(account: Account, body: bytes) -> None:
    """Store one event."""
    keep_all(account, [body])


def keep_all(account: Account, bodies: Sequence[bytes]) -> list[Stored]:
    """Store events through the intake's own flusher."""

    async def store() -> list[Stored]:
        flusher = Flusher(instance.conninfo())
        await flusher.start()
        answers = [flusher.submit(job(account, body)) for body in bodies]
        stored = list(await asyncio.gather(*answers))
        await flusher.stop()
        return stored

    return asyncio.run(store())


def job(account: Account, body: bytes) -> Job:
    """The work that a body is for the flusher."""
    return Job(
        account_id=account.id, livemode=account.livemode, signature="t=1,v1=0", body=body, envelope=envelope.read(body)
    )
