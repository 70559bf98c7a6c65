"""The objects that have to be read from Stripe: one row an object, however often it is asked for.

What order cannot decide, what is missing between two events, what a thin event only names, a list that shows its
beginning alone: all of it is asked for here by whoever notices, in its own transaction, and fetched by
``mirror.fetcher``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

import psycopg

from trueup.accounts import service as accounts
from trueup.connectors.stripe.resources import RESOURCES
from trueup.kernel.records import Record
from trueup.mirror import rules
from trueup.mirror.order.types import Head, Verdict
from trueup.mirror.types import Fact, ObjectKey
from trueup.runtime import arrays, database, queues
from trueup.runtime.queues import Queue
from trueup.runtime.wake import CHANNEL

TOPIC: Final = "mirror.fetch"
"""Woken when objects wait to be fetched at once."""
FETCH: Final = Queue(table="mirror_fetch", columns=("account_id", "livemode", "object_type", "object_id"))
"""Objects that wait to be fetched."""


class Reason(StrEnum):
    """Why an object has to be fetched."""

    AMBIGUOUS = "ambiguous"
    """Which of several events of one second was the last is not known."""
    GAP = "gap"
    """An event is missing."""
    TIED = "tied"
    """The last of several events of one second was found, and one reading confirms it."""
    TRUNCATED = "truncated"
    """A list inside of it shows its beginning alone."""
    THIN = "thin"
    """An event names the object and does not hold it."""
    SET_ASIDE = "set_aside"
    """An event about it cannot be mirrored."""
    ASKED = "asked"
    """Somebody wants it."""


_LISTS: Final = {
    name: tuple(tuple(inner.field.split(".")) for inner in resource.lists)
    for name, resource in RESOURCES.items()
    if resource.lists
}
"""For each type the paths of the lists inside of it."""
DELAYS: Final[Mapping[Reason, float]] = {Reason.AMBIGUOUS: 2.0, Reason.GAP: 10.0, Reason.TIED: 30.0}
"""Seconds until a call is worth it: what is missing often comes by itself, and several doubts then cost one call."""


ASIDE: Final = timedelta(hours=6)
"""How long an object that was set aside stays so, whoever asks: what Stripe refused it may give later."""


class Wanted(Record, frozen=True):
    """A claimed row: ``told_at`` is the newest second at which a thin event says that something happened, else 0."""

    id: int
    key: ObjectKey
    reason: Reason
    told_at: int
    revision: int
    attempts: int


_WANT: Final = b"""
with wanted as (
    insert into mirror_fetch as f (account_id, livemode, object_type, object_id, reason, told_at, due_at)
    select account_id, livemode, object_type, object_id, reason, told_at,
           clock_timestamp() + make_interval(secs => delay)
    from unnest(
        %(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[],
        %(reason)b::text[], %(told_at)b::int8[], %(delay)b::int8[]
    ) as row (account_id, livemode, object_type, object_id, reason, told_at, delay)
    order by account_id, livemode, object_type, object_id
    on conflict (account_id, livemode, object_type, object_id) do update set
        reason = case when f.reason in ('ambiguous', 'gap', 'tied') or excluded.reason in ('set_aside', 'asked')
                      then excluded.reason else f.reason end,
        told_at = greatest(f.told_at, excluded.told_at),
        revision = f.revision + 1,
        due_at = least(f.due_at, excluded.due_at),
        attempts = case when f.set_aside_at < now() - %(aside)s then 0 else f.attempts end,
        set_aside_at = case when f.set_aside_at < now() - %(aside)s then null else f.set_aside_at end
    returning due_at
)
select pg_notify(%(channel)s, %(topic)s) from (select from wanted where due_at <= clock_timestamp() limit 1) due
"""

_CLAIM: Final = b"""
with due as (
    select id from mirror_fetch
    where set_aside_at is null and due_at <= clock_timestamp() + make_interval(secs => %(ahead)s)
      and (leased_until is null or leased_until < clock_timestamp())
    order by due_at, id limit %(limit)s for update skip locked
), leased as (
    update mirror_fetch f set leased_until = clock_timestamp() + make_interval(secs => %(seconds)s)
    from due where f.id = due.id returning f.*
)
select id, account_id, livemode, object_type, object_id, reason, told_at, revision, attempts
from leased order by due_at, id
"""

_DONE: Final = b"""
with gone as (delete from mirror_fetch where id = %(id)s and revision = %(revision)s returning id)
update mirror_fetch set leased_until = null, attempts = 0 where id = %(id)s and not exists (select from gone)
"""

_AGAIN: Final = b"""
update mirror_fetch set attempts = attempts + 1, last_error = %(error)s, leased_until = null,
    due_at = clock_timestamp() + make_interval(secs => %(seconds)s),
    set_aside_at = case when %(aside)s then now() end
where id = %(id)s
"""

_DOUBTFUL: Final = b"""
select o.account_id, o.livemode, o.object_type, o.object_id, o.verdict
from mirror_object o
where o.verdict > 0 and not o.deleted and o.account_id = any(%(accounts)b) and o.object_type = any(%(types)b)
  and not exists (
    select from mirror_fetch f
    where (f.account_id, f.livemode, f.object_type, f.object_id) =
          (o.account_id, o.livemode, o.object_type, o.object_id)
      and (f.set_aside_at is null or f.set_aside_at > now() - %(aside)s)
    offset 0
  )
order by o.account_id, o.livemode, o.object_type, o.object_id limit %(limit)s
"""
"""``offset 0`` has each looked up by its key: a join would read the whole queue, which grows while it is filled."""


def want(keys: Iterable[ObjectKey], *, reason: Reason, told_at: Mapping[ObjectKey, int] | None = None) -> int:
    """Ask for objects to be fetched, in the caller's transaction; returns how many rows that makes or touches.

    Objects that cannot be fetched are passed over: of an account without a key, or of a type that Stripe's API does
    not give. One that waits already is fetched once, at the earliest time that anybody asked for. One that was set
    aside gets another try, at most once in ``ASIDE``.
    """
    return want_each(dict.fromkeys(keys, reason), told_at=told_at)


def want_each(reasons: Mapping[ObjectKey, Reason], *, told_at: Mapping[ObjectKey, int] | None = None) -> int:
    """As ``want``, for several reasons at once."""
    possible = [key for key in reasons if can_fetch(key.object_type)]
    readable = accounts.readable() if possible else frozenset()
    keys = [key for key in possible if key.account_id in readable]
    if not keys:
        return 0
    told = told_at or {}
    values = {
        "account_id": arrays.int8s([key.account_id for key in keys]),
        "livemode": arrays.bools([key.livemode for key in keys]),
        "object_type": arrays.texts([key.object_type for key in keys]),
        "object_id": arrays.texts([key.object_id for key in keys]),
        "reason": arrays.texts([reasons[key].value for key in keys]),
        "told_at": arrays.int8s([told.get(key, 0) for key in keys]),
        "delay": arrays.int8s([int(DELAYS.get(reasons[key], 0)) for key in keys]),
        "aside": ASIDE,
        "channel": CHANNEL,
        "topic": TOPIC,
    }
    psycopg.Cursor(database.connection()).execute(_WANT, values)
    return len(keys)


def can_fetch(object_type: str) -> bool:
    """Whether Stripe's API gives objects of this type by their id alone."""
    resource = RESOURCES.get(object_type)
    return resource is not None and resource.one("x") is not None


def doubt(head: Head) -> Reason | None:
    """Why an object of which this is known should be read; None when it is certain or gone."""
    if head.deleted:
        return None
    if head.verdict is Verdict.AMBIGUOUS:
        return Reason.AMBIGUOUS
    if head.verdict is Verdict.GAP:
        return Reason.GAP
    return Reason.TIED if head.tied else None


def may_be_cut(object_type: str) -> bool:
    """Whether objects of a type have parts that not every telling of them shows whole."""
    return object_type == "price" or object_type in _LISTS


def truncated(object_type: str, data: Mapping[str, Any]) -> bool:
    """Whether a list inside of an object shows its beginning alone, and the rest can be read.

    A tiered price that leaves its tiers out, as every event does, is such an object too.
    """
    if object_type == "price":
        return data.get("billing_scheme") == "tiered" and type(data.get("tiers")) is not list
    return any(goes_on(data, path) for path in _LISTS.get(object_type, ()))


def is_cut(fact: Fact) -> bool:
    """Whether a version shows a part of its object alone, and reading the object would show more."""
    if fact.reading is not None and fact.reading.alone:
        return False
    return truncated(fact.object_type, rules.whole(fact))


def goes_on(data: Mapping[str, Any], path: Sequence[str]) -> bool:
    """Whether the list at a path, such as ``lines`` or ``amount_details`` and ``line_items``, says that it has more."""
    held: Any = data
    for name in path:
        held = held.get(name) if type(held) is dict else None
    return type(held) is dict and held.get("has_more") is True


def claim(*, limit: int, seconds: float, ahead: float = 0.0) -> list[Wanted]:
    """Take up to ``limit`` objects that are due, the longest due first, for ``seconds``.

    Who dies with them leaves them to the next.

    ``ahead`` takes those that fall due within so many seconds too.
    """
    values = {"limit": limit, "seconds": seconds, "ahead": ahead}
    with database.transaction() as connection:
        rows = psycopg.Cursor(connection).execute(_CLAIM, values).fetchall()
    return [
        Wanted(
            id=row[0],
            key=ObjectKey(account_id=row[1], livemode=row[2], object_type=row[3], object_id=row[4]),
            reason=Reason(row[5]),
            told_at=row[6],
            revision=row[7],
            attempts=row[8],
        )
        for row in rows
    ]


def done(wanted: Wanted) -> None:
    """Forget a row, in the transaction that stores what was read; unless somebody asked again meanwhile."""
    psycopg.Cursor(database.connection()).execute(_DONE, {"id": wanted.id, "revision": wanted.revision})


def again(wanted: Wanted, error: str, *, final: bool = False) -> None:
    """Note why a row could not be fetched and let it wait, twice as long each time; ``final`` sets it aside."""
    seconds = queues.delay(wanted.attempts + 1).total_seconds()
    values = {"id": wanted.id, "error": error, "seconds": seconds, "aside": final}
    with database.transaction() as connection:
        psycopg.Cursor(connection).execute(_AGAIN, values)


def want_doubtful(*, limit: int = 1000) -> int:
    """Ask for objects in doubt that nobody asked for: of accounts that got a key, say. Run by the sweep."""
    readable = accounts.readable()
    if not readable:
        return 0
    values = {
        "accounts": list(readable),
        "types": [name for name in RESOURCES if can_fetch(name)],
        "limit": limit,
        "aside": ASIDE,
    }
    with database.transaction() as connection:
        rows = psycopg.Cursor(connection).execute(_DOUBTFUL, values).fetchall()
        reasons = {
            ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=row[3]): (
                Reason.GAP if row[4] > 1 else Reason.AMBIGUOUS
            )
            for row in rows
        }
        return want_each(reasons)


