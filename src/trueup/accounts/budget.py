"""How many calls to Stripe may be made now: one bucket of tokens for all processes, kept in the database.

A bucket belongs to the account whose key makes the calls. What Stripe counts for a call made through a platform's key
for a connected account, the platform's limit or the other's, it does not document; one bucket for all of them is within
the limit either way. Beside it each endpoint has a bucket of its own (``GET /v1/invoices/{id}`` is one), since Stripe
limits these as well. A call takes a token of both or of none.

A bucket is one moment: when it will be full again. Time fills it, so nothing is to be given back, and nobody who dies
holds anything. Four fifths of a limit flow in evenly and one fifth may be taken at once, so that no second sees more
calls than the limit. After a 429 everybody gets half as many, and each second after that a hundredth of the limit more.

The table is unlogged: a crash of the database empties it, and a new bucket is full. Every function here is one short
statement that commits by itself, by the database's clock.
Sources: https://docs.stripe.com/rate-limits (100 requests a second in live mode, 25 in a sandbox, 25 for one endpoint),
https://docs.stripe.com/error-low-level for the headers of a 429.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from trueup.kernel.records import Record
from trueup.runtime import database

WHOLE: Final = 1000
"""Shares of a bucket and of a limit are counted in thousandths."""
LEAST: Final = 20
"""Thousandths of a limit that are left however often Stripe wants fewer calls."""
RECOVERY: Final = 10
"""Thousandths of a limit that come back each second."""
CALM_SECONDS: Final = 1
"""Calls that were under way together meet the limit together: within so long they count as one."""
FLOW: Final = 0.8
BURST: Final = 0.2
"""Parts of a limit: what flows into a bucket each second, and what it holds. Together they are the limit."""
SMALLEST_BURST: Final = 2
_BUCKETS: Final = 2

_SHARE: Final = (
    f"(least({WHOLE}, b.permille + floor(greatest(extract(epoch from b.at - b.slowed_at), 0) * {RECOVERY}))"
    f" / {WHOLE}.0)::float8"
)
"""The part of its limit that bucket ``b`` has back at the moment ``b.at``."""

# The clock is read after the lock is held: whoever waited for it takes tokens of now.
TAKE: Final = f"""
with asked(endpoint, per_second) as (
  values (''::text, %(account_limit)s::float8), (%(endpoint)s::text, %(endpoint_limit)s::float8)
), locked as materialized (
  select b.* from accounts_budget b
  where b.account_id = %(account)s and b.endpoint in ('', %(endpoint)s) order by b.endpoint for update
), timed as materialized (
  select b.*, case when b.full_at is not null then clock_timestamp() end as at from locked b
), rated as materialized (
  select b.endpoint, b.at, b.full_at, b.held_until, asked.per_second * {_SHARE} as per_second
  from timed b join asked using (endpoint)
), told as materialized (
  select endpoint, at, per_second * {FLOW} as rate,
         1 + %(allowed)s::float8 * (greatest(per_second * {BURST}, {SMALLEST_BURST}) - 1)
           - greatest(extract(epoch from full_at - at), 0)::float8 * per_second * {FLOW} as left_over,
         greatest(extract(epoch from held_until - at), 0)::float8 as held
  from rated
), verdict as materialized (
  select count(*)::int as buckets,
         case when max(held) > 0 or min(left_over) < 1 then 0 else least(floor(min(left_over)), %(wanted)s) end::int
           as granted,
         greatest(max(held), max((1 - left_over) / rate), 0)::float8 as wait
  from told
), taken as (
  update accounts_budget b
  set full_at = greatest(b.full_at, t.at) + make_interval(secs => v.granted / t.rate),
      taken = b.taken || jsonb_build_object(
        %(lane)s::text, coalesce((b.taken ->> %(lane)s::text)::bigint, 0) + v.granted)
  from told t cross join verdict v
  where b.account_id = %(account)s and b.endpoint = t.endpoint and v.granted > 0 and v.buckets = 2
)
select buckets, granted, wait from verdict
"""  # noqa: S608 - what is put in are numbers of ours
OPEN: Final = """
insert into accounts_budget (account_id, endpoint) values (%(account)s, ''), (%(account)s, %(endpoint)s)
on conflict do nothing
"""
SLOW: Final = f"""
with b as materialized (
  select b.*, clock_timestamp() as at from accounts_budget b
  where b.account_id = %(account)s and b.endpoint = %(endpoint)s for update
)
update accounts_budget set
  permille = case when b.at < b.slowed_at + interval '{CALM_SECONDS} s' then b.permille
                  else greatest({LEAST}, {WHOLE} * {_SHARE} / 2)::int end,
  slowed_at = case when b.at < b.slowed_at + interval '{CALM_SECONDS} s' then b.slowed_at else b.at end,
  held_until = greatest(b.held_until, b.at + make_interval(secs => %(pause)s::float8)),
  throttled = b.throttled + 1, cause = %(cause)s
