"""The quarantine as dead letters: its bodies by cause, read again after what stopped them is gone, or given up."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg

from trueup.accounts import registry
from trueup.accounts import service as accounts
from trueup.accounts.errors import AccountUnknown
from trueup.inbox.intake import envelope as envelopes
from trueup.inbox.intake.envelope import Envelope, Unusable
from trueup.inbox.intake.statements import STORE
from trueup.inbox.types import Reason, Source
from trueup.kernel.modes import mode_name
from trueup.runtime import database
from trueup.runtime.dead_letters import EXAMPLES, Group, Letter, Named, cause_of

_CAUSE: Final = cause_of("q.reason || ': ' || q.detail")
_NAMED: Final = "encode(q.body_sha256, 'hex')"
_ACCOUNTS: Final = "left join accounts_account a on a.id = q.account_id"
_KEPT: Final = "q.discarded_at is null"

_GROUPS: Final = f"""
with kept as (
    select q.account_id, coalesce(a.livemode, false) as livemode, {_NAMED} as named, q.received_at,
           q.reason || ': ' || q.detail as error, {_CAUSE} as cause,
           row_number() over (partition by {_CAUSE} order by q.received_at desc, q.id desc) as place
    from inbox_quarantined q {_ACCOUNTS} where {_KEPT}
)
select cause, count(*), min(received_at), max(received_at), max(error) filter (where place = 1),
       array_agg(account_id order by place) filter (where place <= {EXAMPLES}),
       array_agg(livemode order by place) filter (where place <= {EXAMPLES}),
       array_agg(named order by place) filter (where place <= {EXAMPLES})
from kept group by cause
"""  # noqa: S608 - all parts are constants of ours

_LETTERS: Final = f"""
select q.id, {_CAUSE}, q.account_id, coalesce(a.livemode, false), {_NAMED}, q.received_at,
       q.reason || ': ' || q.detail
from inbox_quarantined q {_ACCOUNTS}
where {_KEPT} and {_CAUSE} = %(cause)s
  and (%(at)s::timestamptz is null or (q.received_at, q.id) < (%(at)s, %(row)s))
order by q.received_at desc, q.id desc limit %(limit)s
"""  # noqa: S608 - all parts are constants of ours

_NEXT: Final = f"""
select q.id, q.account_id, q.signature, q.body from inbox_quarantined q
where {_KEPT} and q.id > %(after)s and (%(cause)s::text is null or {_CAUSE} = %(cause)s)
order by q.id limit 1 for update skip locked
"""  # noqa: S608 - all parts are constants of ours

_DISCARD: Final = f"""
update inbox_quarantined q set discarded_at = now(), discarded_why = %(why)s where {_KEPT} and {_CAUSE} = %(cause)s
"""  # noqa: S608 - all parts are constants of ours


class Freed(NamedTuple):
    """What became of bodies that were read again: those that are events of the log now, and those still unusable."""

    stored: int
    refused: int


def groups(connection: psycopg.Connection[tuple[Any, ...]]) -> list[Group]:
    """The bodies by cause. An example is named by its SHA-256."""
    return [
        Group(
            cause=row[0],
            shelf="quarantine",
            rows=row[1],
            things=row[1],
            first_at=row[2],
            last_at=row[3],
            error=row[4],
            examples=tuple(
                Named(account_id=one[0], livemode=one[1], kind="body", id=one[2]) for one in zip(*row[5:], strict=True)
            ),
        )
        for row in psycopg.Cursor(connection).execute(_GROUPS.encode()).fetchall()
    ]


def letters(
    connection: psycopg.Connection[tuple[Any, ...]], *, cause: str, before: tuple[datetime, int] | None, limit: int
) -> list[Letter]:
    """The bodies of a cause, the newest first, before a place (when received, id)."""
    at, row = before or (None, 0)
    values = {"cause": cause, "at": at, "row": row, "limit": limit}
    return [
        Letter(
            row=one[0],
            cause=one[1],
            shelf="quarantine",
            told=Named(account_id=one[2], livemode=one[3], kind="body", id=one[4]),
            attempts=1,
            since=one[5],
            set_aside_at=one[5],
            error=one[6],
        )
        for one in psycopg.Cursor(connection).execute(_LETTERS.encode(), values).fetchall()
    ]


def read_again(*, cause: str | None = None) -> Freed:
    """Take bodies through the envelope again, by the accounts as they are now.

    What can be used becomes an event of the log and leaves the quarantine; the rest stays, with what stops it now. Each
    body is a transaction of its own, and one that another process has in hand is passed over.
    """
    stored = refused = after = 0
    while True:
        with database.transaction() as connection:
            found = psycopg.Cursor(connection).execute(_NEXT.encode(), {"after": after, "cause": cause}).fetchone()
            if found is None:
                return Freed(stored, refused)
            after, account_id, signature, body = found
            fault = _store(connection, account_id, signature, bytes(body))
            if fault is None:
                connection.execute("delete from inbox_quarantined where id = %s", (after,))
                stored += 1
            else:
                connection.execute(
                    "update inbox_quarantined set reason = %s, detail = %s where id = %s", (*fault, after)
                )
                refused += 1


def discard(connection: psycopg.Connection[tuple[Any, ...]], *, cause: str, why: str) -> int:
    """Give up the bodies of a cause: they are kept, and counted no more. Returns how many."""
    return psycopg.Cursor(connection).execute(_DISCARD.encode(), {"cause": cause, "why": why}).rowcount


def _store(
    connection: psycopg.Connection[tuple[Any, ...]], account_id: int, signature: str | None, body: bytes
) -> tuple[str, str] | None:
    """Store a body as the intake would have; reason and detail where it still cannot be used."""
    try:
        account = accounts.account(account_id)
        envelope = envelopes.read(body)
        if envelope.livemode is not account.livemode and envelope.livemode is not None:
            mode = mode_name(envelope.livemode)
            raise Unusable(Reason.WRONG_MODE, f"The event is of {mode} mode, the account is not.")
    except Unusable as error:
        return error.reason.value, error.detail
    except AccountUnknown:
        return Reason.UNREADABLE.value, "The account that it was sent to is not there any more."
    try:
        with database.transaction():
            owner = account.id
            if envelope.account and envelope.account != account.stripe_account_id:
                owner = registry.appear(
                    connection,
                    parent_id=account.id,
                    livemode=account.livemode,
                    stripe_account_id=envelope.account,
                )
            psycopg.Cursor(connection).execute(STORE, _values(owner, account.livemode, signature, body, envelope))
    except (psycopg.DataError, psycopg.ProgrammingError, psycopg.errors.ProgramLimitExceeded) as error:
        return Reason.REFUSED_BY_DATABASE.value, f"{type(error).__name__} {error.sqlstate or ''}".strip()
    return None


def _values(owner: int, livemode: bool, signature: str | None, body: bytes, envelope: Envelope) -> dict[str, Any]:  # noqa: FBT001
    return {
        "account_id": [owner],
        "livemode": [livemode],
        "event_id": [envelope.event_id],
        "created": [envelope.created],
        "type": [envelope.type],
        "kind": [envelope.kind.value],
        "object_type": [envelope.object_type or ""],
        "object_id": [envelope.object_id or ""],
        "customer": [envelope.customer or ""],
        "api_version": [envelope.api_version or ""],
        "signature": [signature or ""],
        "body_sha256": [hashlib.sha256(body).digest()],
        "body": [body],
        "source": Source.WEBHOOK.value,
    }
