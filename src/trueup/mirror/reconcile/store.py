"""Statements on the differences that are open, and on what is kept of those that are over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from trueup.kernel.records import Record
from trueup.mirror.reconcile import seen
from trueup.mirror.reconcile.types import STATE, Cause, Counted, Difference, Ending, FieldDifference, Kind, Run
from trueup.mirror.types import ObjectKey
from trueup.runtime import database

_UPSERT: Final = """
insert into mirror_drift as d (
    account_id, livemode, object_type, object_id, customer, kind, fields, more_fields, told, cause, explanation,
    event_id, since, since_exact, run_id, repaired_at
) values (
    %(account_id)s, %(livemode)s, %(object_type)s, %(object_id)s, %(customer)s, %(kind)s, %(fields)s::jsonb,
    %(more)s, %(told)s, %(cause)s, %(explanation)s, %(event_id)s, %(since)s, %(since_exact)s, %(run_id)s,
    case when %(repaired)s then now() end
)
on conflict (account_id, livemode, object_type, object_id) where resolved_at is null do update set
    customer = excluded.customer, kind = excluded.kind, fields = excluded.fields, more_fields = excluded.more_fields,
    told = excluded.told, cause = excluded.cause, explanation = excluded.explanation, event_id = excluded.event_id,
    since = least(d.since, excluded.since), since_exact = excluded.since_exact, run_id = excluded.run_id,
    repaired_at = excluded.repaired_at, last_seen_at = now()
"""

DIFFERENCE: Final = """
select id, account_id, livemode, kind, object_type, object_id, customer, fields::text, more_fields, cause, explanation,
    event_id, since, since_exact, opened_at, last_seen_at, run_id, resolved_at
from mirror_drift
"""


class Ended(Record, frozen=True):
    """What ``fields`` keeps of a difference that is over: how it ended, by which run, and the paths that differed."""

    how: Ending
    run: int | None
    paths: tuple[str, ...]


_decode_fields: Final = msgspec.json.Decoder(tuple[FieldDifference, ...]).decode
_decode_ended: Final = msgspec.json.Decoder(Ended).decode


class New(Record, frozen=True):
    """A difference about to be written."""

    key: ObjectKey
    customer: str | None
    kind: Kind
    fields: tuple[FieldDifference, ...]
    more: int
    cause: Cause
    explanation: str
    event_id: str | None = None
    since: datetime | None = None
    since_exact: bool = False
    told: str | None = None
    repaired: bool = False


def record(run_id: int, new: New) -> None:
    """Write a difference over what is open of the same object."""
    key = new.key
    database.execute(
        _UPSERT,
        {
            "account_id": key.account_id,
            "livemode": key.livemode,
            "object_type": key.object_type,
            "object_id": key.object_id,
            "customer": new.customer,
            "kind": new.kind.value,
            "fields": msgspec.json.encode(new.fields).decode().replace("\\u0000", "\\ufffd"),
            "more": new.more,
            "told": new.told,
            "cause": new.cause.value,
            "explanation": new.explanation,
            "event_id": new.event_id,
            "since": new.since,
            "since_exact": new.since_exact,
            "run_id": run_id,
            "repaired": new.repaired,
        },
    )


_RESOLVE: Final = """
update mirror_drift set
    resolved_at = now(), told = null,
    repaired_at = coalesce(repaired_at, case when %(repaired)s then now() end),
    fields = jsonb_build_object(
        'how', case when %(repaired)s or repaired_at is not null then 'repaired' else %(how)s end,
        'run', case when %(repaired)s or repaired_at is not null then run_id else %(run)s::bigint end,
        'paths', (select coalesce(jsonb_agg(one -> 'path'), '[]') from jsonb_array_elements(fields) one))