from b where accounts_budget.account_id = b.account_id and accounts_budget.endpoint = b.endpoint
"""  # noqa: S608 - what is put in are numbers of ours
BUCKETS: Final = f"""
select b.account_id, b.endpoint, {_SHARE}, greatest(extract(epoch from b.full_at - b.at), 0)::float8,
       case when b.held_until > b.at then b.held_until end, b.throttled, b.cause, b.taken::text
from (select b.*, clock_timestamp() as at from accounts_budget b) b order by b.account_id, b.endpoint
"""  # noqa: S608 - what is put in are numbers of ours


class Taking(Record, frozen=True):
    """What was taken: ``granted`` calls may be made at once; where it is 0, ask again after ``wait`` seconds."""

    granted: int
    wait: float


class Bucket(Record, frozen=True):
    """A bucket as it is.

    ``share`` is the part of its limit that it has at the moment, above 0 and up to 1. It is full in ``full_in``
    seconds. Nobody gets anything before ``held_until``, where it is given. ``throttled`` counts answers of 429 and
    ``cause`` is the last one's reason; ``taken`` counts calls by lane.
    """

    account_id: int
    endpoint: str
    """Empty for the whole account, else such as ``GET /v1/invoices/{id}``."""
    share: float
    full_in: float
    held_until: datetime | None
    throttled: int
    cause: str
    taken: Mapping[str, int]

    def left(self, limit: float, *, allowed: float = 1.0) -> int:
        """How many calls may be made at once, where the limit is so many a second and so much may be emptied."""
        if self.held_until is not None:
            return 0
        now = limit * self.share
        return max(int(1 + allowed * (max(now * BURST, SMALLEST_BURST) - 1) - self.full_in * now * FLOW), 0)


def take(
    account_id: int,
    endpoint: str,
    *,
    lane: str,
    account_limit: float,
    endpoint_limit: float,
    allowed: float = 1.0,
    wanted: int = 1,
) -> Taking:
    """Take up to ``wanted`` tokens for calls of one endpoint.

    The limits are Stripe's, in calls a second. ``allowed`` is the part of the buckets, from 0 to 1, that the lane may
    empty: what is left is for lanes that are more urgent.
    """
    values = {
        "account": account_id,
        "endpoint": endpoint,
        "lane": lane,
        "account_limit": account_limit,
        "endpoint_limit": endpoint_limit,
        "allowed": allowed,
        "wanted": wanted,
    }
    while True:
        row = database.execute(TAKE, values).fetchone()
        if row is not None and row[0] == _BUCKETS:
            return Taking(granted=row[1], wait=row[2])
        database.execute(OPEN, {"account": account_id, "endpoint": endpoint})


def slow_down(account_id: int, endpoint: str, *, cause: str, pause: float) -> None:
    """Stripe wants fewer calls: let nobody call for ``pause`` seconds, and then half as often as before.

    ``endpoint`` may be empty: then it is the whole account. Several that come within a second halve it once.
    """
    values = {"account": account_id, "endpoint": endpoint, "cause": cause[:100], "pause": pause}
    if not database.execute(SLOW, values).rowcount:
        database.execute(OPEN, {"account": account_id, "endpoint": endpoint})
        database.execute(SLOW, values)


def buckets() -> tuple[Bucket, ...]:
    """All buckets that were used since the database began, by account and endpoint."""
    return tuple(
        Bucket(
            account_id=account_id,
            endpoint=endpoint,
            share=share,
            full_in=full_in,
            held_until=held_until,
            throttled=throttled,
            cause=cause,
            taken=json.loads(taken),
        )
        for account_id, endpoint, share, full_in, held_until, throttled, cause, taken in database.execute(BUCKETS)
    )


def full(account_id: int) -> Bucket:
    """The bucket of an account that nobody has called yet."""
    return Bucket(account_id, "", 1.0, 0.0, None, 0, "", {})
