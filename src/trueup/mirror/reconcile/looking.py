"""What the mirror says of objects, beside what the log says of the same: a row that differs from its log is damaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
import psycopg

from trueup.kernel.records import Record
from trueup.mirror import lookup
from trueup.mirror import rules as mirror_rules
from trueup.mirror import store as mirror
from trueup.mirror.changes import changes
from trueup.mirror.drain import SHAPE_VERSION, winners
from trueup.mirror.order.resolve import resolve
from trueup.mirror.order.traces import trace_of
from trueup.mirror.order.types import Head
from trueup.mirror.reconcile import rules
from trueup.mirror.reconcile.types import FieldDifference, Kind
from trueup.mirror.types import Fact, ObjectKey
from trueup.mirror.upcast import upcast
from trueup.runtime import arrays, database

_HELD: Final = b"""
select k.account_id, k.livemode, k.object_type, k.object_id, o.essence, o.data, o.shape_version
from unnest(%(account_id)b::int8[], %(livemode)b::bool[], %(object_type)b::text[], %(object_id)b::text[])
     as k (account_id, livemode, object_type, object_id)
cross join lateral (
    select essence, data, shape_version from mirror_object
    where (account_id, livemode, object_type, object_id) = (k.account_id, k.livemode, k.object_type, k.object_id)
    offset 0
) o
"""


class Held(Record, frozen=True):
    """An object as we have it: whose it is, its order, and from the log what it is in the newest shape.

    ``fact`` and ``shape`` are None where its event is gone from the log or was redacted: what somebody had erased is
    not compared, and so not brought back. ``damage`` is what its row has otherwise than the log, ``ours`` being the
    row's; ``older`` says that an older version of the rules made the row. ``gone`` says that there is no row, though
    the log tells of the object: all else is what the log makes of it. ``invented`` says that there is a row of which
    neither a version nor the log tells.
    """

    customer: str | None
    head: Head
    fact: Fact | None
    shape: dict[str, Any] | None
    damage: tuple[FieldDifference, ...]
    older: bool
    gone: bool = False
    invented: bool = False


class Found(Record, frozen=True):
    """That an object differs: how, in what, and whether only our row does and not the log."""

    kind: Kind
    fields: tuple[FieldDifference, ...] = ()
    more: int = 0
    damaged: bool = False


def held(keys: Sequence[ObjectKey], *, thorough: bool = False) -> dict[ObjectKey, Held]:
    """What the mirror holds of these objects; those that it does not know are left out.

    ``thorough`` decides their order again from all their versions; what the row has otherwise is damage then too, and
    an object whose row is gone is known if the log tells of it.
    """
    known = mirror.current(keys)
    if not known and not thorough:
        return {}
    rows = _rows(list(known))
    heads = {key: current.head for key, current in known.items()}
    if thorough:
        heads |= {key: resolve(traces).head for key, traces in mirror.traces(dict.fromkeys(keys, 0)).items()}
    made = {winner.key: winner for winner in winners(heads)}
    invented = _invented({key: current.head for key, current in known.items() if key not in made})
    lost = [winner for key, winner in made.items() if key not in known]
    if thorough:
        for (key, _second, _event_id), log in lookup.logged(
            [(key, at.second, at.fact_id) for key, at in heads.items()]
        ).items():
            if log.redacted_at is not None:
                made.pop(key, None)
    found = {}
    for key, current in known.items():
        winner = made.get(key)
        essence, data, shape_version = rows.get(key, ("{}", None, SHAPE_VERSION))
        damage: list[FieldDifference] = []
        shape = None
        if winner is not None:
            shape = upcast(key.object_type, mirror_rules.whole(winner.fact))
            damage = _damage(key, current, winner, essence, data)
        damage += _misplaced(current.head, heads[key])
        found[key] = Held(
            customer=current.customer,
            head=heads[key],
            fact=None if winner is None else winner.fact,
            shape=shape,
            damage=tuple(damage),
            older=shape_version != SHAPE_VERSION,
            invented=key in invented,
        )
    return found | {winner.key: _gone(winner, redacted=winner.key not in made) for winner in lost}


def compare(key: ObjectKey, held: Held | None, told: dict[str, Any] | None, *, version: str) -> Found | None:
    """How an object differs from what Stripe told of it, None where it does not.

    ``told`` is the object as read, its lists whole where it was read singly, and None where Stripe has it no more.
    """
    here = held is not None and not held.gone and not held.head.deleted
    if told is None:
        return Found(kind=Kind.ORPHANED, damaged=held.invented) if held is not None and here else None
    if held is None or held.gone:
        return Found(kind=Kind.MISSING, damaged=held is not None)
    if held.invented or not here:
        return Found(kind=Kind.STALE if here else Kind.RESURRECTED, damaged=held.invented)
    return _stale(key, held, told, version=version)


def _stale(key: ObjectKey, held: Held, told: dict[str, Any], *, version: str) -> Found | None:
    """How an object differs that both have: in what the log tells, else in our row alone."""
    fields: tuple[FieldDifference, ...] = ()
    more = 0
    if held.shape is not None:
        theirs = upcast(key.object_type, told)
        fields, more = rules.differences(key.object_type, held.shape, theirs, same_version=held.head.version == version)
    if fields:
        return Found(kind=Kind.STALE, fields=fields, more=more)
    if held.damage:
        return Found(kind=Kind.STALE, fields=held.damage, damaged=True)
    return None


def _invented(heads: Mapping[ObjectKey, Head]) -> set[ObjectKey]:
    """Those of these objects of which neither a version nor the log tells."""
    if not heads:
        return set()
    told = set(mirror.traces(dict.fromkeys(heads, 0)))
    told |= {key for key, _second, _id in lookup.logged([(key, at.second, at.fact_id) for key, at in heads.items()])}
    return set(heads) - told


def _gone(winner: mirror.Winner, *, redacted: bool) -> Held:
    """An object whose row is gone, as the log has it."""
    return Held(
        customer=winner.fact.customer,
        head=winner.head,
        fact=None if redacted else winner.fact,
        shape=None if redacted else upcast(winner.key.object_type, mirror_rules.whole(winner.fact)),
        damage=(),
        older=False,
        gone=True,
    )


def _rows(keys: Sequence[ObjectKey]) -> Mapping[ObjectKey, tuple[str, Any, int]]:
    values = {
        "account_id": arrays.int8s([key.account_id for key in keys]),
        "livemode": arrays.bools([key.livemode for key in keys]),
        "object_type": arrays.texts([key.object_type for key in keys]),
        "object_id": arrays.texts([key.object_id for key in keys]),
    }
    rows = psycopg.Cursor(database.connection()).execute(_HELD, values).fetchall()
    return {
        ObjectKey(account_id=row[0], livemode=row[1], object_type=row[2], object_id=row[3]): (row[4], row[5], row[6])
        for row in rows
    }


def _damage(
    key: ObjectKey, current: mirror.Current, winner: mirror.Winner, essence: str, data: Any
) -> list[FieldDifference]:
    """What a row has otherwise than the event that it points at."""
    ours = {"essence": _parsed(essence), "data": _parsed(data)}
    found, _more = changes(ours, {"essence": winner.essence, "data": winner.data})
    damage = [FieldDifference(path=one.path, ours=one.before, theirs=one.after, cut=one.cut) for one in found]
    if key.object_type not in mirror_rules.ABOUT_PAYMENTS and current.customer != winner.fact.customer:
        damage.append(FieldDifference(path="customer", ours=current.customer, theirs=winner.fact.customer))
    if not (current.head.deleted and current.head.read):
        state = trace_of(winner.fact).state
        if state != current.head.state:
            damage.append(FieldDifference(path="head.state", ours=current.head.state, theirs=state))
    return damage


def _parsed(stored: Any) -> Any:
    """JSON as a row has it: Django leaves columns of ``jsonb`` to whoever reads them."""
    try:
        return orjson.loads(stored) if isinstance(stored, str) else stored
    except orjson.JSONDecodeError:
        return stored


def _misplaced(head: Head, right: Head) -> list[FieldDifference]:
    """That a row points at another version than the one that all versions say is the newest."""
    if (head.second, head.fact_id, head.deleted) == (right.second, right.fact_id, right.deleted):
        return []
    return [FieldDifference(path="event_id", ours=head.fact_id, theirs=right.fact_id)]
