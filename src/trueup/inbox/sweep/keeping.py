"""Events that Stripe's list gave, on their way into the log: as the intake stores them, by its statements."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import psycopg

from trueup.accounts import registry
from trueup.accounts import service as accounts
from trueup.accounts.types import Account
from trueup.inbox import storing
from trueup.inbox.intake import envelope as envelopes
from trueup.inbox.intake.batch import body_at_fault
from trueup.inbox.intake.envelope import Envelope, Unusable
from trueup.inbox.intake.statements import QUARANTINE
from trueup.inbox.storing import Arrival
from trueup.inbox.types import Reason, Source
from trueup.kernel.modes import mode_name
from trueup.kernel.records import Record
from trueup.runtime import arrays, database, logs

log = logs.get(__name__)

Key = tuple[int, bool, str, int]

SOURCES: Final = """
select k.account_id, k.livemode, k.event_id, extract(epoch from k.created)::int8, e.source
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(event_id)b::text[], %(created)b::timestamptz[])
     as k (account_id, livemode, event_id, created)
cross join lateral (
    select source from inbox_event
    where (account_id, livemode, event_id, created) = (k.account_id, k.livemode, k.event_id, k.created) offset 0
) e
"""
"""How events of the log came in, looked up one by one; see ``inbox.store.BODIES``."""


class Kept(Record, frozen=True):
    """What became of one listed event. ``created`` is in Unix seconds."""

    event_id: str
    type: str
    created: int
    fresh: bool
    """Whether the log did not have it."""
    source: Source
    """How it came first."""


class _Row(Record, frozen=True):
    key: Key
    told: Envelope
    body: bytes


def keep(account: Account, bodies: Sequence[bytes], *, source: Source) -> list[Kept]:
    """Store events of an account, exactly these bytes, in the caller's transaction or one of its own.

    What cannot be used goes to the quarantine, as what the intake cannot use does, and is left out of the answer.
    What the log has stays as it is. The answer is in the bodies' order; repeating the call changes nothing.
    """
    told: list[tuple[bytes, Envelope]] = []
    with database.transaction() as connection:
        for body in bodies:
            try:
                told.append((body, _read(account, body)))
            except Unusable as error:
                _quarantine(connection, account, body, error.reason, error.detail)
        owners = _owners(connection, account, {envelope.account for _body, envelope in told if envelope.account})
        rows = [
            _Row(
                key=(
                    owners.get(envelope.account or "", account.id),
                    account.livemode,
                    envelope.event_id,
                    envelope.created,
                ),
                told=envelope,
                body=body,
            )
            for body, envelope in told
        ]
        fresh = _store(connection, account, rows, source=source)
        known = _sources([row.key for row in rows if row.key not in fresh])
    kept = []
    for row in rows:
        came = source if row.key in fresh else known.get(row.key)
        if came is not None:  # None: it was refused by the database, and is in the quarantine.
            kept.append(
                Kept(
                    event_id=row.told.event_id,
                    type=row.told.type,
                    created=row.told.created,
                    fresh=row.key in fresh,
                    source=came,
                )
            )
    return kept


def _read(account: Account, body: bytes) -> Envelope:
    told = envelopes.read(body)
    if told.livemode is not None and told.livemode is not account.livemode:
        detail = f"The event is of {mode_name(told.livemode)} mode, the account is not."
        raise Unusable(Reason.WRONG_MODE, detail)
    return told


def _owners(connection: psycopg.Connection[tuple[object, ...]], account: Account, named: set[str]) -> Mapping[str, int]:
    """Our accounts for those that events name: the account itself, or one connected to its platform."""
    platform = account.parent_id or account.id
    own = accounts.account(platform).stripe_account_id
    owners = {}
    # In one order everywhere, so that two that make the same accounts wait for each other.
    for stripe_account_id in sorted(named):
        if stripe_account_id == account.stripe_account_id or (
            account.parent_id is None and account.stripe_account_id is None
        ):
            owners[stripe_account_id] = account.id
        elif stripe_account_id == own:
            owners[stripe_account_id] = platform
        else:
            owners[stripe_account_id] = registry.appear(
                connection, parent_id=platform, livemode=account.livemode, stripe_account_id=stripe_account_id
            )
    return owners


def _store(
    connection: psycopg.Connection[tuple[object, ...]], account: Account, rows: Sequence[_Row], *, source: Source
) -> set[Key]:
    """The keys that were new."""
    try:
        with database.transaction():
            return set(storing.store([_arrival(row) for row in rows], source=source))
    except psycopg.Error as error:
        if not body_at_fault(error):
            raise
    # One body at fault must not take its neighbours with it. In the order of keys, as everybody stores.
    fresh: set[Key] = set()
    for row in sorted(rows, key=lambda row: row.key):
        try:
            with database.transaction():
                fresh |= set(storing.store([_arrival(row)], source=source))
        except psycopg.Error as error:
            if not body_at_fault(error):
                raise
            detail = f"{type(error).__name__} {error.sqlstate or ''}".strip()
            _quarantine(connection, account, row.body, Reason.REFUSED_BY_DATABASE, detail)
    return fresh


def _arrival(row: _Row) -> Arrival:
    told = row.told
    return Arrival(
        account_id=row.key[0],
        livemode=row.key[1],
        event_id=told.event_id,
        created=told.created,
        type=told.type,
        kind=told.kind,
        body=row.body,
        object_type=told.object_type,
        object_id=told.object_id,
        customer=told.customer,
        api_version=told.api_version,
    )


def _quarantine(
    connection: psycopg.Connection[tuple[object, ...]], account: Account, body: bytes, reason: Reason, detail: str
) -> None:
    values = {
        "account_id": account.id,
        "reason": reason.value,
        "detail": detail,
        "signature": storing.UNSIGNED,
        "body_sha256": hashlib.sha256(body).digest(),
        "body": body,
    }
    duplicate = not psycopg.Cursor(connection).execute(QUARANTINE, values).fetchall()
    log.warning("sweep.quarantined", account=account.id, reason=reason.value, duplicate=duplicate)


def _sources(keys: Sequence[Key]) -> dict[Key, Source]:
    if not keys:
        return {}
    # A key may hold what no text column takes, a NUL for one; the log cannot have it then.
    askable = [key for key in keys if "\x00" not in key[2]]
    values = {
        "account_id": arrays.int8s([key[0] for key in askable]),
        "livemode": arrays.bools([key[1] for key in askable]),
        "event_id": arrays.texts([key[2] for key in askable]),
        "created": arrays.unix_times([key[3] for key in askable]),
    }
    rows = psycopg.Cursor(database.connection()).execute(SOURCES.encode(), values, binary=True).fetchall()
    return {(row[0], row[1], row[2], row[3]): Source(row[4]) for row in rows}
