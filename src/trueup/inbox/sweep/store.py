"""Statements on the rows of sweeps; whoever holds a row's lease is the only one to write it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
import psycopg

from trueup.inbox.sweep.types import Gap, Sweep
from trueup.inbox.types import Kind
from trueup.runtime import database

LEASE_SECONDS: Final = 90
"""Longer than a call to Stripe takes with all its tries; each page renews it, and who dies is waited for so long."""

COLUMNS: Final = tuple(name for name in Sweep.__struct_fields__ if name != "endpoint")
WRITTEN: Final = tuple(name for name in COLUMNS if name not in {"id", "account_id", "kind", "enrolled_at"})

ENROL: Final = """
insert into inbox_sweep (account_id, kind)
select account_id, kind from unnest(%(accounts)s::int8[]) as account_id, unnest(%(kinds)s::text[]) as kind
on conflict do nothing
"""
LEASE: Final = f"""
update inbox_sweep set lease = %(lease)s, leased_until = now() + make_interval(secs => {LEASE_SECONDS})
where id = (
    select id from inbox_sweep
    where account_id = any(%(accounts)s) and (leased_until is null or leased_until <= clock_timestamp())
      and case when %(kind)s::text is null then due_at <= clock_timestamp() else kind = %(kind)s end
    order by due_at, id limit 1 for update skip locked
)
returning {", ".join(COLUMNS)}, endpoint::text
"""  # noqa: S608 - all parts are constants of this file
WRITE: Final = f"""
update inbox_sweep
set {", ".join(f"{name} = %({name})s" for name in WRITTEN)}, endpoint = %(endpoint)s::jsonb,
    leased_until = now() + make_interval(secs => {LEASE_SECONDS})
where id = %(id)s and lease = %(lease)s
"""  # noqa: S608 - all parts are constants of this file
RELEASE: Final = """
update inbox_sweep set lease = null, leased_until = null, due_at = now() + make_interval(secs => %(seconds)s)
where id = %(id)s and lease = %(lease)s
"""
ALL: Final = f"select {', '.join(COLUMNS)}, endpoint::text from inbox_sweep order by account_id, kind"  # noqa: S608 - constants
GAPS: Final = """
select account_id, min(lost_since), max(lost_until), max(backfill_wanted_at) from inbox_sweep
where backfill_wanted_at is not null and lost_since is not null and lost_until is not null
group by account_id order by account_id
"""
CLOSE: Final = """
update inbox_sweep set lost_since = null, lost_until = null, backfill_wanted_at = null
where account_id = %(account_id)s and backfill_wanted_at <= %(began)s
"""
WATCH_ANEW: Final = b"update inbox_sweep set begun = null"
NUMBERS: Final = """
select coalesce(sum(missed_total), 0)::int8,
       coalesce(max(extract(epoch from now() + make_interval(secs => skew_seconds) - cursor))
                filter (where not reaching_back and account_id = any(%(accounts)s)), 0)::float8
from inbox_sweep
"""


def enrol(accounts: Sequence[int]) -> None:
    """See that these accounts have their rows."""
    database.execute(ENROL, {"accounts": list(accounts), "kinds": [Kind.SNAPSHOT.value, Kind.THIN.value]})


def lease(*, accounts: Sequence[int], kind: Kind | None = None) -> tuple[UUID, Sweep] | None:
    """Take the sweep of these accounts that is due longest, or, with ``kind``, that one whether due or not."""
    token = uuid4()
    values = {"lease": token, "accounts": list(accounts), "kind": kind}
    row = database.execute(LEASE, values).fetchone()
    return None if row is None else (token, to_sweep(row))


def write(sweep: Sweep, token: UUID) -> bool:
    """Keep a sweep and renew its lease; False when the lease is somebody else's by now."""
    values: dict[str, Any] = {name: getattr(sweep, name) for name in COLUMNS}
    values |= {"lease": token, "endpoint": None}
    if sweep.endpoint is not None:
        values["endpoint"] = msgspec.json.encode(sweep.endpoint).decode()
    return database.execute(WRITE, values).rowcount == 1


def release(sweep_id: int, token: UUID, *, seconds: float) -> None:
    """Let go of a sweep, due again in so many seconds; nothing happens when the lease is somebody else's."""
    database.execute(RELEASE, {"id": sweep_id, "lease": token, "seconds": seconds})


def to_sweep(row: tuple[Any, ...]) -> Sweep:
    """A sweep from ``COLUMNS`` and its endpoint."""
    fields = dict(zip(COLUMNS, row, strict=False))
    endpoint = row[-1]
    return msgspec.convert(
        fields
        | {"kind": Kind(fields["kind"]), "endpoint": None if endpoint is None else msgspec.json.decode(endpoint)},
        Sweep,
    )


def sweeps() -> list[Sweep]:
    """All of them."""
    return [to_sweep(row) for row in database.execute(ALL).fetchall()]


def gaps() -> list[Gap]:
    """What was lost and not yet made good."""
    names = Gap.__struct_fields__
    return [Gap(**dict(zip(names, row, strict=True))) for row in database.execute(GAPS).fetchall()]


def close_gap(account_id: int, *, began: datetime) -> int:
    """Forget what was lost before a backfill began; returns how many rows that is."""
    return database.execute(CLOSE, {"account_id": account_id, "began": began}).rowcount


def watch_anew(connection: psycopg.Connection[Any]) -> None:
    """Watch for webhooks from the next sweep on, as if none had been watched for before."""
    connection.execute(WATCH_ANEW)


def numbers(accounts: Sequence[int]) -> tuple[int, float]:
    """How many events were ever missed, and how many seconds the oldest cursor of these accounts is behind."""
    row = database.execute(NUMBERS, {"accounts": list(accounts)}).fetchone() or (0, 0.0)
    return int(row[0]), float(row[1])
