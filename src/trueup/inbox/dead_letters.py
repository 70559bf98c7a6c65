"""Dead letters: what was set aside, in one place, by its cause; tried again, or given up with a reason.

The queues are those that packages registered (``runtime.dead_letters``), and the quarantine, whose bodies never became
events. Giving up takes a row out of its queue and nothing else: an event stays in the log, a body in the quarantine.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import psycopg

from trueup.accounts import service as accounts
from trueup.audit import service as audit
from trueup.audit.types import Action
from trueup.inbox import quarantine
from trueup.inbox.alarms import aside
from trueup.inbox.service import AWAITING, PENDING
from trueup.inbox.types import TOPIC, DeadGroup, DeadLetter, Moved
from trueup.kernel.actor import Actor
from trueup.kernel.errors import NotFound, Refused
from trueup.operators import service as operators
from trueup.operators.permissions import Permission
from trueup.runtime import database
from trueup.runtime.dead_letters import Group, Letter, Shelf, register, shelves
from trueup.runtime.dead_letters import discard as take_off
from trueup.runtime.dead_letters import groups as found_groups
from trueup.runtime.dead_letters import letters as found_letters
from trueup.runtime.dead_letters import retry as give_back
from trueup.runtime.pages import Moment, Number, Page, decode_cursor, encode_cursor
from trueup.runtime.queues import Depth, depth, storable

Key = tuple[int, bool, str, datetime]
"""An event: account, mode, event id, created."""

QUARANTINE: Final = "quarantine"
"""What the quarantine is called among the shelves."""
LARGEST_PAGE: Final = 200
LONGEST_REASON: Final = 2000

_EVENTS: Final = tuple(
    register(Shelf(name=name, queue=queue, topic=TOPIC, since="received_at", kind="'event'", named="event_id"))
    for name, queue in (("mirror", PENDING), ("thin", AWAITING))
)

_UNREAD: Final = b"""
select k.* from unnest(
    %(account_id)s::int8[], %(livemode)s::bool[], %(event_id)s::text[], %(created)s::timestamptz[]
) as k (account_id, livemode, event_id, created)
where exists (
    select from inbox_pending p
    where p.event_id = k.event_id and (p.account_id, p.livemode, p.created) = (k.account_id, k.livemode, k.created)
      and p.set_aside_at is null
)
"""

_SETTLE: Final = b"""
with read as (
    select * from unnest(
        %(account_id)s::int8[], %(livemode)s::bool[], %(event_id)s::text[], %(created)s::timestamptz[]
    ) as k (account_id, livemode, event_id, created)
), aside as (
    delete from inbox_pending p using read k
    where p.event_id = k.event_id and (p.account_id, p.livemode, p.created) = (k.account_id, k.livemode, k.created)
      and p.set_aside_at is not null
    returning 1
), given_up as (
    delete from inbox_discarded d using read k
    where (d.account_id, d.livemode, d.event_id, d.created) = (k.account_id, k.livemode, k.event_id, k.created)
    returning 1
)
select (select count(*) from aside) + (select count(*) from given_up)
"""

_PUT_ASIDE: Final = b"""
insert into inbox_pending (account_id, livemode, event_id, created, attempts, last_error, set_aside_at)
select %(account_id)s, %(livemode)s, %(event_id)s, %(created)s, 1, %(error)s, now()
where not exists (
    select from inbox_pending where event_id = %(event_id)s and account_id = %(account_id)s
    and livemode = %(livemode)s and created = %(created)s
)
"""

_NOTE: Final = b"""
insert into inbox_discarded (account_id, livemode, event_id, created, error, why)
values (%(account_id)s, %(livemode)s, %(event_id)s, %(created)s, %(error)s, %(why)s)
on conflict (account_id, livemode, event_id, created) do update
    set error = excluded.error, why = excluded.why, at = now()