where resolved_at is null
"""


def resolve(key: ObjectKey, run_id: int, *, repaired: bool = False) -> bool:
    """Close what is open of an object that a run found equal, and forget the values; False when nothing is open.

    ``repaired`` says that the run mended it. Where an earlier run did and did not come to see it, that one is named.
    """
    return (
        database.execute(
            f"""{_RESOLVE} and account_id = %(account)s and livemode = %(livemode)s
            and object_type = %(object_type)s and object_id = %(object_id)s""",
            {
                "how": Ending.EQUAL.value,
                "run": run_id,
                "repaired": repaired,
                "account": key.account_id,
                "livemode": key.livemode,
                "object_type": key.object_type,
                "object_id": key.object_id,
            },
        ).rowcount
        > 0
    )


def resolve_unseen(run: Run, *, types: Sequence[str]) -> int:
    """Close what earlier runs found and this one compared and did not; answers how many.

    Objects that it could not see stay as they are.
    """
    named = [*types, STATE] if run.whole else list(types)
    return database.execute(
        f"""{_RESOLVE} and account_id = %(account)s and livemode = %(livemode)s and run_id < %(run)s
        and object_type = any(%(types)s) and (%(customers)s::text[] is null or customer = any(%(customers)s))
        and not exists (
            select from mirror_reconcileseen s
            where s.run_id = %(run)s and s.rounds = %(left)s
              and (s.object_type, s.object_id) = (mirror_drift.object_type, mirror_drift.object_id))""",
        {
            "left": seen.LEFT,
            "how": Ending.EQUAL.value,
            "repaired": False,
            "account": run.account_id,
            "livemode": run.livemode,
            "run": run.id,
            "types": named,
            "customers": None if run.customers is None else list(run.customers),
        },
    ).rowcount


def differences(
    slugs: Mapping[int, str],
    *,
    account_id: int | None,
    kind: Kind | None,
    object_type: str,
    customer: str,
    run_id: int | None = None,
    before: int,
    after_states: bool | None = None,
    limit: int,
) -> list[Difference]:
    """Open differences, the newest first, before the one numbered ``before``.

    With ``after_states`` objects come before states: those behind ``before`` when that one is a state (True) or not.
    """
    place, order = "id < %(before)s", "id desc"
    if after_states is not None:
        is_state = "(object_type = %(state)s)"
        place = f"({is_state} > %(after_states)s or {is_state} = %(after_states)s and id < %(before)s)"
        order = f"{is_state}, id desc"
    rows = database.execute(
        f"""{DIFFERENCE}
        where resolved_at is null and {place}
          and (%(account)s::bigint is null or account_id = %(account)s)
          and (%(kind)s::text is null or kind = %(kind)s)
          and (%(type)s = '' or object_type = %(type)s)
          and (%(customer)s = '' or customer = %(customer)s)
          and (%(run)s::bigint is null or run_id = %(run)s)
        order by {order} limit %(limit)s""",
        {
            "before": before,
            "after_states": after_states,
            "state": STATE,
            "account": account_id,
            "kind": None if kind is None else kind.value,
            "type": object_type,
            "customer": customer,
            "run": run_id,
            "limit": limit,
        },
    ).fetchall()
    return [to_difference(row, slugs) for row in rows]


def to_difference(row: tuple[Any, ...], slugs: Mapping[int, str]) -> Difference:
    """A difference from ``DIFFERENCE``."""
    ended = None if row[17] is None or row[7] is None else _decode_ended(row[7])
    if ended is not None:
        told = tuple(FieldDifference(path=path, ours=None, theirs=None, dropped=True) for path in ended.paths)
    else:
        told = () if row[7] is None else _decode_fields(row[7])
    return Difference(
        id=row[0],
        account_id=row[1],
        account_slug=slugs.get(row[1], ""),
        livemode=row[2],
        kind=Kind(row[3]),
        type=row[4],
        object_id=row[5],
        customer=row[6],
        fields=told,
        fields_left_out=row[8],
        cause=Cause(row[9]),
        why=row[10],
        event_id=row[11],
        since=row[12],
        since_exact=row[13],
        opened_at=row[14],
        last_seen_at=row[15],
        run_id=row[16],
        resolved_at=row[17],
        ending=None if ended is None else ended.how,
        resolved_by=None if ended is None else ended.run,
    )


def closed(
    slugs: Mapping[int, str],
    *,
    account_id: int | None,
    kind: Kind | None,
    object_type: str,
    customer: str,
    run_id: int | None = None,
    ending: Ending | None = None,
    before: tuple[datetime, int] | None = None,
    limit: int,
) -> list[Difference]:
    """Differences that are over, the last that ended first, before the one that ended at a moment with a number.

    ``run_id`` is the run that ended them.
    """
    moment, number = before or (None, 0)
    rows = database.execute(
        f"""{DIFFERENCE}
        where resolved_at is not null
          and (%(moment)s::timestamptz is null or (resolved_at, id) < (%(moment)s, %(number)s))
          and (%(account)s::bigint is null or account_id = %(account)s)
          and (%(kind)s::text is null or kind = %(kind)s)
          and (%(type)s = '' or object_type = %(type)s)
          and (%(customer)s = '' or customer = %(customer)s)
          and (%(run)s::bigint is null or (fields ->> 'run')::bigint = %(run)s)
          and (%(ending)s::text is null or fields ->> 'how' = %(ending)s)
        order by resolved_at desc, id desc limit %(limit)s""",
        {
            "moment": moment,
            "number": number,
            "account": account_id,
            "kind": None if kind is None else kind.value,
            "type": object_type,
            "customer": customer,
            "run": run_id,
            "ending": None if ending is None else ending.value,
            "limit": limit,
        },
    ).fetchall()
    return [to_difference(row, slugs) for row in rows]


def counted(*, account_id: int | None, customer: str) -> list[Counted]:
    """How many differences are open, by kind and type."""
    rows = database.execute(
        """
        select kind, object_type, count(*) from mirror_drift
        where resolved_at is null and (%(account)s::bigint is null or account_id = %(account)s)
          and (%(customer)s = '' or customer = %(customer)s)
        group by 1, 2 order by 1, 2
        """,
        {"account": account_id, "customer": customer},
    ).fetchall()
    return [Counted(kind=Kind(row[0]), type=row[1], number=row[2]) for row in rows]


def kinds() -> dict[int, dict[str, int]]:
    """How many differences are open, by account and kind."""
    rows = database.execute(
        "select account_id, kind, count(*) from mirror_drift where resolved_at is null group by 1, 2 order by 1, 2"
    ).fetchall()
    found: dict[int, dict[str, int]] = {}
    for account_id, kind, number in rows:
        found.setdefault(account_id, {})[kind] = number
    return found


class Standing(Record, frozen=True):
    """A difference that is open, with what Stripe said of the object: JSON, None where it had none, and of a state."""

    id: int
    key: ObjectKey
    told: str | None
    event_id: str | None
    last_seen_at: datetime


def standing(after: ObjectKey | None, *, states: bool, limit: int) -> list[Standing]:
    """Differences that are open behind a key, by key; none of accounts that are being compared."""
    place = ObjectKey(account_id=-1, livemode=False, object_type="", object_id="") if after is None else after
    rows = database.execute(
        """
        select d.id, d.account_id, d.livemode, d.object_type, d.object_id, d.told, d.event_id, d.last_seen_at
        from mirror_drift d
        where d.resolved_at is null and (d.object_type = %(state)s) = %(states)s
          and (d.account_id, d.livemode, d.object_type, d.object_id)
              > (%(account)s, %(livemode)s, %(object_type)s, %(object_id)s)
          and not exists (
              select from mirror_reconcilerun r where r.account_id = d.account_id and r.status = 'running')
        order by d.account_id, d.livemode, d.object_type, d.object_id limit %(limit)s
        """,
        {
            "state": STATE,
            "states": states,
            "account": place.account_id,
            "livemode": place.livemode,
            "object_type": place.object_type,
            "object_id": place.object_id,
            "limit": limit,
        },
    ).fetchall()
    return [
        Standing(
            id=row[0],
            key=ObjectKey(account_id=row[1], livemode=row[2], object_type=row[3], object_id=row[4]),
            told=row[5],
            event_id=row[6],
            last_seen_at=row[7],
        )
        for row in rows
    ]


def heal(one: Standing) -> bool:
    """Close a difference that ended by itself; False where a run has seen it since it was read, or it is closed."""
    return (
        database.execute(
            f"{_RESOLVE} and id = %(id)s and last_seen_at = %(seen)s",
            {"how": Ending.HEALED.value, "run": None, "repaired": False, "id": one.id, "seen": one.last_seen_at},
        ).rowcount
        > 0
    )


def objects_differ(account_id: int, customers: Sequence[str], *, livemode: bool) -> bool:
    """Whether any object of these customers is known to differ."""
    row = database.execute(
        """
        select exists (
            select from mirror_drift
            where account_id = %s and livemode = %s and resolved_at is null and object_type <> %s
              and customer = any(%s))
        """,
        (account_id, livemode, STATE, list(customers)),
    ).fetchone()
    return bool(row and row[0])


def customers_differing(limit: int) -> list[tuple[int, bool, str]]:
    """Stripe customers of whom anything is known to differ."""
    known = "select distinct account_id, livemode, customer from mirror_drift where resolved_at is null"
    return database.execute(f"{known} and customer is not null limit %s", (limit,)).fetchall()


def told(run: Run, customers: Sequence[str]) -> list[tuple[str, str, str, str, str | None, bool]]:
    """Customer, kind, type, id and JSON at Stripe of these customers' objects that a run found to differ.

    The last says that its row is invented: it is neither at Stripe nor in the log. What an earlier run found is what
    Stripe said then, and says nothing of now.
    """
    rows = database.execute(
        """
        select customer, kind, object_type, object_id, told, kind = 'orphaned' and cause = 'damaged' from mirror_drift
        where account_id = %s and livemode = %s and customer = any(%s) and resolved_at is null and object_type <> %s
          and run_id = %s
        order by id
        """,
        (run.account_id, run.livemode, list(customers), STATE, run.id),
    ).fetchall()
    return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in rows]


def tidy(*, days: int) -> int:
    """Delete differences that were resolved more than ``days`` ago; answers how many."""
    return database.execute(
        "delete from mirror_drift where resolved_at < now() - make_interval(days => %s)", (days,)
    ).rowcount