def complete(keys: Sequence[ObjectKey]) -> frozenset[ObjectKey]:
    """Those of these objects, which show a part alone, of which the rest is going to be there.

    They wait to be fetched, or were fetched and are about to be mirrored: those are asked for again, in the caller's
    transaction, which costs no call once they are mirrored. Left out is what was set aside or cannot be fetched.
    """
    if not keys:
        return frozenset()
    rows = psycopg.Cursor(database.connection()).execute(
        b"""
        select f.account_id, f.livemode, f.object_type, f.object_id, f.set_aside_at is null from mirror_fetch f
        join unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[])
             as k (account_id, livemode, object_type, object_id)
        using (account_id, livemode, object_type, object_id)
        """,
        {
            "account_id": arrays.int8s([key.account_id for key in keys]),
            "livemode": arrays.bools([key.livemode for key in keys]),
            "object_type": arrays.texts([key.object_type for key in keys]),
            "object_id": arrays.texts([key.object_id for key in keys]),
        },
    )
    waits = {
        ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=row[3]): row[4]
        for row in rows.fetchall()
    }
    readable = accounts.readable()
    others = [key for key in keys if key not in waits and can_fetch(key.object_type) and key.account_id in readable]
    want(others, reason=Reason.TRUNCATED)
    return frozenset([*others, *(key for key, live in waits.items() if live)])


def counts() -> dict[str, int]:
    """How many objects wait to be fetched, by reason; those that were set aside are not counted."""
    sql = "select reason, count(*) from mirror_fetch where set_aside_at is null group by reason order by 2 desc, 1"
    return dict(database.execute(sql).fetchall())