"""


def groups() -> tuple[DeadGroup, ...]:
    """Everything that was set aside, by queue and cause, what was struck last first."""
    with database.transaction() as connection:
        found = [*found_groups(connection), *quarantine.groups(connection)]
    slugs = _slugs()
    told = [_group(one, slugs) for one in found]
    return tuple(sorted(told, key=lambda one: (one.last_at, one.cause, one.queue), reverse=True))


def letters(cause: str, *, limit: int = 50, after: str | None = None) -> Page[DeadLetter]:
    """The rows that one cause stopped, queue by queue, the newest first. ``NotFound`` where it stopped none."""
    limit = max(1, min(limit, LARGEST_PAGE))
    name, at, row = decode_cursor(after, tuple[str, Moment, Number]) if after else ("", None, 0)
    slugs = _slugs()
    found: list[DeadLetter] = []
    with database.transaction() as connection:
        sources = [group.shelf for group in _of(connection, cause)]
        for source in sources[sources.index(name) if name in sources else 0 :]:
            before = (at, row) if at is not None and source == name else None
            told = _letters(connection, source, cause, before, limit + 1 - len(found))
            found += [_letter(one, slugs) for one in told]
            if len(found) > limit:
                break
        total = sum(group.rows for group in _of(connection, cause))
    last = found[limit - 1] if len(found) > limit else None
    return Page(
        data=tuple(found[:limit]),
        next=encode_cursor(last.queue, last.set_aside_at.isoformat(), last.row) if last is not None else None,
        total=total,
    )


def depths(connection: psycopg.Connection[tuple[Any, ...]]) -> dict[str, Depth]:
    """How every queue stands, by its name among the shelves; the quarantine is none."""
    return {shelf.name: depth(connection, shelf.queue, shelf.since) for shelf in shelves()}


def watch() -> None:
    """Let an alarm stand for what is set aside and one for what is quarantined at this moment, or end them."""
    with database.transaction() as connection:
        aside.settle(connection)


def retry(*, cause: str | None = None, by: Actor, dry_run: bool = False) -> Moved:
    """Give the rows of a cause, or all of them, another round of attempts; bodies in the quarantine are read again.

    ``NotFound`` for a cause that stopped nothing. With ``dry_run`` nothing is written and the counts are what would be.
    """
    operators.require(by, Permission.EVENTS_REPLAY)
    with database.transaction() as connection:
        found = [*found_groups(connection), *quarantine.groups(connection)] if cause is None else _of(connection, cause)
        if dry_run or not found:
            return Moved(cause=cause, rows=_counted(found), done=False)
        rows = {shelf.name: count for shelf in shelves() if (count := give_back(connection, shelf, cause=cause))}
        tried = sum(group.rows for group in found if group.shelf == QUARANTINE)
        audit.record(
            connection,
            by=by,
            action=Action.DEAD_LETTERS_RETRIED,
            object_type="dead_letters",
            object_id=cause or "all",
            after={"rows": rows | ({QUARANTINE: tried} if tried else {})},
        )
        aside.settle(connection)
    if not tried:
        return Moved(cause=cause, rows=rows, done=True)
    # Each body is a transaction of its own: one that is at fault still must not keep the others back.
    freed = quarantine.read_again(cause=cause)
    watch()
    return Moved(cause=cause, rows=rows | {QUARANTINE: freed.stored}, done=True, refused=freed.refused)


def discard(*, cause: str, why: str, by: Actor, dry_run: bool = False) -> Moved:
    """Give up the rows that a cause stopped. Their events stay in the log, marked; a replay reads them after all.

    ``NotFound`` for a cause that stopped nothing, ``Refused`` without a reason. ``dry_run`` as for ``retry``.
    """
    operators.require(by, Permission.EVENTS_REPLAY)
    reason = why.strip()[:LONGEST_REASON].replace("\x00", "\ufffd")
    if not reason and not dry_run:
        raise Refused("Giving up needs a reason.", code="reason_missing", hint="Say why, for whoever asks later.")
    with database.transaction() as connection:
        found = _of(connection, cause)
        if dry_run:
            return Moved(cause=cause, rows=_counted(found), done=False)
        rows: dict[str, int] = {}
        for shelf in shelves():
            taken = take_off(connection, shelf, cause=cause)
            if taken:
                rows[shelf.name] = len(taken)
            if shelf in _EVENTS:
                names = (*shelf.queue.columns, "error")
                psycopg.Cursor(connection).executemany(
                    _NOTE, [dict(zip(names, row, strict=True)) | {"why": reason} for row in taken]
                )
        given_up = quarantine.discard(connection, cause=cause, why=reason)
        if given_up:
            rows[QUARANTINE] = given_up
        audit.record(
            connection,
            by=by,
            action=Action.DEAD_LETTERS_DISCARDED,
            object_type="dead_letters",
            object_id=cause,
            why=reason,
            after={"rows": rows, "error": found[0].error, "examples": [one.id for one in found[0].examples]},
        )
        aside.settle(connection)
    return Moved(cause=cause, rows=rows, done=True)


def unread(keys: Sequence[Key]) -> frozenset[Key]:
    """Those of these events that wait for their first reading, or for another try of it, and were not set aside."""
    if not keys:
        return frozenset()
    rows = psycopg.Cursor(database.connection()).execute(_UNREAD, _arrays(keys)).fetchall()
    return frozenset((row[0], row[1], row[2], row[3]) for row in rows)


def settle(keys: Sequence[Key]) -> int:
    """Forget that these events were set aside or given up, since they have been read after all; returns how many were.

    In the transaction of whoever read them. Those that wait for their first reading stay.
    """
    if not keys:
        return 0
    row = psycopg.Cursor(database.connection()).execute(_SETTLE, _arrays(keys)).fetchone()
    return int(row[0]) if row else 0


def put_aside(key: Key, error: str) -> bool:
    """Set an event aside that cannot be read again, in the caller's transaction; True when it was not so already.

    One that waits for its first reading is left alone.
    """
    values = dict(zip(PENDING.columns, key, strict=True)) | {"error": storable(error)}
    return bool(psycopg.Cursor(database.connection()).execute(_PUT_ASIDE, values).rowcount)


def _arrays(keys: Sequence[Key]) -> dict[str, list[Any]]:
    return dict(zip(PENDING.columns, map(list, zip(*keys, strict=True)), strict=True))


def _of(connection: psycopg.Connection[tuple[Any, ...]], cause: str) -> list[Group]:
    found = [group for group in (*found_groups(connection), *quarantine.groups(connection)) if group.cause == cause]
    if not found:
        raise NotFound(
            f"Nothing is set aside for the cause {cause}.",
            code="cause_unknown",
            hint="List the causes with: trueup dead-letters",
        )
    return found


def _letters(
    connection: psycopg.Connection[tuple[Any, ...]],
    source: str,
    cause: str,
    before: tuple[datetime, int] | None,
    limit: int,
) -> list[Letter]:
    if source == QUARANTINE:
        return quarantine.letters(connection, cause=cause, before=before, limit=limit)
    return found_letters(connection, _shelf(source), cause=cause, before=before, limit=limit)


def _shelf(name: str) -> Shelf:
    return next(shelf for shelf in shelves() if shelf.name == name)


def _counted(found: list[Group]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for group in found:
        rows[group.shelf] = rows.get(group.shelf, 0) + group.rows
    return rows


def _slugs() -> dict[int, str]:
    return {account.id: account.slug for account in accounts.accounts()}


def _group(group: Group, slugs: dict[int, str]) -> DeadGroup:
    return DeadGroup(
        cause=group.cause,
        queue=group.shelf,
        rows=group.rows,
        things=group.things,
        first_at=group.first_at,
        last_at=group.last_at,
        error=group.error,
        examples=tuple(f"{one.kind} {one.id}" for one in group.examples),
        accounts=tuple(dict.fromkeys(slugs.get(one.account_id, "") for one in group.examples)),
    )


def _letter(letter: Letter, slugs: dict[int, str]) -> DeadLetter:
    return DeadLetter(
        cause=letter.cause,
        queue=letter.shelf,
        row=letter.row,
        account_slug=slugs.get(letter.told.account_id, ""),
        livemode=letter.told.livemode,
        kind=letter.told.kind,
        id=letter.told.id,
        attempts=letter.attempts,
        since=letter.since,
        set_aside_at=letter.set_aside_at,
        error=letter.error,
    )
