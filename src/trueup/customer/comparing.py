"""What reconciling asks of the tables of customers: who is next, what is stored of them, and what waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec
import orjson

from trueup.customer import store
from trueup.customer import stored as texts
from trueup.customer.identity import merged
from trueup.customer.types import CustomerState
from trueup.kernel.time import from_unix
from trueup.mirror.changes import changes
from trueup.mirror.reconcile.types import FieldDifference, Run
from trueup.mirror.reconcile.working import StateDifference
from trueup.mirror.service import CustomerKey
from trueup.runtime import database

_PAGE: Final = """
select customer from (
    select stripe_customer_id as customer from customer_customer
    where account_id = %(account)s and livemode = %(livemode)s and stripe_customer_id > %(after)s
    union
    select object_id from mirror_object
    where account_id = %(account)s and livemode = %(livemode)s and object_type = 'customer' and object_id > %(after)s
    union
    select customer from mirror_drift
    where account_id = %(account)s and livemode = %(livemode)s and resolved_at is null and customer > %(after)s
) known
where %(customers)s::text[] is null or customer = any(%(customers)s)
order by customer limit %(limit)s
"""
_STORED: Final = """
select stripe_customer_id, state, fold_version, folded_at, last_event_at, name, email, sort_name, stage, mrr_sort,
    billing_status, trial_end
from customer_customer
where account_id = %s and livemode = %s and stripe_customer_id = any(%s)
"""
_COLUMNS: Final = ("name", "email", "sort_name", "stage", "mrr_sort", "billing_status", "trial_end")
_QUEUED: Final = """
select set_aside_at is not null, coalesce(last_error, '') from mirror_changed
where account_id = %(account)s and livemode = %(livemode)s and (
    (object_type = 'customer' and object_id = any(%(customers)s))
    or (object_type <> 'customer' and object_id = any(array(
        select unnest(product_ids) from customer_lookup
        where account_id = %(account)s and livemode = %(livemode)s and stripe_customer_id = any(%(customers)s)))))
"""
_TURNED: Final = """
select exists (select from customer_turn where account_id = %s and livemode = %s
               and stripe_customer_id = any(%s) and at <= now())
"""
_NEWER: Final = """
select exists (
    select from mirror_version v
    join inbox_event e on (e.account_id, e.livemode, e.event_id, e.created)
        = (v.account_id, v.livemode, v.event_id collate "default", to_timestamp(v.created))
    where (v.account_id, v.livemode) = (%(account)s, %(livemode)s) and v.customer = any(%(customers)s)
      and e.received_at > (select max(folded_at) from customer_customer
                           where account_id = %(account)s and livemode = %(livemode)s
                             and stripe_customer_id = any(%(customers)s)))
"""


_OF_READING: Final = ("why", "last_event_at", "as_of")
"""What tells which facts a state came from; those of an object that was read are not ours yet."""


class Stored(NamedTuple):
    """A state as its row has it, with the columns that lists show and sort by, which follow from it."""

    state: CustomerState
    fold_version: int
    folded_at: datetime
    last_event_at: datetime
    columns: dict[str, str | None]


class Queued(NamedTuple):
    """Whether customers wait to be folded, why their fold was set aside, and whether facts came since the last."""

    waiting: bool
    set_aside: str | None
    newer: bool


class Compared(NamedTuple):
    """How a customer compares; without a difference it is as it should be."""

    key: CustomerKey
    difference: StateDifference | None = None


def page(run: Run, *, after: str, limit: int) -> list[CustomerKey]:
    """The next customers of a run that have a state, or are objects here or at Stripe, by Stripe's id."""
    rows = database.execute(
        _PAGE,
        {
            "account": run.account_id,
            "livemode": run.livemode,
            "after": after,
            "customers": None if run.customers is None else list(run.customers),
            "limit": limit,
        },
    ).fetchall()
    return [(run.account_id, run.livemode, row[0]) for row in rows]


def units(keys: Sequence[CustomerKey]) -> list[tuple[CustomerKey, ...]]:
    """Who is folded as one with these customers, the leader first; no unit twice."""
    groups = merged.groups(keys)
    return list(dict.fromkeys(groups[key].keys if key in groups else (key,) for key in keys))


def stored(keys: Sequence[CustomerKey]) -> dict[CustomerKey, Stored]:
    """The states of these customers, of one account; one that cannot be read is left out, as if there were none."""
    if not keys:
        return {}
    account_id, livemode, _ = keys[0]
    found: dict[CustomerKey, Stored] = {}
    for row in database.execute(_STORED, (account_id, livemode, [key[2] for key in keys])).fetchall():
        state = _decoded(row[1])
        if state is not None:
            columns = dict(zip(_COLUMNS, (*row[5:9], f"{row[9]:f}", row[10], _ended(row[11])), strict=True))
            found[account_id, livemode, row[0]] = Stored(state, row[2], row[3], row[4], columns)
    return found


def difference(
    known: Stored, folded: store.Folded, *, of_reading: bool = False
) -> tuple[tuple[FieldDifference, ...], int] | None:
    """What a row has otherwise than what follows from the objects, None where it is as it should be.

    Its columns, ``columns.name`` and so on, are compared with what its own state makes of them, so that what differs in
    the state is told once. ``of_reading`` says that the state follows from objects that were read: which facts it came
    from is left out then.
    """
    without = _OF_READING if of_reading else ()
    left, right = _fields(known.state, without), _fields(folded.state, without)
    heard = known.last_event_at if of_reading or left != right else from_unix(folded.last_event)
    left["columns"] = known.columns | {"last_event_at": _written(known.last_event_at)}
    right["columns"] = _columns(known.state) | {"last_event_at": _written(heard)}
    if left == right:
        return None
    found, more = changes(left, right)
    return tuple(FieldDifference(path=one.path, ours=one.before, theirs=one.after, cut=one.cut) for one in found), more


def _fields(state: CustomerState, without: Sequence[str]) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(msgspec.json.encode(state))
    return {name: value for name, value in told.items() if name not in without}


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _columns(state: CustomerState) -> dict[str, str | None]:
    """What ``store.save`` writes beside a state."""
    told = (state.name or None, state.email or None, store.sort_name(state), state.stage.value)
    also = (f"{store.mrr_sort(state):f}", state.billing_status or None, _ended(state.trial_end))
    return dict(zip(_COLUMNS, (*told, *also), strict=True))


def _ended(moment: datetime | None) -> str | None:
    return None if moment is None else _written(moment)


def _decoded(text: str) -> CustomerState | None:
    try:
        return texts.decode(text)
    except (ValueError, LookupError):
        return None


def queued(members: Sequence[CustomerKey]) -> Queued:
    """What waits for customers that are one."""
    account_id, livemode, _ = members[0]
    customers = [member[2] for member in members]
    values: dict[str, Any] = {"account": account_id, "livemode": livemode, "customers": customers}
    rows = database.execute(_QUEUED, values).fetchall()
    turned = database.execute(_TURNED, (account_id, livemode, customers)).fetchone()
    newer = database.execute(_NEWER, values).fetchone()
    aside = next((error.partition(":")[0] for set_aside, error in rows if set_aside), None)
    return Queued(
        waiting=any(not set_aside for set_aside, _error in rows) or bool(turned and turned[0]),
        set_aside=aside,
        newer=bool(newer and newer[0]),
    )
